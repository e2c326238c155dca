"""What a session takes along over a reload."""

import pytest

from pages.ui import luggage


@pytest.fixture
def session(monkeypatch):
    """A function that begins a session which comes with a word."""

    def begin(word: str = "", **state):
        held = dict(state)
        monkeypatch.setattr(luggage.st, "session_state", held)
        monkeypatch.setattr(luggage, "_word", lambda: word)
        return held

    yield begin
    luggage._aside.clear()


WORD = "0123456789abcdef" * 2


def test_an_upload_and_a_lecture_of_ones_own_are_claimed_once(session):
    session(
        **{"picture": "upload/1", "picture-upload": "P", "picture-bytes": (b"", "n"), "lecture-mine": "L", "norm": "L2"}
    )
    luggage.put_aside(WORD)
    after = session(WORD)
    luggage.claim()
    assert after.pop(luggage.CLAIMED)
    assert after == {"picture": "upload/1", "picture-upload": "P", "picture-bytes": (b"", "n"), "lecture-mine": "L"}
    again = session(WORD)
    luggage.claim()
    assert "picture-upload" not in again


def test_nobody_claims_with_another_word_and_nothing_waits_longer_than_a_minute(session, monkeypatch):
    session(**{"picture-upload": "P"})
    luggage.put_aside(WORD)
    other = session(WORD[::-1])
    luggage.claim()
    assert "picture-upload" not in other
    now = luggage.time.monotonic()
    monkeypatch.setattr(luggage.time, "monotonic", lambda: now + luggage.WAITS_S + 1)
    late = session(WORD)
    luggage.claim()
    assert "picture-upload" not in late


def test_a_word_that_a_browser_did_not_make_is_no_key(session):
    session(**{"picture-upload": "P"})
    luggage.put_aside("mine")
    assert not luggage._aside
