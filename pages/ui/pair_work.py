"""The old address of `pages.ui.work.both`."""

from pages.ui.work import both

__all__ = ["both"]
