"""Measure transfer on many pictures; the command behind assets/results/transfer.json.

    python -m core.transfer measure                    all models in checkpoints/ but students, 2,000 test pictures
    python -m core.transfer measure NAME ...           those, beside what is in the file already

Adversarial examples are kept, so that a model that appears later is added without attacking the others again; what is
in the file is not computed a second time, unless its model has been trained anew.
"""

import argparse
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core import compute, data, results
from core.commands import command, output, parsed, whole
from core.files.atomic import replacing
from core.models import checkpoints
from core.models.ready import beside
from core.problems import InputError
from core.rates import Rate
from core.transfer.matrix import Attack, craft, judge, other_classes, predictions
from core.transfer.results import RESULTS, SETTINGS, Measured, Model, Setting, pair
from core.transfer.similarity import cka_with_interval
from core.transfer.views import load
from core.types import Features, Images, Labels

log = logging.getLogger(__name__)
KEPT = checkpoints.FOLDER.parent / "runs" / "transfer"
N, STEPS = 2000, 6


def measure(
    names: tuple[str, ...],
    pictures: data.Pictures,
    *,
    n: int = N,
    steps: int = STEPS,
    seed: int = 0,
    precision: str = "auto",
    settings: tuple[Setting, ...] = SETTINGS,
    out: Path = RESULTS,
    kept: Path = KEPT,
) -> Measured:
    """Measure all pairs of the named models, and of those in the file whose weights are still the same.

    Args:
        names: Checkpoints.
        pictures: The test set; n of it are drawn.
        n: Pictures of the main settings.
        steps: PGD steps.
        seed: Of the pictures, the wanted classes and the noise.
        precision: Of the gradients.
        settings: What to measure.
        out: The results file; written after each source.
        kept: Folder of the adversarial examples.

    Raises:
        ValueError: If the file holds a measurement with another n, seed or number of steps.
    """
    rows = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(seed))[:n].tolist()
    here: dict[str, nn.Module] = {name: load(name) for name in names}
    x, y = pictures.x(rows).contiguous(memory_format=torch.channels_last), pictures.y(rows)
    for model in here.values():  # all of them are on one device
        x, y = beside(x, model), beside(y, model)
    wanted = other_classes(y, len(pictures.classes), seed)
    clean = {name: predictions(model, x) for name, model in here.items()}
    fast = compute.has_fast_bf16(x.device)
    precision = ("bf16" if fast else "fp32") if precision == "auto" else precision
    found = _start(clean, y, {"n": len(x), "seed": seed, "steps": steps}, out)
    how = _how(precision, pictures.source, x.device)
    if "date" not in found.about:
        found.about.update(how)
    for setting in settings:
        part = slice(round(setting.part * len(x)))
        cells = found.cells.setdefault(setting.name, {})
        for source, model in here.items():
            missing = {name: other for name, other in here.items() if (source, name) not in cells}
            if not missing:
                continue
            _dated(found, how)
            attack = Attack(steps, wanted[part] if setting.goal == "targeted" else None, precision)
            # What decides the examples stands in their name: those of another precision are not these.
            decides = (source, found.models[source].stamp, setting.name, len(x), seed, steps, precision)
            where = "-".join(map(str, decides))
            path = kept / f"{where.replace('/', '_').replace(' ', '-')}.npy"
            x_adv = _examples(path, model, x[part], y[part], setting, attack)
            row = judge(
                {source: model},
                missing,
                x[part],
                y[part],
                x_adv[None],
                setting.ball,
                attack.wanted,
                seed=seed,
                clean={name: said[part] for name, said in clean.items()},
            )
            cells.update(row.cells)
            found.write(out)
            log.info("%s: %s on %s", setting.name, source, ", ".join(missing))
    _compare(found, here, x)
    found.write(out)
    return found


