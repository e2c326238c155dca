"""The models of this project: declared in `checkpoints/zoo.toml`, built and measured by command.

    python -m core.zoo list
    python -m core.zoo build [NAME ...] [--profile cpu|full]     makes what is missing, resumes what was interrupted
    python -m core.zoo measure [NAME ...] [--n N]                clean and robust accuracy, into header and results

A build takes hours on a CPU; kill it at any time and start it again.
"""

import argparse
import logging
import sys
import tomllib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch.distributed as dist

from core import checkpoints, compute, data
from core.checkpoints import Header
from core.models import ARCHITECTURES, Classifier
from core.train import InnerAttack, TrainRecipe, fit, join_processes, reporter

log = logging.getLogger(__name__)
DECLARATIONS = checkpoints.FOLDER / "zoo.toml"
RUNS = checkpoints.FOLDER.parent / "runs"
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
            raise ValueError(f"{self.name} has no profile {profile!r}; have {', '.join(self.profiles)}")
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
            raise ValueError(f"zoo.toml, {self.name}, {profile}: {error}") from error


def declared(path: Path = DECLARATIONS) -> dict[str, Entry]:
    """Read all declarations, in file order.

    Raises:
        ValueError: If an entry names no known architecture or lacks a field.
    """
    entries = {}
    for name, fields in tomllib.loads(path.read_text()).items():
        if fields.get("arch") not in ARCHITECTURES:
            raise ValueError(f"zoo.toml, {name}: arch must be one of {', '.join(ARCHITECTURES)}")
        entries[name] = Entry(
            name=name,
            title=fields["title"],
            arch=fields["arch"],
            args=fields.get("args", {}),
            seed=fields["seed"],
            profiles={p: fields[p] for p in PROFILES if p in fields},
        )
    return entries


def chosen(names: list[str]) -> list[Entry]:
    """Return the declared models of those names, or all for none.

    Raises:
        ValueError: If a name is not declared.
    """
    entries = declared()
    unknown = [name for name in names if name not in entries]
    if unknown:
        raise ValueError(f"zoo.toml does not declare {', '.join(unknown)}; it has {', '.join(entries)}")
    return [entries[name] for name in names or entries]


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
        from core.evaluate import clean_accuracy

        # 1,000 pictures, to see a run go wrong early; nothing is chosen by it.
        log.info("%s: epoch %d, clean %s", entry.name, epoch, clean_accuracy(model, test.x(range(1000)), test.y(range(1000))))

    started = datetime.now(UTC)
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
            recipe={**asdict(recipe), "profile": profile, "data": train.source, "finished": f"{started:%Y-%m-%d}"},
        )
        checkpoints.save(path, model.state_dict(), about)
    if dist.is_initialized():
        dist.destroy_process_group()
    return path


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m core.zoo", description="Build and measure the models.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="what is declared, and what is here")
    making = actions.add_parser("build", help="train what is missing")
    making.add_argument("names", nargs="*", metavar="NAME")
    making.add_argument("--profile", choices=PROFILES, default="full" if compute.device().type == "cuda" else "cpu")
    making.add_argument("--force", action="store_true", help="train anew what is here already")
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    try:
        if given.action == "list":
            here = checkpoints.names()
            for entry in declared().values():
                sys.stdout.write(f"{entry.name:20} {'here   ' if entry.name in here else 'missing'} {entry.title}\n")
        else:
            for entry in chosen(given.names):
                build(entry, given.profile, force=given.force)
    except (ValueError, data.DataError, checkpoints.CheckpointError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
