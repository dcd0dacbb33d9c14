"""`python -m quillon_training`."""

from quillon_training.cli import main

if __name__ == "__main__":
    main()
