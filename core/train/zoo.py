"""The models of this project: declared in `checkpoints/zoo.toml`, built and measured by command.

    python -m core.train.zoo list
    python -m core.train.zoo build [NAME ...] [--profile cpu|full]     makes what is missing, resumes
    python -m core.train.zoo measure [NAME ...] [--n N]                accuracy, into header and results
    python -m core.train.zoo fetch NAME                                see checkpoints/fetch.toml

A build takes hours on a CPU; kill it at any time and start it again.
"""

import argparse
import logging
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from core import compute, data, results, worlds
from core.attacks import balls
from core.commands import command, number, whole
from core.files import toml
from core.models import ARCHITECTURES, Classifier, checkpoints
from core.models.checkpoints import Header
from core.problems import InputError
from core.train import InnerAttack, TrainRecipe, evaluate, fetch, fit, join_processes, refresh, reporter
from core.train.state import spent

log = logging.getLogger(__name__)
DECLARATIONS = checkpoints.FOLDER / "zoo.toml"
RUNS = checkpoints.FOLDER.parent / "runs"
RESULTS = results.FOLDER / "zoo.json"
AGAIN = "python -m core.train.zoo measure"
PROFILES = ("cpu", "full")


@dataclass(frozen=True)
class Entry:
    """One declared model: its name, title, architecture, seed, and a recipe for each profile."""

    name: str
    title: str
    arch: str
    args: dict[str, int]
    seed: int
    profiles: dict[str, dict[str, Any]]

    def recipe(self, profile: str) -> TrainRecipe:
        """Return the training recipe of that profile.

        Raises:
            ValueError: If the profile is not declared or names a field that a recipe does not have.
        """
        if profile not in self.profiles:
            raise InputError(f"{self.name} has no profile {profile!r}; it has {', '.join(self.profiles)}")
        fields = dict(self.profiles[profile])
        inner = fields.pop("inner", None)
        try:
            return TrainRecipe(
                arch=self.arch,
                args=self.args,
                seed=self.seed,
                inner=InnerAttack(**inner) if inner else None,
                **fields,
            )
        except TypeError as error:
            raise InputError(f"zoo.toml, {self.name}, {profile}: {error}") from error


def declared(path: Path = DECLARATIONS) -> dict[str, Entry]:
    """Read all declarations, in file order.

    Raises:
        ValueError: If an entry names no known architecture or lacks a field.
    """
    entries = {}
    for name, fields in toml.read(path).items():
        if fields.get("arch") not in ARCHITECTURES:
            raise InputError(f"zoo.toml, {name}: arch must be one of {', '.join(ARCHITECTURES)}")
        lacking = {"title", "seed"} - fields.keys()
        if lacking:
            raise InputError(f"zoo.toml, {name}: lacks {', '.join(sorted(lacking))}")
        entries[name] = Entry(
            name=name,
            title=fields["title"],
            arch=fields["arch"],
            args=fields.get("args", {}),
            seed=fields["seed"],
            profiles={p: fields[p] for p in PROFILES if p in fields},
        )
    return entries


def chosen(names: list[str], profile: str) -> list[Entry]:
    """Return the declared models of those names, or for none all that have this profile.

    Raises:
        ValueError: If a name is not declared.
    """
    entries = declared()
    unknown = [name for name in names if name not in entries]
    if unknown:
        raise InputError(f"zoo.toml does not declare {', '.join(unknown)}; it has {', '.join(entries)}")
    return [entries[name] for name in names or entries if names or profile in entries[name].profiles]


def build(entry: Entry, profile: str, *, force: bool = False) -> Path:
    """Train a declared model unless its weights are here; a run that was interrupted goes on.

    Raises:
        core.data.DataError: If CIFAR-10 is missing.
    """
    path = checkpoints.path_of(entry.name)
    if path.is_file() and not force:
        log.info("%s: already in %s/", entry.name, path.parent.name)
        return path
    recipe = entry.recipe(profile)
    here, rank = join_processes()
    train, test = data.cifar10("train"), data.cifar10("test")

    def watch(epoch: int, model: Classifier) -> None:
        at = next(model.parameters()).device
        seen = evaluate.clean_accuracy(model, test.x(range(1000)).to(at), test.y(range(1000)).to(at))
        # 1,000 pictures, to see a run go wrong early; nothing is chosen by it.
        log.info("%s: epoch %d, clean %s", entry.name, epoch, seen)

    model = fit(
        recipe,
        train,
        run=RUNS / f"{entry.name}-{profile}",
        device=here,
        on_progress=reporter(60) if rank == 0 else None,
        on_epoch=watch,
    )
    if rank == 0:
        about = Header(
            arch=entry.arch,
            args=entry.args,
            title=entry.title,
            classes=train.classes,
            recipe={
                **recipe.as_json(),
                "profile": profile,
                "data": train.source,
                "finished": results.today(),
                **spent(RUNS / f"{entry.name}-{profile}"),
            },
        )
        checkpoints.save(path, model.state_dict(), about)
    if dist.is_initialized():
        dist.destroy_process_group()
    return path


# What is measured of every model.
MEASURED_BALLS = (balls.L2(0.25), balls.L2(0.5), balls.L2(1.0), balls.Linf(8 / 255))
MEASURED_STEPS = 50


