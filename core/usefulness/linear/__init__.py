"""Goh's two linear constructions of useful, non-robust features: truck against frog, and nothing but linear algebra.

    known = load()
    known.single(0).gamma(0.25)                  # one singular vector
    known.ensemble(2000)                         # many weak directions, summed with the sign of their usefulness
    known.containment(0, 2844, 0.01)             # a robust direction hidden inside a non-robust one

known     what follows from the statistics of the two classes, read from a file
build     those statistics, from the pictures: `python -m core.usefulness.linear build` writes the file

A linear feature f(x) = a.(x - mean) / std has usefulness rho = E[y f(x)], and the adversary of an L2 ball takes exactly
eps |a| / std from it. The directions are the singular vectors of the training pictures of both classes, so on these
pictures every number follows from each vector's standard deviation and class difference alone; the same numbers on test
pictures are measured, and differ where the training ones are chance.

Source: Gabriel Goh, "Two Examples of Useful, Non-Robust Features" (Distill, 2019), with the authors' reply.
"""

from core.usefulness.linear.build import analyse
from core.usefulness.linear.known import PAIR, Known, Linear, load, save

__all__ = ["PAIR", "Known", "Linear", "analyse", "load", "save"]
