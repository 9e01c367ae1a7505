"""`python -m sketchgan_core` is the command `sketchgan`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
