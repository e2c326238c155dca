"""The room beside a lecture: what a phone may say, and what becomes of a fault of ours."""

import asyncio

import pytest

from pages.lectures.routes import LONGEST, phone, rooms
from tests.pages.tools import Socket


class Phone(Socket):
    """A phone in a room."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.path_params, self.query_params = {"code": code}, {}


@pytest.fixture
def talk():
    found = rooms().begin()
    rooms().invite(found)
    yield found
    rooms().end(found)


def served(talk, *says: str) -> Phone:
    async def go() -> Phone:
        socket = Phone(talk.code)
        for text in (*says, None):
            socket.says.put_nowait(text)
        await asyncio.wait_for(phone(socket), 30)
        return socket

    return asyncio.run(go())


def test_who_says_too_much_is_sent_away_with_a_reason(talk):
    socket = served(talk, '{"vote": 1, "more": "' + "x" * LONGEST + '"}')
    assert socket.closed == 1009 and f"{LONGEST} characters at most" in socket.reason


@pytest.mark.parametrize("text", ["5", "no JSON", '{"vote": "x"}', b"bytes", "[" * 400])
def test_what_makes_no_sense_is_not_answered(talk, text):
    socket = served(talk, text)
    assert socket.closed is None and {message["is"] for message in socket.heard} <= {"welcome", "state"}


@pytest.mark.parametrize("kind", [KeyError, ValueError, RuntimeError])
def test_a_fault_of_ours_is_raised_where_the_server_logs_it(talk, kind, monkeypatch):
    monkeypatch.setattr(type(talk), "vote", lambda *_: (_ for _ in ()).throw(kind("ours")))
    with pytest.raises(kind, match="ours"):
        served(talk, '{"vote": 1}')
