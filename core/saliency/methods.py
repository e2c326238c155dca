"""The methods that there are, and the scores that they explain."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from core.types import Logits

BASELINES = {"black": 0.0, "grey": 0.5, "white": 1.0}
Score = Callable[[Logits], Logits]  # what is explained: for each class a number made of the logits (N, K) -> (N, K)


def logit(logits: Logits) -> Logits:
    """Explain the logits themselves."""
    return logits


def log_odds(logits: Logits) -> Logits:
    """Explain log p_k / (1 - p_k) of each class k.

    Minus the loss's gradient up to a positive factor, without its death.
    """
    own = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
    return logits - logits[:, None, :].masked_fill(own, -torch.inf).logsumexp(2)


def against(k: int) -> Score:
    """Explain how far each class's logit is above that of class k."""
    return lambda logits: logits - logits[:, k : k + 1]


@dataclass(frozen=True)
class Method:
    """What can be asked of `attribute`.

    Args:
        title: As people write it.
        settings: Which of its settings matter to this method.
        adds_up: Whether a value is the pixel's share of the score, so that its sign says for or against; otherwise it
            says how strongly the score reacts to the pixel, and its size counts.
        hooked: Whether captum hooks the model, so that every module must be of a kind with a known rule.
        complete: Whether the values add up to the score of the picture minus that of the baseline.
        score: What it explains unless asked otherwise.
    """

    title: str
    settings: tuple[str, ...] = ()
    adds_up: bool = True
    hooked: bool = False
    complete: bool = False
    score: Score = logit


# Cheap ones first: the page shows them as they arrive.
METHODS: dict[str, Method] = {
    "gradient": Method("Log-odds gradient", adds_up=False, score=log_odds),
    "input_x_gradient": Method("Input × gradient"),
    "grad_cam": Method("Grad-CAM"),
    "guided_backprop": Method("Guided Backprop", adds_up=False, hooked=True),
    "guided_grad_cam": Method("Guided Grad-CAM", hooked=True),
    "deep_lift": Method("DeepLift", ("baseline",), hooked=True, complete=True),
    "smooth_grad": Method("SmoothGrad", ("samples", "noise"), adds_up=False),
    "var_grad": Method("VarGrad", ("samples", "noise"), adds_up=False),
    "integrated_gradients": Method("Integrated Gradients", ("samples", "baseline"), complete=True),
    "gradient_shap": Method("Gradient SHAP", ("samples", "noise", "baseline")),
    "occlusion": Method("Occlusion", ("window", "baseline")),
}
