"""Run the command of `core.inversion.measure`."""

from core.inversion.measure import main

if __name__ == "__main__":
    main()