def _start(clean: dict[str, Labels], y: Labels, about: dict[str, Any], out: Path) -> Measured:
    """Read what is known and forget what concerns weights that are no longer the same."""
    known = Measured.read(out) or Measured(about=about)
    for key, value in about.items():
        if known.about[key] != value:
            raise InputError(
                f"{out.name} was measured with {key} = {known.about[key]}, not {value}; delete it or choose another"
                " --out"
            )
    stamps = {name: checkpoints.stamp(name) for name in clean}
    anew = {name for name, model in known.models.items() if name in stamps and stamps[name] != model.stamp}
    models = {name: model for name, model in known.models.items() if name not in anew}
    for name, said in clean.items():
        if name not in models:
            models[name] = Model(
                checkpoints.header(name).title or name, stamps[name], Rate(int((said == y).sum()), len(y))
            )
    return replace(
        known,
        models=models,
        cells={
            setting: {pair: cell for pair, cell in cells.items() if not anew & set(pair)}
            for setting, cells in known.cells.items()
        },
        similarity={pair: value for pair, value in known.similarity.items() if not anew & set(pair)},
    )


def _dated(found: Measured, how: Mapping[str, str]) -> None:
    """Say when and how the cells are measured that come now; those of another day, or made otherwise, keep their own.

    The file's "date" and "how" are those of its latest cells; the others are listed by name with theirs.
    """
    known = {setting: set(cells) for setting, cells in found.cells.items()}
    others = []
    for one in found.about.get("others", []):  # what was dropped since, because weights changed, is not listed any more
        cells = {s: [name for name in names if pair(name) in known.get(s, ())] for s, names in one["cells"].items()}
        for setting, names in cells.items():
            known[setting] -= {pair(name) for name in names}
        others.append({**one, "cells": {setting: names for setting, names in cells.items() if names}})
    before = {key: found.about[key] for key in how}
    if before != how:
        cells = {setting: sorted(map(" > ".join, pairs)) for setting, pairs in known.items() if pairs}
        others.append({**before, "cells": cells})
    found.about.update(how)
    found.about.pop("others", None)
    if others := [one for one in others if one["cells"]]:
        found.about["others"] = others


def _how(precision: str, source: str, device: torch.device) -> dict[str, str]:
    gradients = "bfloat16" if precision == "bf16" else "float32"
    return {
        "date": results.today(),
        "how": (
            f"{source}; PGD from the picture, step 2.5 eps / steps, gradients in {gradients}, verdicts in float32; "
            f"{device.type}; torch {torch.__version__}"
        ),
    }


def _examples(path: Path, model: nn.Module, x: Images, y: Labels, setting: Setting, attack: Attack) -> Images:
    """Return the adversarial examples, of the file if they are there; either way with perturbations rounded to fp16."""
    if not path.is_file():
        x_adv = craft(model, x, y, setting.ball, attack)
        assert x_adv is not None
        with replacing(path) as part, part.open("wb") as file:
            np.save(file, (x_adv - x).half().cpu().contiguous().numpy())
    delta = torch.from_numpy(np.load(path, allow_pickle=False)).to(x)
    return (x + delta).clamp(0, 1).contiguous(memory_format=torch.channels_last)


def _compare(found: Measured, here: dict[str, nn.Module], x: Images) -> None:
    """Fill in the similarity of all pairs of representations."""
    features: dict[str, Features] = {}
    for a in here:
        for b in here:
            if a < b and (a, b) not in found.similarity:
                for name in (a, b):
                    if name not in features:
                        features[name] = _features(here[name], x)
                found.similarity[a, b] = cka_with_interval(features[a], features[b])


def _features(model: nn.Module, x: Images) -> Features:
    with torch.no_grad():
        return torch.cat([model.features(part) for part in x.split(500)])  # type: ignore[operator]


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.transfer", description="Measure who is fooled by whom.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="models; all in checkpoints/ but students by default")
    parser.add_argument("--n", type=whole(1, 10_000), default=N, help="test pictures")
    parser.add_argument("--steps", type=whole(1), default=STEPS)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto", help="of the gradients")
    parser.add_argument("--out", type=output, default=str(RESULTS))
    parser.add_argument("--kept", type=Path, default=KEPT, help="where adversarial examples are kept")
    given = parsed(parser, arguments)
    compute.setup_cpu()
    test = data.cifar10("test")
    names = tuple(given.names) or checkpoints.knowing(test.classes, students=False)
    measure(
        names,
        test,
        n=given.n,
        steps=given.steps,
        seed=given.seed,
        precision=given.precision,
        out=given.out,
        kept=given.kept,
    )
