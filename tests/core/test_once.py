"""Reading once a state: what changed is read anew, what did not is not."""

import os
from pathlib import Path

import pytest

from core.files.once import once_a_state


@pytest.fixture
def counting():
    """A reader of texts and of folders, and the paths that it really read."""
    read: list[str] = []

    @once_a_state(2)
    def look(path: Path) -> str:
        read.append(path.name)
        return path.read_text() if path.is_file() else " ".join(sorted(one.name for one in path.glob("*")))

    return look, read


def written(path: Path, text: str, when: float) -> Path:
    """A file that was last written long ago."""
    path.write_text(text)
    os.utime(path, (when, when))
    return path


def test_a_file_is_read_once_until_it_is_edited_or_replaced(tmp_path, counting):
    look, read = counting
    path = written(tmp_path / "a", "one", 1e9)
    assert look(path) == look(path) == "one"
    written(path, "longer", 1e9)
    assert look(path) == look(path) == "longer"
    written(path, "latest", 2e8)
    assert look(path) == look(path) == "latest"
    written(path, "future", 4e9)  # of a machine whose clock is ahead
    assert look(path) == look(path) == "future"
    written(tmp_path / "b", "others", 4e9).replace(path)  # as long and as old: another file all the same
    assert look(path) == look(path) == "others"
    assert read == ["a"] * 5


def test_what_has_changed_just_now_is_never_trusted(tmp_path, counting):
    """Two edits in one tick of the clock, of one length, cannot be told apart from outside."""
    look, read = counting
    path = tmp_path / "a"
    for text in ("one", "two", "two"):
        path.write_text(text)
        assert look(path) == text
    assert len(read) == 3


def test_what_is_not_there_is_asked_for_once_until_it_comes(tmp_path, counting):
    look, read = counting
    path = tmp_path / "late"
    assert look(path) == look(path) == ""
    written(path, "here", 1e9)
    assert look(path) == look(path) == "here"
    assert read == ["late"] * 2


def test_a_folder_is_gone_through_once_until_a_name_comes(tmp_path, counting):
    look, read = counting
    (tmp_path / "a").touch()
    os.utime(tmp_path, (1e9, 1e9))
    assert look(tmp_path) == look(tmp_path) == "a"
    assert len(read) == 1
    (tmp_path / "b").touch()
    assert look(tmp_path) == "a b"


def test_an_error_is_not_kept(tmp_path):
    tries = []

    @once_a_state(2)
    def fails(path: Path) -> str:
        tries.append(path)
        raise ValueError("damaged")

    for _ in range(2):
        with pytest.raises(ValueError, match="damaged"):
            fails(tmp_path / "a")
    assert len(tries) == 2
