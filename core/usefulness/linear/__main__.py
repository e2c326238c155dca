"""Run `python -m core.usefulness.linear build`."""

from core.usefulness.linear.build import main

main()
