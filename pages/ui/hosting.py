"""What a host allows: with `ROBUST_FROG_READ_ONLY=1` it takes nothing from visitors, neither files nor cameras."""

import os

READ_ONLY_VARIABLE = "ROBUST_FROG_READ_ONLY"


def read_only() -> bool:
    """Tell whether visitors may bring nothing of their own."""
    return os.environ.get(READ_ONLY_VARIABLE, "").strip().lower() in ("1", "true", "yes", "on")
