"""The recipe of the Debate page."""

from dataclasses import dataclass

from core.recipes.base import option


@dataclass(frozen=True)
class DebateRecipe:
    """Where a visitor stands.

    Args:
        claim: The claim that is open, a key of `core.debate.claims.CLAIMS`.
        before: The visitor's position before reading, 0 (bugs) to 100 (features).
        after: The same after.
    """

    claim: str = option("wallace")
    before: int = option(50, low=0, high=100)
    after: int = option(50, low=0, high=100)
