"""Run `python -m core.transfer measure`."""

from core.transfer.measure import main

main()
