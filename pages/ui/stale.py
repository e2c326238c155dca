"""Measured numbers whose weights have changed since are shown as stale, never silently."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import results


def say_stale(found: Mapping[str, Any], again: str) -> None:
    """Warn beside measured numbers if a network that took part has other weights by now.

    Args:
        found: What was read from the file.
        again: The command that measures them anew.
    """
    if old := results.stale(found):
        st.warning(f"Measured on weights that have changed since: {', '.join(old)}. Measure again: {again}")
