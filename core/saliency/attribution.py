"""Attribution methods behind one function: `attribute(model, x, target, "integrated_gradients")`.

The rest of the program does not see captum. Three things make its methods safe and right here:

Sharing. Guided Backprop, DeepLift and the Grad-CAMs put hooks on a model while they run. On a model that another thread
uses, the maps of both are then silently wrong. Each call therefore works on a twin of its own: new modules around the
same weights, which costs a millisecond.

SiLU. Captum knows Guided Backprop for `nn.ReLU` alone and DeepLift for a list without SiLU, GELU and ReLU6; on other
activations both silently return the plain gradient. Their rules carry over word for word to any activation a that acts
on each number alone (Guided Backprop: keep what is positive of a'(z) g on its way back; DeepLift: replace a'(z) by
(a(z) - a(z0)) / (z - z0)), so in the twin each such activation is dressed as the ReLU that captum looks for. For
modules of other kinds both methods are refused.

Randomness. Captum draws from torch's and NumPy's global generators, which all threads share. The noise of SmoothGrad,
VarGrad and Gradient SHAP is drawn here, from the caller's generator.
"""

import functools
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks import Stop, check_gradients, check_pixels
from core.models import Classifier
from core.problems import InputError
from core.saliency.methods import BASELINES, METHODS, Score
from core.saliency.twins import dressed, twin
from core.types import Images, Labels, Logits

ROWS = 64  # pictures in one forward pass at most: bounds the memory, whatever samples and steps are
LARGE = 4 * 224**2  # pixels in one forward pass at most, where pictures are large
LAST_SPATIAL = -2  # the block of a `Classifier` before the pooling one

Watch = Callable[[int], bool | None]


def attribute(
    model: nn.Module,
    x: Images,
    target: Labels,
    method: str,
    *,
    score: Score | None = None,
    samples: int = 32,
    noise: float = 0.15,
    baseline: str | Tensor = "grey",
    window: int = 6,
    generator: torch.Generator | None = None,
    on_step: Watch | None = None,
) -> Tensor:
    """Attribute a score of each picture to its pixels.

    Args:
        model: Maps pixels to logits (N, K); in eval mode. Shared models are safe: it is neither changed nor hooked. The
            Grad-CAMs need a `Classifier`.
        x: Pictures (N, C, H, W) in [0, 1]. Not modified.
        target: The class whose score is explained, per picture (N,).
        method: A key of `METHODS`.
        score: What is explained: `logit`, `log_odds` or `against(k)`; by default log-odds for the gradient, else
            logits. DeepLift is complete only for a score that is linear in the logits.
        samples: Noisy copies (SmoothGrad, VarGrad), points between baseline and picture (Integrated Gradients), or
            draws of both (Gradient SHAP).
        noise: Standard deviation of the noise, pixel units.
        baseline: What stands for "nothing there": "black", "grey", "white", or a picture (1, C, H, W); for Gradient
            SHAP also several pictures (B, C, H, W), of which each draw takes one.
        window: Side of the square that Occlusion covers, in pixels; it moves by half of that.
        generator: Source of the noise; without it torch's global one is used.
        on_step: Called as `on_step(i)` before the i-th evaluation of the model; returning True ends the work with
            `Stop`.

    Returns:
        One value per pixel and channel (N, C, H, W); per pixel (N, 1, H, W) for Grad-CAM. Positive values speak for the
        target, except for VarGrad, whose values are variances.

    Raises:
        ValueError: For an unknown method or setting, a model in training mode, or one that the method has no rule for.
        core.attacks.Stop: If `on_step` asked for it.
    """
    check_pixels(x)
    if method not in METHODS:
        raise InputError(f"no method {method!r}; have {', '.join(METHODS)}")
    if samples < 1 or noise < 0 or not 1 <= window <= min(x.shape[2:]):
        raise InputError(
            f"samples must be >= 1, noise >= 0 and window 1 to {min(x.shape[2:])}, got {samples}, {noise}, {window}"
        )
    if any(module.training for module in model.modules()):
        raise InputError("a model must be in eval mode to be explained: batch norm would mix the pictures of a batch")
    if target.shape != x.shape[:1]:
        raise InputError(f"target must be one class per picture ({len(x)},), got {tuple(target.shape)}")
    if not len(x):
        return torch.zeros_like(x[:, :1] if method == "grad_cam" else x)
    own = dressed(model) if METHODS[method].hooked else twin(model)
    score = METHODS[method].score if score is None else score
    job = _Job(_Scored(own, score, on_step), samples, noise, _baselines(baseline, x), window, generator)
    rows = rows_of(x)
    parts = zip(x.detach().split(rows), target.split(rows), strict=True)
    return torch.cat([_ATTRIBUTIONS[method](job, part, y).detach() for part, y in parts])


