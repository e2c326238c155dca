"""`python -m core.planted`, see `core.planted.measure`."""

from core.planted.measure import main

main()
