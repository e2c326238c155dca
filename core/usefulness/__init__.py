"""How useful is a feature, and how robustly? The paper's two definitions, measured on a network.

A feature f maps pictures to numbers with mean 0 and variance 1. For a task with labels y = +1 or -1 it is

    rho-useful            rho   = E[y f(x)]
    gamma-robustly useful gamma = E[inf over |delta| <= eps of y f(x + delta)]

and "useful, non-robust" where rho > 0 > gamma. The infimum asks only for the smallest value of f in the ball where
y = +1, and for the largest where y = -1. So one search for both extremes of every coordinate of a representation
answers for every task at once: each class against the rest, and each pair of classes.

    found = extremes(model.features, x, L2, (0.25, 0.5))         # low and high of every coordinate, every radius
    atlas = Measured.of(f, y, found, y[:n])                      # means of each class
    atlas.on(against_rest(6)).gamma                              # (E, D)

search        the smallest and the largest value that each feature takes near each picture
definitions   tasks, and the rho and gamma that follow from a search, or in closed form
atlas         what was measured of one network, as the page reads it
measure       python -m core.usefulness measure
live          the same on few pictures, at once: for networks that no command has measured
heads         what is left of a network when features are switched off: python -m core.usefulness.heads measure
choice        which model, pictures and features a recipe of the page chooses
feature       what one feature looks like
views         what else the page computes, and the script that it offers

Source: Ilyas et al. (2019), section 2. An attack finds a bound: the true infimum may be lower, never higher.
"""

from core.usefulness.definitions import Measured, Task, Usefulness, against_rest, linear_usefulness
from core.usefulness.search import Extremes, extremes

__all__ = ["Extremes", "Measured", "Task", "Usefulness", "against_rest", "extremes", "linear_usefulness"]
