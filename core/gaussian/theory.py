"""Section 4 of the paper in closed form: two Gaussian classes, maximum likelihood, and the same with an adversary.

A label y is +1 or -1 with equal odds, and x ~ N(y mu, Sigma). A model is a Gaussian of its own; its loss at (x, y) is
the negative log-likelihood, and it decides by sign(x^T Sigma^-1 mu). The adversary moves x by at most eps in L2 so that
the loss grows. An L2 ball does not change when it is turned, so everything here stands in the principal axes of
Sigma: covariances are vectors of variances (D,), and a mean or a point is given by its coordinates along those axes.

    truth = torch.tensor([25.0, 0.5], dtype=torch.float64)
    model = robust_fit(truth, eps=1.0)                     # theorem 2
    angle(mu, truth), angle(mu, model)                     # theorem 3: the second is smaller
    delta = worst_move(x - mu, model, eps=1.0)             # lemma 1

Source: Ilyas et al. (2019), section 4 and appendix E. Two slips of the text are not copied: where eq. (27) and the
bounds on lambda say "= eps" the definition of the linear adversary gives eps squared, and the penalty of theorem 1 must
be the squared norm for its formula to follow.
"""

import math

import torch
from torch import Tensor

from core.problems import InputError

HALVINGS = 64  # of an interval of logarithms: to the last bit
NEWTON = 24


def robust_variances(truth: Tensor, penalty: Tensor | float) -> Tensor:
    """Compute Sigma_r = Sigma/2 + I/lambda + sqrt(Sigma/lambda + Sigma^2/4), theorem 2.

    Args:
        truth: Variances (..., D) of the data, > 0.
        penalty: lambda > 0, a number or (..., 1).
    """
    return truth / 2 + 1 / penalty + (truth / penalty + truth.square() / 4).sqrt()


def robust_penalty(truth: Tensor, eps: float) -> float:
    """Find the lambda of theorem 2 by bisection: the linear adversary of the robust fit spends eps^2 on average.

    In the fixed point (lambda Sigma_r - I)^2 = lambda^2 Sigma Sigma_r, so that its budget E|M v|^2 is
    tr(Sigma_r^-1) / lambda^2, which falls from infinity to 0 as lambda grows.

    Args:
        truth: Variances (D,) of the data.
        eps: Budget; 0 gives infinity.
    """
    check(truth, eps)
    if eps == 0:
        return math.inf
    low, high = -690.0, 690.0  # logarithms
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        penalty = math.exp(middle)
        spent = float((1 / (penalty * robust_variances(truth, penalty))).sum()) / penalty
        low, high = (middle, high) if spent > eps**2 else (low, middle)
    return math.exp((low + high) / 2)


def robust_fit(truth: Tensor, eps: float) -> Tensor:
    """Return the variances (D,) of the robustly learned Gaussian; those of the data for eps = 0. Theorem 2."""
    return robust_variances(truth, robust_penalty(truth, eps))


def worst_move(v: Tensor, model: Tensor, eps: float) -> Tensor:
    """Maximise the loss over the ball: delta = (lambda Sigma - I)^-1 v with |delta| = eps, lemma 1.

    Args:
        v: Points relative to the mean, y x - mu (N, D).
        model: Variances (D,) of the attacked Gaussian.
        eps: Radius of the ball.

    Returns:
        The moves (N, D), each of length eps. Where v has no part along the smallest axis either sign is best; the
        positive one is taken.
    """
    check(model, eps)
    if eps == 0:
        return torch.zeros_like(v)
    kappa = model / model.min()
    stiff = kappa <= 1 + 1e-12  # the axes of least variance
    t = excess_penalty(v, model, eps)[:, None]
    rest = torch.where(stiff, 0.0, v / ((1 + t) * kappa - 1))
    # What is left of the budget goes along the least axis. It is v / t there, but v and t may both be 0.
    left = (eps**2 - rest.square().sum(1, keepdim=True)).clamp_min(0).sqrt()
    along = torch.where(stiff, v, 0.0)
    length = along.norm(dim=1, keepdim=True)
    first = torch.zeros_like(model).index_fill(0, stiff.nonzero()[0], 1.0)
    return rest + left * torch.where(length > 0, along / length.clamp_min(1e-300), first)


