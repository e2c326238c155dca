"""Files that are there whole or not at all, also if the process is killed or the disk is full meanwhile."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a name beside the file to write to; it takes the file's place if the block ends well, and goes if not.

    Each writer has a name of its own, so that the same command twice at once leaves one whole file: the later one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def replace_with(path: Path, content: bytes | str) -> None:
    """Write a file, text as UTF-8."""
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
