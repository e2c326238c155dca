"""What was freed goes back to the system, once for all that ends together."""

import sys
import threading
import time
from types import SimpleNamespace

import pytest

from pages.ui import flights, memory
from pages.ui.turns import Account

BLOCK, BLOCKS = 100_000, 3_000  # bytes: small enough for glibc to keep them

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")


def in_a_thread() -> list[bytes]:
    """Use 300 MB, and free all but the last of it, which keeps a heap from shrinking by itself."""
    kept: list[bytes] = []

    def work() -> None:
        blocks = [b"x" * BLOCK for _ in range(BLOCKS)]
        kept.append(blocks[-1])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return kept


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(memory, "AFTER_S", 0.05)


def test_freed_memory_goes_back():
    before = memory.resident()
    kept = in_a_thread()
    assert memory.resident() > before + 100 * 2**20, "or there is nothing to test"
    memory.Returns().now()
    assert kept
    assert memory.resident() < before + 100 * 2**20


def test_a_little_is_left_until_it_is_much(monkeypatch):
    """Growth by less than is worth it adds up: what is compared with is what was left after the last time."""
    sizes, trimmed = iter([500, 400, 450, 450, 450, 470, 420]), []
    monkeypatch.setattr(memory, "resident", lambda: next(sizes) * 2**20)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: type("", (), {"malloc_trim": staticmethod(trimmed.append)}))
    returns = memory.Returns()
    for wanted in (1, 1, 1, 1, 2):
        returns.now()
        assert len(trimmed) == wanted


def test_it_is_asked_for_after_each_piece_and_done_once(monkeypatch):
    done = []
    returns = memory.Returns()
    monkeypatch.setattr(returns, "now", lambda: done.append(1))
    monkeypatch.setattr(memory, "soon", returns.soon)
    for i in range(5):
        piece = flights.Piece(("memory", i), lambda on_step: 1)
        flights.join(piece, Account(), lambda _: None).future.result(10)
    time.sleep(0.3)
    assert done == [1]


@pytest.mark.parametrize(("asked", "given_back"), [((0.4, 0.8, 1.7), 2.7), (tuple(k / 2 for k in range(1, 200)), 30.0)])
def test_it_waits_until_nothing_has_ended_for_a_second_but_not_for_ever(asked, given_back, monkeypatch):
    """By a clock of the test's own, which stands still while nobody sleeps."""
    now, still_to_ask, done = [0.0], list(asked), []

    def sleep(seconds: float) -> None:
        end = now[0] + seconds
        while still_to_ask and still_to_ask[0] <= end:
            now[0] = still_to_ask.pop(0)
            returns.soon()
        now[0] = end

    monkeypatch.setattr(memory, "AFTER_S", 1.0)
    monkeypatch.setattr(memory, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    waiting, never = [], SimpleNamespace(start=lambda: None)
    threads = SimpleNamespace(
        Lock=threading.Lock, Thread=lambda target, args, daemon: waiting.append((target, args)) or never
    )
    monkeypatch.setattr(memory, "threading", threads)
    returns = memory.Returns()
    monkeypatch.setattr(returns, "now", lambda: done.append(now[0]))
    returns.soon()
    ((wait, until),) = waiting
    wait(*until)
    assert done == [pytest.approx(given_back)]
    assert len(waiting) == 1
