"""`python -I -m quillon`: the same command line as the console script."""

from quillon.cli import main

if __name__ == "__main__":
    main()
