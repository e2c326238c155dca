"""The command: python -m core.data download|where."""

import argparse
import sys

from core.data.sets import DataError, cifar10, cifar10_root


def main(arguments: list[str] | None = None) -> None:
    """Fetch CIFAR-10, or say where it is."""
    parser = argparse.ArgumentParser(prog="python -m core.data", description="Fetch CIFAR-10 or say where it is.")
    parser.add_argument("action", choices=["download", "where"])
    given = parser.parse_args(arguments)
    if given.action == "download":
        cifar10_root().mkdir(parents=True, exist_ok=True)
        cifar10("train", download=True)
    try:
        sys.stdout.write(f"{cifar10_root()}: {len(cifar10('train'))} + {len(cifar10('test'))} pictures\n")
    except DataError as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
