"""Bugs: perturbations that fool one network, transfer to nobody and teach nothing.

objective     `bug`: fool this network, and keep an ensemble of others right
ensemble      who the others are, and who judges afterwards
views         what the page shows of one picture: the same picture perturbed twice
squares       black against white: a network that learns its labels' noise by heart is fooled by almost nothing
students      who learns what from perturbations of either kind
measure       `python -m core.bugs measure` writes the numbers, `results` reads them

Source: Nakkiran (2019), "Adversarial Examples are Just Bugs, Too", Distill, https://doi.org/10.23915/distill.00019.5
"""

from core.bugs.objective import bug

__all__ = ["bug"]
