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


def test_a_file_is_read_once_until_it_is_edited_or_replaced(tmp_path, counting):
    look, read = counting
    path = tmp_path / "a"
    path.write_text("one")
    assert look(path) == look(path) == "one"
    path.write_text("longer")
    assert look(path) == "longer"
    was = path.stat()
    (tmp_path / "b").write_text("others")  # as long, and dated back: another file all the same
    os.utime(tmp_path / "b", ns=(was.st_atime_ns, was.st_mtime_ns))
    (tmp_path / "b").replace(path)
    assert look(path) == "others"
    assert read == ["a"] * 3


def test_what_is_not_there_is_asked_for_once_until_it_comes(tmp_path, counting):
    look, read = counting
    path = tmp_path / "late"
    assert look(path) == look(path) == ""
    path.write_text("here")
    assert look(path) == "here"
    assert read == ["late"] * 2


def test_a_folder_is_gone_through_once_but_never_trusted_when_it_has_just_changed(tmp_path, counting):
    look, read = counting
    assert look(tmp_path) == look(tmp_path) == ""
    (tmp_path / "a").touch()
    assert look(tmp_path) == "a"
    assert len(read) == 3
    os.utime(tmp_path, (1e9, 1e9))
    assert look(tmp_path) == look(tmp_path) == "a"
    assert len(read) == 4


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
