"""What is left of a model when some of its features are switched off.

A re-weighted head, its accuracy, clean and attacked.

    python -m core.usefulness.heads measure [NAME ...]       assets/results/usefulness-heads.json (minutes a network)

    atlas = load("resnet9-standard")
    on = order_by_gamma(atlas, 0.25) < 64                          # the 64 most robustly useful
    head = masked(model, atlas, on)                                 # or refit(atlas, on)
    clean_accuracy(atlas, head)                                     # at once, from the atlas's own features
    robust_accuracy(rewired(model, head), x, y, L2(0.25))           # core.train.evaluate's

Switching features off does not change what the others compute of a picture: this asks what a *head* can do with them.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core import compute, results
from core.attacks.balls import L2
from core.commands import command, parsed, results_options, whole
from core.data import pictures
from core.models import Classifier
from core.models.ready import beside
from core.models.ready import load as load_model
from core.problems import InputError
from core.rates import Rate
from core.train.evaluate import robust_accuracy
from core.types import Images, Labels
from core.usefulness.atlas import SHIPPED, Atlas, load
from core.usefulness.measure import MODELS, spread

log = logging.getLogger(__name__)
RESULTS = results.FOLDER / "usefulness-heads.json"
AGAIN = "python -m core.usefulness.heads measure"
RIDGE = 1e-3  # of the refit head, in units of the features' variance
SHARPNESS = 10.0  # one-hot targets give outputs near 0 and 1; logits are further apart
KEPT = (8, 32, 128, 256)
EPS = (0.1, 0.25)
RANKED_AT = 0.25  # at 32 pixels


def masked(model: Classifier, atlas: Atlas, on: Tensor) -> nn.Linear:
    """Return the model's own head with features held at their mean where `on` (D,) is false."""
    weight, bias = model.head.weight.detach(), model.head.bias.detach()
    off = (~on).to(weight)
    return _linear(weight * (1 - off), bias + weight @ (off * atlas.centre.to(weight)))


def refit(atlas: Atlas, on: Tensor) -> nn.Linear:
    """Return the least-squares head on the features that are `on` (D,), from the atlas's normal equations."""
    d = len(on)
    chosen = torch.cat([on.nonzero()[:, 0], torch.tensor([d])])  # the constant is always there
    gram = atlas.gram[chosen][:, chosen].double()
    ridge = RIDGE * torch.eye(len(chosen), dtype=torch.float64)
    ridge[-1, -1] = 0
    solved = torch.linalg.solve(gram + ridge, atlas.cross[chosen].double())
    per_deviation = torch.zeros(d + 1, atlas.cross.shape[1], dtype=torch.float64)
    per_deviation[chosen] = solved
    weight = (per_deviation[:d] / atlas.deviation.double()[:, None]).T
    bias = per_deviation[d] - weight @ atlas.centre.double()
    return _linear(SHARPNESS * weight.float(), SHARPNESS * bias.float())


def head_of(kind: str, model: Classifier, atlas: Atlas, on: Tensor) -> nn.Linear:
    """Make the head of that kind: "masked" or "refit".

    Raises:
        ValueError: If it is neither.
    """
    if kind not in ("masked", "refit"):
        raise InputError(f"the head must be masked or refit, got {kind!r}")
    made = masked(model, atlas, on) if kind == "masked" else refit(atlas, on)
    return made.to(model.head.weight.device)


def rewired(model: Classifier, head: nn.Linear) -> Classifier:
    """Put another head on the model's representation; body and normalisation are shared."""
    other = Classifier(model.body, head)
    other.normalize = model.normalize
    return other.eval()


def clean_accuracy(atlas: Atlas, head: nn.Linear) -> Rate:
    """Measure a head on the test pictures whose features the atlas holds: no picture and no network needed."""
    with torch.no_grad():
        said = head(atlas.z.to(head.weight.device)).argmax(1).cpu()
    return Rate(int((said == atlas.y).sum()), len(atlas.y))


def order_by_gamma(atlas: Atlas, eps: float) -> Tensor:
    """Rank the features by gamma for their best class, most robustly useful first, then those not searched: rank (D).

    Raises:
        ValueError: If the atlas has not that radius.
    """
    if eps not in atlas.radii:
        raise InputError(f"the atlas has the radii {', '.join(f'{r:g}' for r in atlas.radii)}, not {eps:g}")
    found, _ = atlas.measured.at_best()
    rank = torch.empty(len(atlas.centre), dtype=torch.long)
    gamma = found.gamma[atlas.radii.index(eps)].nan_to_num(nan=-torch.inf)
    rank[gamma.argsort(descending=True)] = torch.arange(len(rank))
    return rank


@dataclass(frozen=True)
class Cut:
    """Features that stay on: the most or the least robustly useful ones.

    Args:
        keep: "most" or "least".
        on: Which (D).
    """

    keep: str
    on: Tensor

    @property
    def kept(self) -> int:
        """How many."""
        return int(self.on.sum())