def rows_of(x: Images) -> int:
    """Return how many pictures of that size go through a model at once."""
    return min(ROWS, max(1, LARGE // (x.shape[2] * x.shape[3])))


class _Scored(nn.Module):
    """The model with the score behind it; counts its evaluations, and ends them when it is told to."""

    def __init__(self, model: nn.Module, score: Score, on_step: Watch | None) -> None:
        super().__init__()
        self.model, self.score, self.on_step, self.step = model, score, on_step, 0
        self.eval()

    def forward(self, x: Images) -> Logits:
        if self.on_step is not None and self.on_step(self.step):
            raise Stop
        self.step += 1
        return self.score(self.model(x))


@dataclass(frozen=True)
class _Job:
    scored: _Scored
    samples: int
    noise: float
    baselines: Tensor  # (B, C, H, W)
    window: int
    generator: torch.Generator | None

    def gradient(self, x: Images, target: Labels) -> Tensor:
        """Compute the gradient of the target's score at each picture (N, C, H, W), in bounded batches."""
        saliency = captum().Saliency(self.scored)
        rows = rows_of(x)
        parts = zip(x.split(rows), target.split(rows), strict=True)
        return torch.cat([saliency.attribute(_leaf(part), target=y, abs=False).detach() for part, y in parts])

    def noisy(self, x: Images) -> Tensor:
        """Draw the noisy copies of each picture, one picture's after the other's (N samples, C, H, W)."""
        copies = x.repeat_interleave(self.samples, 0)
        return copies + self.noise * torch.randn(copies.shape, generator=self.generator, dtype=x.dtype).to(x.device)

    def per_picture(self, values: Tensor) -> Tensor:
        """Undo `repeat_interleave`: (N samples, C, H, W) to (N, samples, C, H, W)."""
        return values.unflatten(0, (-1, self.samples))

    @property
    def layer(self) -> nn.Module:
        model = self.scored.model
        if not isinstance(model, Classifier) or len(model.blocks) < 2:
            raise InputError("Grad-CAM needs a Classifier with a block before its pooling")
        return model.body[LAST_SPATIAL]


def _gradient(job: _Job, x: Images, y: Labels) -> Tensor:
    return job.gradient(x, y)


def _input_x_gradient(job: _Job, x: Images, y: Labels) -> Tensor:
    return captum().InputXGradient(job.scored).attribute(_leaf(x), target=y)


def _smooth_grad(job: _Job, x: Images, y: Labels) -> Tensor:
    return job.per_picture(job.gradient(job.noisy(x), y.repeat_interleave(job.samples))).mean(1)


def _var_grad(job: _Job, x: Images, y: Labels) -> Tensor:
    gradients = job.gradient(job.noisy(x), y.repeat_interleave(job.samples))
    return job.per_picture(gradients).var(1, correction=0)


def _integrated_gradients(job: _Job, x: Images, y: Labels) -> Tensor:
    method = captum().IntegratedGradients(job.scored)
    baseline, rows = job.baselines[:1].expand_as(x), max(rows_of(x), len(x))
    return method.attribute(_leaf(x), baseline, target=y, n_steps=job.samples, internal_batch_size=rows)


def _gradient_shap(job: _Job, x: Images, y: Labels) -> Tensor:
    noisy = job.noisy(x)
    alpha = torch.rand(len(noisy), 1, 1, 1, generator=job.generator, dtype=x.dtype).to(x.device)
    which = torch.randint(len(job.baselines), (len(noisy),), generator=job.generator).to(x.device)
    base = job.baselines[which]
    gradients = job.gradient(base + alpha * (noisy - base), y.repeat_interleave(job.samples))
    return job.per_picture((noisy - base) * gradients).mean(1)


def _deep_lift(job: _Job, x: Images, y: Labels) -> Tensor:
    _refuse_reuse(job.scored.model, x[:1])
    return captum().DeepLift(job.scored).attribute(_leaf(x), job.baselines[:1].expand_as(x), target=y)


def _refuse_reuse(model: nn.Module, x: Images) -> None:
    """Refuse a model that calls one activation twice: DeepLift keeps what went through each, and would mix the two."""
    calls: Counter[str] = Counter()
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: calls.update([name]))
        for name, module in model.named_modules()
        if isinstance(module, (nn.ReLU, nn.MaxPool2d))  # all that it has rules for in a dressed twin
    ]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    if twice := [name for name, n in calls.items() if n > 1]:
        raise InputError(f"DeepLift cannot explain a model that uses one module twice: {', '.join(twice)}")


