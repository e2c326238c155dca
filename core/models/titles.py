"""What models are called on a page: columns, readouts, summaries and files are titled by the models that are in them.

For example:

    titles("resnet9-standard", "resnet9-l2")      # ("Standard ResNet-9", "Robust ResNet-9")
"""

import re

from core.models import checkpoints

ADVERSARIAL = re.compile(r"adversarial training \((\w+), [^)]*\)")
TRAININGS = {
    re.compile(r"(.+?), standard training(.*)"): r"Standard \1\2",
    re.compile(r"(.+?), adversarial training \([^)]*\)(.*)"): r"Robust \1\2",
    re.compile(r"(Student of [^:]+): .+"): r"\1",
}


def title(name: str) -> str:
    """Return a model's whole title; its name where its weights are not here, or are damaged."""
    try:
        return checkpoints.header(name).title or name
    except checkpoints.CheckpointError:
        return name


def titles(*names: str) -> tuple[str, ...]:
    """Return short titles of models that are shown together; whole ones where two models would be called the same."""
    short = {name: _short(title(name)) for name in names}
    called = list(short.values())
    return tuple(short[name] if called.count(short[name]) == 1 else title(name) for name in names)


def brief(whole: str) -> str:
    """Shorten a title to "ResNet-9" or "ResNet-9, robust L2": where most are standard, the others say how."""
    return ADVERSARIAL.sub(r"robust \1", whole.replace(", standard training", ""))


def stamped(*names: str) -> dict[str, str]:
    """Return each model's whole title with the stamp of its weights; those that are not here are left out."""
    return {title(name): checkpoints.stamp(name) for name in names if checkpoints.path_of(name).is_file()}


def _short(whole: str) -> str:
    for long, short in TRAININGS.items():
        if match := long.fullmatch(whole):
            return match.expand(short)
    return whole
