"""The command: python -m core.data download|where."""

import argparse
import sys

from core.commands import command
from core.data.sets import cifar10, cifar10_root


@command
def main(arguments: list[str] | None = None) -> None:
    """Fetch CIFAR-10, or say where it is."""
    parser = argparse.ArgumentParser(prog="python -m core.data", description="Fetch CIFAR-10 or say where it is.")
    parser.add_argument("action", choices=["download", "where"])
    given = parser.parse_args(arguments)
    if given.action == "download":
        cifar10_root().mkdir(parents=True, exist_ok=True)
        cifar10("train", download=True)
    sys.stdout.write(f"{cifar10_root()}: {len(cifar10('train'))} + {len(cifar10('test'))} pictures\n")


if __name__ == "__main__":
    main()
