"""Run `python -m core.frequency measure|train`."""

from core.frequency.measure import main

main()
