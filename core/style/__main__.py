"""The command `python -m core.style`."""

from core.style.measure import main

if __name__ == "__main__":
    main()
