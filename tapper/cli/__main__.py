"""`python -m tapper.cli`."""

from tapper.cli import main

main()
