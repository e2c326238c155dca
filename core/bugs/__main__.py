"""Run `python -m core.bugs measure`."""

from core.bugs.measure import main

main()
