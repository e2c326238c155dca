"""The command: `python -m core.exercises verify report.json` recomputes what was handed in."""

import argparse
import sys
from pathlib import Path

from core import compute
from core.commands import command, parsed
from core.exercises.report import changed, from_text, verify


@command
def main(arguments: list[str] | None = None) -> None:
    """Recompute the answers of reports; the exit status is 1 if one claims what does not come out."""
    parser = argparse.ArgumentParser(prog="python -m core.exercises", description=main.__doc__)
    parser.add_argument("do", choices=["verify"])
    parser.add_argument("reports", type=Path, nargs="+", help="JSON or HTML, as the Exercises page writes them")
    given = parsed(parser, arguments)
    compute.setup_app()
    honest = [_one(path) for path in given.reports]
    if not all(honest):
        sys.exit(1)


def _one(path: Path) -> bool:
    made = from_text(path.read_text("utf-8"))
    say = sys.stdout.write
    say(f"{path}: {made.name or 'no name'}\n")
    if other := changed(made):
        say(f"  other weights here than in the report: {', '.join(other)}\n")
    honest, solved = True, 0
    for line in verify(made):
        solved += line.found is not None and line.found.passed
        word = "cannot be recomputed" if line.found is None else "solved" if line.found.passed else "not solved"
        claim = "" if line.found is None or line.found.passed == line.claimed else ", and the report claims otherwise"
        honest = honest and not claim and not (line.found is None and line.claimed)
        say(f"  {line.exercise.name}: {word}{claim}. {line.problem or (line.found and line.found.says)}\n")
    say(f"  {solved} solved\n")
    return honest


if __name__ == "__main__":
    main()