def cuts(atlas: Atlas, eps: float, sizes: Sequence[int]) -> tuple[Cut, ...]:
    """List the cuts of these sizes among the features that were searched, ranked at eps; all D is the whole network.

    Raises:
        ValueError: If the atlas has not that radius.
    """
    rank = order_by_gamma(atlas, eps)
    known = int(atlas.measured.at_best()[0].searched.sum())
    least = [kept for kept in sizes if kept < known]  # keeping all is the same from both ends
    return (
        *(Cut("most", (rank < kept) | (kept >= len(rank))) for kept in sizes),
        *(Cut("least", (rank >= known - kept) & (rank < known)) for kept in least),
    )


def sizes_of(atlas: Atlas) -> tuple[int, ...]:
    """Choose how many features to keep: an eighth, a quarter and a half of those searched, all of them, the whole."""
    known = int(atlas.measured.at_best()[0].searched.sum())
    return tuple(sorted({max(1, known // 8), max(1, known // 4), max(1, known // 2), known, len(atlas.centre)}))


def line_of(kind: str, cut: Cut, model: Classifier, atlas: Atlas) -> tuple[dict[str, Any], Classifier]:
    """Return what is known at once of a head that keeps these features, and the network with it."""
    head = head_of(kind, model, atlas, cut.on)
    known = {"head": kind, "keep": cut.keep, "kept": cut.kept, "clean": clean_accuracy(atlas, head).as_json()}
    return known, rewired(model, head)


def attacked_pictures(atlas: Atlas, n: int, seed: int = 0) -> tuple[Images, Labels]:
    """Get n of the test pictures that the atlas knows, each class about equally often, to attack a head on.

    Raises:
        core.data.pictures.PictureError: If they are not on this computer.
    """
    rows = spread(atlas.y, n, seed)
    return torch.cat([pictures.get(f"{atlas.source}/{atlas.pictures[i]}").x for i in rows]), atlas.y[rows]


def measure(name: str, n: int, steps: int, seed: int, precision: str) -> list[dict[str, Any]]:
    """Measure heads that keep the most, or the least, robustly useful features of a model.

    Args:
        name: The model; its atlas must be there.
        n: Test pictures that are attacked, each class equally often.
        steps: PGD steps, see `core.train.evaluate.robust_accuracy`.
        seed: Of the choice of pictures.
        precision: Of the attack's gradients.
    """
    atlas, model = load(name), load_model(name)
    assert isinstance(model, Classifier)
    x, y = (beside(values, model) for values in attacked_pictures(atlas, n, seed))
    found = []
    sizes = [kept for kept in KEPT if kept <= len(atlas.centre)]
    for kind in ("masked", "refit"):
        for cut in cuts(atlas, RANKED_AT, sizes):
            line, attacked = line_of(kind, cut, model, atlas)
            for eps in EPS:
                got = robust_accuracy(attacked, x, y, L2(eps), steps=steps, batch_size=n, precision=precision)
                line[f"L2 {eps:g}"] = got.rate.as_json() | {"doubts": list(got.warnings)}
            log.info("%s %s", name, line)
            found.append(line)
    return found


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.usefulness.heads", description="Switch features off.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--n", type=whole(1, 1000), default=100)
    parser.add_argument("--steps", type=whole(1), default=10)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    results_options(parser, RESULTS)
    given = parsed(parser, arguments)
    compute.setup_cpu()
    fast = compute.has_fast_bf16(compute.device())
    precision = given.precision if given.precision != "auto" else "bf16" if fast else "fp32"
    known = {} if given.anew else results.read(given.out, AGAIN) or {}
    results.refuse_smaller(given.out, known.get("n"), given.n)
    if set(known.get("models", {})) - set(given.models):
        results.refuse_other(given.out, known, n=given.n, seed=given.seed)
    for name in dict.fromkeys(given.models):
        found = measure(name, given.n, given.steps, given.seed, precision)
        about = results.about(
            [name],
            n=given.n,
            seed=given.seed,
            ranked_at=RANKED_AT,
            how=(
                f"clean: the first {SHIPPED} test pictures; attacked: {given.n} of them, PGD-{given.steps} on log-odds "
                f"and margin against the re-weighted model; gradients {precision}; torch {torch.__version__}"
            ),
        )
        known = joined(known, name, found, about)
        results.write(given.out, known, indent=1)


def joined(known: Mapping[str, Any], name: str, found: Any, about: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was measured of one network beside what is known of others, each with its own date and how.

    Args:
        known: The file's content.
        name: The network.
        found: What was measured of it.
        about: When and how, and on which weights (`results.about`).
    """
    others, own = known.get("models", {}), ("date", "how")
    measured = known.get("measured") or {one: {key: known[key] for key in own} for one in others}
    return {
        **about,
        results.STAMPS: {**known.get(results.STAMPS, {}), **about[results.STAMPS]},
        "models": {**others, name: found},
        "measured": {**measured, name: {key: about[key] for key in own}},
    }


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    head = nn.Linear(weight.shape[1], weight.shape[0])
    head.weight = nn.Parameter(weight.clone(), requires_grad=False)
    head.bias = nn.Parameter(bias.clone(), requires_grad=False)
    return head


if __name__ == "__main__":
    main()
