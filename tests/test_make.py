"""What `make` says where it cannot do what is asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not here")


def made(*arguments: str) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=outside, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An environment that counts as made and whose Python starts nothing."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/true")
    (tmp_path / "bin" / "pip").touch()
    (tmp_path / ".app").touch()
    return tmp_path


@pytest.mark.parametrize("port", ["0", "65536", "99999", "123456", "-1", "http", "8 5"])
def test_a_port_that_cannot_be_is_one_sentence(port, installed):
    done = made("app", f"VENV={installed}", f"PORT={port}")
    assert done.returncode != 0
    assert done.stdout == f"PORT must be a whole number, 1 to 65535, not {port}.\n"


@pytest.mark.parametrize("port", ["1", "8502", "65535"])
def test_any_other_port_will_do(port, installed):
    done = made("app", f"VENV={installed}", f"PORT={port}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("python", ["false", "no-such-python"])
def test_a_python_that_will_not_do_is_refused_before_anything_is_made(python, tmp_path):
    done = made("setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}")
    assert done.returncode != 0
    assert done.stdout.endswith(f"{python} is not that.\n")
    assert not (tmp_path / "venv").exists()
