"""Run `python -m core.goh build`."""

from core.goh.build import main

main()
