"""The command `python -m core.errors`."""

from core.errors.measure import main

if __name__ == "__main__":
    main()
