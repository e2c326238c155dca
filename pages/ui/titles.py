"""What models are called: `core.models.titles`, as pages import it."""

from core.models.titles import title, titles

__all__ = ["title", "titles"]
