"""An artist's own drawings: cleaning the scans, finding the clean lines under the pencil, reviewing the pairs."""
