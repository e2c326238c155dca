"""Painting with a classifier: the Synthesis page.

paint       objectives, and the walk along a classifier's gradient
gaussians   the seeds: a Gaussian of each class
seeds       what painting begins with, in each world
studio      what the page's views compute
morph       hold a class and the picture moves toward it
gallery     the pictures that the app shows without CIFAR-10: python -m core.synthesis.gallery build
measure     what third networks see in the pictures: python -m core.synthesis.measure
"""

from core.synthesis.gaussians import ClassGaussian

__all__ = ["ClassGaussian"]
