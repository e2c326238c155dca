"""How the Transfer page calls models: `core.transfer.names`, as its views import it."""

from core.transfer.names import in_sight, robust, title

__all__ = ["in_sight", "robust", "title"]
