"""Section 4 of the paper: two Gaussian classes and an adversary.

`theory` in closed form, `fit` from points, `views` and `drawing` for the page.
"""
