"""The command `python -m core.dial`."""

from core.dial.measure import main

if __name__ == "__main__":
    main()
