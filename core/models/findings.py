"""What the doctor says of a model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a model.

    Args:
        fault: A word for programs.
        says: A sentence for people: what was seen.
        remedy: A sentence: what to do about it.
    """

    fault: str
    says: str
    remedy: str
