"""Fuzzers: whatever is thrown at it is taken or refused in one line, in little time and memory."""
