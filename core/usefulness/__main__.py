"""Run `python -m core.usefulness measure`."""

from core.usefulness.measure import main

main()