def measure(name: str, n: int, *, precision: str = "auto", anew: bool = False) -> dict[str, Any]:
    """Measure clean and robust accuracy on the first n test pictures; write them into the header and the results file.

    Clean accuracy is always on the whole test set.

    Raises:
        InputError: If it was measured on more pictures already, unless `anew`.
    """
    path = checkpoints.path_of(name)
    about = checkpoints.header(name)
    if about.world != worlds.DEFAULT:
        raise InputError(f"{name} is of the world {about.world!r}: python -m core.train.evaluate measures it there")
    known = max((rate["n"] for what, rate in about.measured.items() if what.startswith(("L2", "Linf"))), default=None)
    results.refuse_smaller(path, known, n, anew=anew)
    here = compute.device()
    model = compute.for_inference(checkpoints.load(name), here)
    test = data.cifar10("test")
    x, y = test.x().to(here), test.y().to(here)
    measured: dict[str, Any] = {"clean": evaluate.clean_accuracy(model, x, y).as_json()}
    for ball in MEASURED_BALLS:
        found = evaluate.robust_accuracy(model, x[:n], y[:n], ball, steps=MEASURED_STEPS, precision=precision)
        measured[evaluate.ball_name(ball)] = {**found.rate.as_json(), "doubts": list(found.warnings)}
        log.info("%s: %s %s", name, evaluate.ball_name(ball), found.rate)
    fast = precision != "fp32" and compute.has_fast_bf16(here)
    measured["how"] = {
        "attack": (
            f"PGD-10 and PGD-{MEASURED_STEPS} on log-odds, then on the margin, for what stands; step 2.5 eps/steps; no"
            " random start"
        ),
        "gradients": "bf16" if fast else "fp32",
        "date": results.today(),
        "torch": torch.__version__,
    }
    measured |= {
        what: rate for what, rate in about.measured.items() if what.startswith("AutoAttack")
    }  # of the same weights
    checkpoints.annotate(path, replace(about, measured=measured))
    record(name, entry_of(name))
    return measured


def entry_of(name: str) -> dict[str, Any]:
    """Return what the results file says of a model: what its header says, and the stamp of its weights."""
    about = checkpoints.header(name)
    return {
        "title": about.title,
        "recipe": about.recipe,
        "measured": about.measured,
        "stamp": checkpoints.stamp(name),
    }


def record(name: str, entry: dict[str, Any]) -> None:
    """Put one model's results into the results file, atomically, leaving the others as they are."""
    results.write(RESULTS, {**(results.read(RESULTS, AGAIN) or {}), name: entry})


def bring(source: fetch.Source) -> None:
    """Fetch a model that lies elsewhere, and say what came."""
    told = [0]

    def progress(there: int) -> None:
        if there - told[0] > 20 * 10**6:
            told[0] = there
            log.info("%s: %.0f of about %g MB", source.name, there / 10**6, source.mb)

    path, said = fetch.fetch(source, RUNS / "downloads", on_progress=progress)
    for line in said:
        log.info("%s: %s", source.name, line)
    log.info("%s: kept in %s/", source.name, path.parent.name)


def listed() -> None:
    """Print what is declared, and what is here."""
    for entry in declared().values():
        missing = "missing" if "cpu" in entry.profiles else "for a GPU"
        state = "here" if checkpoints.path_of(entry.name).is_file() else missing
        sys.stdout.write(f"{entry.name:26} {state:10} {entry.title}\n")
    for source in fetch.sources().values():
        state = "here" if checkpoints.path_of(source.name).is_file() else f"{source.mb:.0f} MB"
        sys.stdout.write(f"{source.name:26} {state:10} {source.title}; fetched by the action fetch\n")


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.train.zoo", description="Build and measure the models.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="what is declared, and what is here")
    making = actions.add_parser("build", help="train what is missing")
    making.add_argument("names", nargs="*", metavar="NAME")
    making.add_argument("--profile", choices=PROFILES, default="full" if compute.device().type == "cuda" else "cpu")
    making.add_argument("--force", action="store_true", help="train anew what is here already")
    measuring = actions.add_parser("measure", help="clean and robust accuracy of what is here")
    measuring.add_argument("names", nargs="*", metavar="NAME")
    measuring.add_argument("--n", type=whole(1, 10_000), default=2000, help="test pictures to attack")
    measuring.add_argument("--precision", choices=["auto", "fp32"], default="auto", help="of the attack's gradients")
    measuring.add_argument("--anew", action="store_true", help="replace what was measured on more pictures")
    fetching = actions.add_parser("fetch", help="download a model that lies elsewhere, verify it and keep it")
    fetching.add_argument("names", nargs="+", metavar="NAME", choices=sorted(fetch.sources()))
    again = actions.add_parser("refresh", help="say what was measured on other weights; with --run, measure it anew")
    again.add_argument("--run", action="store_true", help="do it; what is still stale after a stop is done next time")
    again.add_argument("--only", nargs="+", default=[], metavar="TOPIC", help="folders of core/")
    again.add_argument("--most", type=number(0), metavar="MINUTES", help="leave out what takes longer")
    again.add_argument("--missing", action="store_true", help="with what was never measured")
    timing_ = actions.add_parser("time", help="how long a training takes here, from some of its steps; into the header")
    timing_.add_argument("names", nargs="+", metavar="NAME")
    actions.add_parser("table", help="write the table of networks in the README from their headers")
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    if given.action in ("time", "table"):
        from core.train import board

        board.run(given.action, getattr(given, "names", ()))
    elif given.action == "refresh":
        refresh.refresh(given.only, run=given.run, missing=given.missing, most=given.most)
    elif given.action == "fetch":
        for name in given.names:
            bring(fetch.sources()[name])
    elif given.action == "list":
        listed()
    elif given.action == "measure":
        for name in given.names or [name for name in declared() if checkpoints.path_of(name).is_file()]:
            measure(name, given.n, precision=given.precision, anew=given.anew)
    else:
        for entry in chosen(given.names, given.profile):
            build(entry, given.profile, force=given.force)


if __name__ == "__main__":
    main()
