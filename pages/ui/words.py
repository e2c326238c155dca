"""Numbers and predictions as words: `core.words`, as pages import it."""

from core.words import a, percent, size, verdicts

__all__ = ["a", "percent", "size", "verdicts"]
