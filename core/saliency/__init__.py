"""Attribution: which pixels decide a model's prediction, maps to look at, and numbers to judge the methods by.

attribution   attribute(model, x, target, method): the eleven methods; the only room that imports captum
maps          from an attribution to a picture: channels, units, colours, overlay
views         what the page shows, from its recipe
classes       the same for its view "classes"
measures      alignment, sparsity, deletion and insertion, the randomisation check
command       python -m core.saliency measure
"""

from core.saliency.attribution import attribute
from core.saliency.methods import METHODS, Method, against, log_odds, logit

__all__ = ["METHODS", "Method", "against", "attribute", "log_odds", "logit"]
