"""An artist's own drawings: scans cleaned, the clean line found under the pencil, pairs looked through."""
