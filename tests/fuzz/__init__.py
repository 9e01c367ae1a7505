"""Fuzzers: whatever is thrown at the package is taken, or refused in one line, in little time and memory."""