def _guided_backprop(job: _Job, x: Images, y: Labels) -> Tensor:
    return captum().GuidedBackprop(job.scored).attribute(_leaf(x), target=y)


def _grad_cam(job: _Job, x: Images, y: Labels) -> Tensor:
    coarse = captum().LayerGradCam(job.scored, job.layer).attribute(_leaf(x), target=y)
    return F.interpolate(coarse, x.shape[2:], mode="bilinear", align_corners=False)


def _guided_grad_cam(job: _Job, x: Images, y: Labels) -> Tensor:
    method = captum().GuidedGradCam(job.scored, job.layer)
    return method.attribute(_leaf(x), target=y, interpolate_mode="bilinear")


def _occlusion(job: _Job, x: Images, y: Labels) -> Tensor:
    method, side, stride = captum().Occlusion(job.scored), job.window, max(1, job.window // 2)
    with torch.no_grad():
        return method.attribute(
            x,
            (x.shape[1], side, side),
            (x.shape[1], stride, stride),
            baselines=job.baselines[:1].expand_as(x),
            target=y,
            perturbations_per_eval=max(1, rows_of(x) // len(x)),
        )


_ATTRIBUTIONS: dict[str, Callable[[_Job, Images, Labels], Tensor]] = {
    "gradient": _gradient,
    "input_x_gradient": _input_x_gradient,
    "grad_cam": _grad_cam,
    "guided_backprop": _guided_backprop,
    "guided_grad_cam": _guided_grad_cam,
    "deep_lift": _deep_lift,
    "smooth_grad": _smooth_grad,
    "var_grad": _var_grad,
    "integrated_gradients": _integrated_gradients,
    "gradient_shap": _gradient_shap,
    "occlusion": _occlusion,
}


@functools.cache
def captum() -> ModuleType:
    """Import captum's attribution methods when they are first wanted: that takes a second or two."""
    import captum.attr

    # It announces its hooks at each call; here they sit on a twin that nobody else sees.
    warnings.filterwarnings("ignore", message=r"\s*Setting (backward|forward, backward) hooks")
    return captum.attr


def _leaf(x: Images) -> Images:
    """Make a leaf of the pictures' values: captum writes `requires_grad` and `grad` on the tensor that it is given."""
    check_gradients()
    return x.detach().requires_grad_()


def _baselines(baseline: str | Tensor, x: Images) -> Tensor:
    if isinstance(baseline, Tensor):
        if baseline.shape[1:] != x.shape[1:] or not len(baseline):
            raise InputError(f"a baseline must be pictures of shape {tuple(x.shape[1:])}, got {tuple(baseline.shape)}")
        return baseline.to(x)
    if baseline not in BASELINES:
        raise InputError(f"baseline must be one of {', '.join(BASELINES)}, got {baseline!r}")
    return torch.full_like(x[:1], BASELINES[baseline])
