"""The table of rooms in docs/design.md, read from the tree: `python -m tests.rooms` writes it anew."""

import ast
import re
from pathlib import Path

from tests.test_architecture import GROUND, TOPICS

ROOT = Path(__file__).resolve().parent.parent
DESIGN = ROOT / "docs" / "design.md"
TABLE = re.compile(r"(?<=<!-- rooms -->\n).*?(?=<!-- end of rooms -->)", re.DOTALL)


def about(room: str) -> str:
    """Return the first sentence of a room's docstring, without the point."""
    path = ROOT / "core" / room / "__init__.py"
    text = ast.get_docstring(ast.parse((path if path.is_file() else path.parent.with_suffix(".py")).read_text("utf-8")))
    return (text or "").partition("\n\n")[0].replace("\n", " ").rstrip(".")


def there(room: str) -> bool:
    return (ROOT / "core" / room).is_dir() or (ROOT / "core" / f"{room}.py").is_file()


def table() -> str:
    """Write the table: the rooms of core from the ground up; whatever stands higher may import what stands lower."""
    lines = ["| layer | room | |", "|---|---|---|"]
    for height, rooms in enumerate((*GROUND, *((topic,) for topic in TOPICS))):
        lines += [f"| {height} | `core/{room}` | {about(room)} |" for room in rooms if there(room)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DESIGN.write_text(TABLE.sub(lambda _: table(), DESIGN.read_text("utf-8")), encoding="utf-8")