def excess_penalty(v: Tensor, model: Tensor, eps: float) -> Tensor:
    """Find t >= 0 with |v / ((1 + t) Sigma / sigma_min - 1)| = eps; the penalty is lambda = (1 + t) / sigma_min.

    Newton's method on 1/|delta|, which is nearly straight, kept inside its bracket. The budget of the linear adversary
    of lemma 2 solves the same equation with the standard deviations of the data in place of v.

    Args:
        v: Points relative to the mean (N, D).
        model: Variances (D,) of the attacked Gaussian.
        eps: Radius > 0.

    Returns:
        (N,); 0 where even then |delta| < eps.
    """
    kappa = model / model.min()
    stiff = kappa <= 1 + 1e-12
    t = torch.where(stiff, v, 0.0).norm(dim=1) / eps
    low, high = t, v.norm(dim=1) / eps
    for _ in range(NEWTON):
        scale = (1 + t)[:, None] * kappa - 1
        delta = torch.where(v == 0, 0.0, v / scale)
        length = delta.norm(dim=1)
        if bool((length - eps).abs().max() <= 1e-12 * eps):
            break
        slope = torch.where(v == 0, 0.0, delta.square() * kappa / scale).sum(1)
        low, high = torch.where(length > eps, t, low), torch.where(length > eps, high, t)
        ahead = t + length.square() / slope * (length / eps - 1)
        t = torch.where((ahead >= low) & (ahead <= high), ahead, (low + high) / 2)
    return t


def linear_adversary(model: Tensor, truth: Tensor, eps: float) -> Tensor:
    """Return the diagonal m (D,) of lemma 2's adversary: x moves by m v, and E|m v|^2 = eps^2.

    Args:
        model: Variances (D,) of the attacked Gaussian.
        truth: Variances (D,) of the data.
        eps: Root mean square of the moves.
    """
    check(model, eps)
    if eps == 0:
        return torch.zeros_like(model)
    return worst_move(truth.sqrt()[None], model, eps)[0] / truth.sqrt()


def loss(model: Tensor, truth: Tensor, eps: float = 0.0) -> float:
    """Compute the expected negative log-likelihood (nats) of a Gaussian with the right mean, under lemma 2's adversary.

    Args:
        model: Variances (D,) of the model.
        truth: Variances (D,) of the data.
        eps: Budget of the adversary, in root mean square; 0 for none.
    """
    m = linear_adversary(model, truth, eps)
    return 0.5 * float((truth * (1 + m).square() / model + (2 * math.pi * model).log()).sum())


def condition_number(variances: Tensor) -> float:
    """Return the largest variance over the smallest."""
    return float(variances.max() / variances.min())


def angle(mu: Tensor, model: Tensor) -> float:
    """Measure the angle (degrees) between the input gradient Sigma^-1 mu and the direction mu between the classes.

    Raises:
        ValueError: If mu is 0: the classes are then one.
    """
    gradient = mu / model
    if not float(mu.norm()):
        raise InputError("the two classes have the same mean; move one of them")
    cosine = float(mu @ gradient / (mu.norm() * gradient.norm()))
    return math.degrees(math.acos(min(1.0, cosine)))


def worst_cosine(kappa: float) -> float:
    """Return the smallest cosine that any mu can make with Sigma^-1 mu, 2 sqrt(kappa) / (1 + kappa).

    Theorem 3's tool.
    """
    return 2 * math.sqrt(kappa) / (1 + kappa)


def accuracy(mu: Tensor, model: Tensor, truth: Tensor, eps: float = 0.0, *, ellipse: bool = False) -> float:
    """Compute the accuracy of sign(x^T Sigma^-1 mu) when every point may move by eps toward the other side.

    This adversary is after the decision, not the likelihood: it moves all points straight across the line.

    Args:
        mu: Mean (D,) of class +1, along the principal axes.
        model: Variances (D,) of the model, which give the line.
        truth: Variances (D,) of the data.
        eps: Radius of the ball.
        ellipse: Classes uniform on an ellipse (D = 2) in place of Gaussian ones.
    """
    w = mu / model
    margin = float(w @ mu) - eps * float(w.norm())
    z = margin / math.sqrt(float((w * w * truth).sum()))
    if not ellipse:
        return 0.5 * math.erfc(-z / math.sqrt(2))
    u = max(-1.0, min(1.0, z / 2))  # an ellipse of variance s^2 reaches 2 s, and its shadow is a semicircle
    return 0.5 + (u * math.sqrt(1 - u * u) + math.asin(u)) / math.pi


def slope(mu: Tensor, model: Tensor, degrees: float = 0.0) -> float:
    """Return the slope x2/x1 of the decision line in the plane, the principal axes being turned by an angle."""
    w = turn((mu / model)[None], degrees)[0]
    return -float(w[0] / w[1]) if float(w[1]) else math.inf


def turn(points: Tensor, degrees: float) -> Tensor:
    """Turn points (N, 2) anticlockwise; from principal axes to the plane by the angle of the first axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.stack([c * points[:, 0] - s * points[:, 1], s * points[:, 0] + c * points[:, 1]], 1)


def check(variances: Tensor, eps: float) -> None:
    """Refuse what is not a covariance or not a budget.

    Raises:
        ValueError: With what was expected and what came.
    """
    if variances.dim() != 1 or not len(variances) or not bool((variances > 0).all() & variances.isfinite().all()):
        raise InputError(f"expected a vector of finite variances > 0, got {variances.tolist()}")
    if not (math.isfinite(eps) and eps >= 0):
        raise InputError(f"eps must be a finite number >= 0, got {eps}")
