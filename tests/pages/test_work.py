"""Work beside a page: single flight, fairness, Stop, abandonment, and what is kept where.

Without a browser or a model.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from core.attacks import Stop
from pages.ui import desks, flights, store, work
from pages.ui.desks import Desk
from pages.ui.store import Store, size_of
from pages.ui.turns import Account, Ticket, Turns
from pages.ui.work import Outcome, Piece

# Store


def test_a_store_counts_the_bytes_of_tensors_wherever_they_are():
    @dataclass
    class Result:
        x: torch.Tensor
        more: dict[str, object]

    whole = torch.zeros(1000)
    result = Result(whole[:10], {"again": whole, "array": np.zeros(500, np.uint8), "text": "a" * 100})
    assert 4000 + 500 + 100 <= size_of(result) < 4000 + 500 + 100 + 1500  # a view keeps all of its storage, once


def test_a_network_counts_with_its_weights():
    assert size_of((torch.nn.Linear(100, 100), "a card")) > 4 * 100 * 100


def test_the_store_is_bounded_by_bytes_and_forgets_what_was_not_asked_for_longest():
    kept = Store(limit=3 * size_of(torch.zeros(1000)) + 10)
    for key in "abc":
        kept.put(key, torch.zeros(1000))
    assert kept.get("a") is not None
    kept.put("d", torch.zeros(1000))
    assert [kept.get(key) is not None for key in "abcd"] == [True, False, True, True]
    kept.put("e", torch.zeros(3000))
    assert [kept.get(key) is not None for key in "abcde"] == [False, False, False, False, True]
    assert kept.bytes <= kept.limit


def test_what_is_put_again_is_counted_once():
    kept = Store(limit=10_000)
    for _ in range(5):
        kept.put("a", torch.zeros(1000))
    assert kept.bytes == size_of(torch.zeros(1000))


def test_what_is_false_or_empty_is_kept_all_the_same():
    kept, made = Store(limit=1000), []
    for _ in range(2):
        assert kept.of("k", lambda: made.append(1) or 0.0) == 0.0
    assert made == [1]


def test_the_store_holds_under_many_threads():
    kept = Store(limit=8 * size_of(7))

    def run(seed: int) -> bool:
        return all(
            kept.of(key, lambda key=key: key * 10) == key * 10 for i in range(300) for key in [(seed * 7 + i) % 20]
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(8)))
    assert kept.bytes <= kept.limit


@pytest.mark.parametrize("raw", ["0", "-1", "many", "1e3", "9" * 30])
def test_a_size_that_is_none_is_refused_in_a_sentence(raw, monkeypatch):
    monkeypatch.setenv(store.RESULTS_VARIABLE, raw)
    with pytest.raises(ValueError, match="ROBUST_FROG_RESULTS_MB must be a whole number of megabytes"):
        store.results.__wrapped__()


def test_a_checkpoint_that_was_replaced_has_another_stamp_and_another_model(monkeypatch, tmp_path):
    """The stamp stands in every key, so results of the old weights are never served for the new ones."""
    path = tmp_path / "mine.safetensors"
    monkeypatch.setattr(store.checkpoints, "path_of", lambda _: path)
    monkeypatch.setattr(store.ready, "load", lambda _: torch.nn.Linear(1, 1))
    path.write_bytes(b"old")
    before = store.loaded("mine")
    assert store.loaded("mine") is before
    path.with_suffix(".part").write_bytes(b"new")
    path.with_suffix(".part").replace(path)
    after = store.loaded("mine")
    assert after.stamp != before.stamp
    assert after.model is not before.model
    store.forget()


# Turns


def test_a_newcomer_waits_no_longer_than_a_step_of_a_long_computation():
    turns, long, new = Turns(1), Ticket({Account()}), Ticket({Account()})
    ended, waited, asked = threading.Event(), [], []

    def run_long() -> None:
        while not ended.is_set():
            time.sleep(0.05)
            turns.step(long)
        turns.done(long)

    def run_new() -> None:
        waited.append(time.monotonic() - asked[0])
        turns.done(new)
        ended.set()

    turns.submit(long, run_long)
    time.sleep(0.5)
    asked.append(time.monotonic())
    turns.submit(new, run_new)
    assert ended.wait(5)
    assert waited[0] < 0.3


def test_equals_finish_one_after_the_other():
    """Four visitors with a second of work each on one core: shared evenly all would end at the end."""
    turns, ends, lock = Turns(1), [], threading.Lock()
    done = threading.Barrier(5, timeout=20)

    def visitor(k: int) -> None:
        ticket = Ticket({Account()})

        def run() -> None:
            for _ in range(10):
                time.sleep(0.01)
                turns.step(ticket)
            turns.done(ticket)
            with lock:
                ends.append(k)
            done.wait()

        turns.submit(ticket, run)

    for k in range(4):
        visitor(k)
    done.wait()
    assert ends == [0, 1, 2, 3]


def test_what_nobody_waits_for_stands_back_and_says_how_many_are_before_one():
    turns = Turns(1)
    first, orphan, third = Ticket({Account()}), Ticket(set()), Ticket({Account()})
    order, go = [], threading.Event()

    def run(name: str, ticket: Ticket) -> None:
        go.wait(5)
        order.append(name)
        turns.done(ticket)

    for name, ticket in (("first", first), ("orphan", orphan), ("third", third)):
        turns.submit(ticket, lambda name=name, ticket=ticket: run(name, ticket))
    assert [turns.before(ticket) for ticket in (first, third)] == [0, 0]
    go.set()
    until = time.monotonic() + 5
    while len(order) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert order == ["first", "third", "orphan"]


def test_a_first_frame_goes_before_the_attack_of_whoever_has_one():
    turns, occupant, order, go = Turns(1), Ticket({Account()}), [], threading.Event()
    new, fresh = Account(), Account()
    new.charge(0.1)  # on the frame of the other model
    frame = Ticket({new}, first=True)

    def run(name: str, ticket: Ticket) -> None:
        go.wait(5)
        order.append(name)
        turns.done(ticket)

    for name, ticket in (("occupant", occupant), ("attack", Ticket({fresh})), ("first frame", frame)):
        turns.submit(ticket, lambda name=name, ticket=ticket: run(name, ticket))
    go.set()
    until = time.monotonic() + 5
    while len(order) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert order == ["occupant", "first frame", "attack"]


def test_who_asks_for_the_place_in_line_neither_waits_nor_holds_it_up():
    turns, held = Turns(1), Ticket({Account()})
    line = [Ticket({Account()}) for _ in range(3)]
    go = threading.Event()
    for ticket in (held, *line):
        turns.submit(ticket, lambda ticket=ticket: (go.wait(5), turns.done(ticket)))
    with turns._lock:  # somebody is given a turn just now
        assert turns.before(line[2]) == 0, "nobody has looked yet"
    assert [turns.before(ticket) for ticket in line] == [0, 1, 2]
    with turns._lock:
        assert [turns.before(ticket) for ticket in line] == [0, 1, 2], "as of the last look"
    go.set()


# Asking


class Bar:
    """Streamlit's part of `ask`: a bar and a button, of which a test can press the one and read the other."""

    def __init__(self, ends_after: float | None = None) -> None:
        self.seen: list[tuple[float, str]] = []
        self.began, self.ends_after, self.emptied = time.monotonic(), ends_after, False

    @contextmanager
    def container(self, **_):
        yield

    def empty(self) -> "Bar":
        self.emptied = bool(self.seen)
        return self

    def button(self, *_, **__) -> None: ...

    def progress(self, value: float, text: str) -> "Bar":
        self.seen.append((value, text))
        return self


class Visitor:
    """A session whose page asks in a thread of its own."""

    def __init__(self, pages: "Pages") -> None:
        self.pages, self.desk, self.bar = pages, Desk(), Bar()

    def ask(
        self, *pieces: Piece, leave: threading.Event | None = None, group: object = "view", **more
    ) -> list[Outcome]:
        self.pages.here.desk, self.pages.here.bar, self.pages.here.leave = self.desk, self.bar, leave
        return work.ask(list(pieces), group=group, text="Computing…", **more)

    def asks(self, *pieces: Piece, **more):
        return self.pages.threads.submit(self.ask, *pieces, **more)


class Left(BaseException):
    """What ends a script."""


class Pages:
    """Visitors, and Streamlit for each."""

    def __init__(self, monkeypatch) -> None:
        self.here, self.threads = threading.local(), ThreadPoolExecutor(32)

        def desk() -> Desk:
            leave = getattr(self.here, "leave", None)
            if leave is not None and leave.is_set():
                self.here.leave = None
                raise Left
            return self.here.desk

        class St:
            """Each thread has a bar of its own."""

            @staticmethod
            def empty() -> Bar:
                return self.here.bar.empty()

            @staticmethod
            def button(*_, **__) -> None: ...

            @staticmethod
            def progress(value: float, text: str) -> Bar:
                return self.here.bar.progress(value, text)

        monkeypatch.setattr(work, "st", St)
        monkeypatch.setattr(work, "desk", desk)

    def visitor(self) -> Visitor:
        return Visitor(self)


@pytest.fixture
def pages(monkeypatch):
    store.forget()
    made = Turns(2)
    monkeypatch.setattr(flights, "turns", lambda: made)
    found = Pages(monkeypatch)
    yield found
    found.threads.shutdown()
    store.forget()


def loop(n: int, *, log: list[int] | None = None, pause: float = 0.01, result: object = "whole"):
    """A computation of n steps that honours its `on_step` as the loops of the core do."""

    def make(on_step):
        for i in range(n):
            if log is not None:
                log.append(i)
            if on_step(i, None):
                return ("best of", i)
            time.sleep(pause)
        return result

    return make


def until(condition, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_outcomes_come_in_the_order_of_the_pieces_and_are_kept(pages):
    visitor, log = pages.visitor(), []
    pieces = [Piece("slow", loop(12, result="slow"), 12), Piece("quick", loop(1, log=log, result="quick"))]
    for _ in range(2):
        assert visitor.ask(*pieces) == [Outcome("slow"), Outcome("quick")]
    assert log == [0]


def test_pieces_run_beside_one_another(pages):
    meeting = threading.Barrier(2, timeout=10)
    outcomes = pages.visitor().ask(*(Piece(k, lambda _: meeting.wait() >= 0) for k in "ab"))
    assert [one.value for one in outcomes] == [True, True]


def test_the_bar_climbs_and_goes(pages):
    visitor = pages.visitor()
    visitor.ask(Piece("a", loop(60, pause=0.02), 60))
    values = [value for value, _ in visitor.bar.seen]
    assert len(values) > 3
    assert values == sorted(values)
    assert values[0] < 0.1
    assert visitor.bar.emptied


def test_twelve_who_ask_for_the_same_are_served_by_one_computation_and_all_see_it_grow(pages):
    log, visitors = [], [pages.visitor() for _ in range(12)]
    asked = [visitor.asks(Piece("same", loop(60, log=log, pause=0.02), 60)) for visitor in visitors]
    assert [one.result(20) for one in asked] == [[Outcome("whole")]] * 12
    assert log == list(range(60))
    assert all(max(value for value, _ in visitor.bar.seen) > 0.3 for visitor in visitors)


def test_who_joins_a_training_sees_its_curve_from_the_beginning(pages):
    """It is the work that says how far it is, not the page that began it."""

    def train(on_step):
        curve: list[int] = []
        for i in range(60):
            curve.append(i)
            on_step(i, curve)
            time.sleep(0.02)
        return "trained"

    seen: dict[str, list[list[int]]] = {"first": [], "joins": []}
    watch = lambda who: lambda states: seen[who].append(list(states["training"]))
    first = pages.visitor().asks(Piece("training", train, 60), show=watch("first"))
    assert until(lambda: seen["first"])
    joins = pages.visitor().asks(Piece("training", lambda _: pytest.fail("it is under way"), 60), show=watch("joins"))
    assert first.result(20) == joins.result(20) == [Outcome("trained")]
    for curves in seen.values():
        assert curves and all(curve == list(range(len(curve))) for curve in curves)


def test_stop_answers_within_300_ms_with_the_best_so_far_and_is_ones_own(pages):
    visitor, other, leave = pages.visitor(), pages.visitor(), threading.Event()
    piece = Piece("long", loop(1000), 1000)
    asked = visitor.asks(piece, leave=leave)
    time.sleep(0.4)
    leave.set()  # a click interrupts the script ...
    with pytest.raises(Left):
        asked.result(5)
    began = time.monotonic()
    visitor.desk.stop("view")  # ... and the button's callback comes first in the next run
    (outcome,) = visitor.ask(piece)
    assert time.monotonic() - began < 0.3
    assert outcome.stopped is not None
    assert outcome.value == ("best of", outcome.stopped)
    assert visitor.ask(piece) == [outcome], "another run of the page must not start it again"
    assert other.desk.get("long") is None
    visitor.desk.go_on()
    assert visitor.ask(Piece("long", loop(3), 3)) == [Outcome("whole")]


def test_what_is_nothing_until_it_is_whole_stops_with_nothing(pages):
    """A map of a slow method ends by raising `Stop`; that is no error, and the page says where it stopped."""
    visitor, leave = pages.visitor(), threading.Event()

    def make(on_step):
        for i in range(1000):
            if on_step(i):
                raise Stop
            time.sleep(0.01)

    piece = Piece("map", make, 1000)
    asked = visitor.asks(piece, leave=leave)
    time.sleep(0.3)
    leave.set()
    with pytest.raises(Left):
        asked.result(5)
    visitor.desk.stop("view")
    (outcome,) = visitor.ask(piece)
    assert outcome.value is None
    assert outcome.stopped > 0


def test_stop_answers_within_300_ms_in_line_behind_others(pages):
    """Both places are taken by others' long work that has just begun; and what waits has not."""
    stop_others, leave = threading.Event(), threading.Event()
    others = [pages.visitor().asks(Piece(k, loop(1000, pause=0.1)), leave=stop_others) for k in range(4)]
    time.sleep(0.3)
    visitor = pages.visitor()
    visitor.desk.account.charge(1000)  # somebody who has used a lot
    piece = Piece("mine", loop(10), 10)
    asked = visitor.asks(piece, leave=leave)
    time.sleep(1.5)
    assert any("visitors before you" in text for _, text in visitor.bar.seen)
    leave.set()
    with pytest.raises(Left):
        asked.result(5)
    began = time.monotonic()
    visitor.desk.stop("view")
    (outcome,) = visitor.ask(piece)
    assert time.monotonic() - began < 0.3
    assert outcome == Outcome(None, 0)
    stop_others.set()
    for other in others:
        with pytest.raises(Left):
            other.result(5)


def test_one_visitors_stop_does_not_end_what_another_waits_for(pages):
    first, second, leave = pages.visitor(), pages.visitor(), threading.Event()
    piece = Piece("shared", loop(80), 80)
    stopped, waits = first.asks(piece, leave=leave), second.asks(piece)
    time.sleep(0.3)
    leave.set()
    with pytest.raises(Left):
        stopped.result(5)
    first.desk.stop("view")
    (outcome,) = first.ask(piece)
    assert outcome.value is None
    assert outcome.stopped > 0
    assert waits.result(5) == [Outcome("whole")]


def test_what_nobody_waits_for_ends(pages, monkeypatch):
    monkeypatch.setattr(flights, "GRACE_S", 0.2)
    log, leave = [], threading.Event()
    asked = pages.visitor().asks(Piece("left", loop(10_000, log=log)), leave=leave)
    assert until(lambda: len(log) > 3)
    leave.set()
    with pytest.raises(Left):
        asked.result(5)
    assert until(lambda: not flights._flights), "it is still under way"
    done = len(log)
    time.sleep(0.2)
    assert len(log) == done < 200


def test_a_page_that_runs_again_finds_its_work_where_it_was(pages):
    visitor, log = pages.visitor(), []
    piece = Piece("again", loop(100, log=log), 100)
    for _ in range(3):
        leave = threading.Event()
        asked = visitor.asks(piece, leave=leave)
        time.sleep(0.2)
        leave.set()
        with pytest.raises(Left):
            asked.result(5)
    assert visitor.ask(piece) == [Outcome("whole")]
    assert log == list(range(100))


def test_an_error_reaches_all_who_wait_and_is_not_kept(pages):
    def fails(on_step):
        time.sleep(0.2)
        raise ValueError("the picture is a frog already")

    asked = [pages.visitor().asks(Piece("wrong", fails)) for _ in range(2)]
    for one in asked:
        with pytest.raises(ValueError, match="a frog already"):
            one.result(5)
    assert pages.visitor().ask(Piece("wrong", loop(1))) == [Outcome("whole")]


def test_ask_may_return_early_and_the_rest_goes_on(pages):
    visitor = pages.visitor()
    pieces = [Piece("first", loop(1)), Piece("second", loop(60, pause=0.02))]
    began = time.monotonic()
    assert visitor.ask(*pieces, until=pieces[:1]) == [Outcome("whole"), Outcome(None)]
    assert time.monotonic() - began < 0.8
    assert until(lambda: visitor.desk.get("second") == "whole", 3), "it did not go on"


def test_with_others_in_line_a_page_runs_less_often(pages, monkeypatch):
    """It lingers once more for each of them: with two others 0.9 s instead of 0.3."""
    monkeypatch.setattr(work, "PROGRESS_S", 0.02)
    monkeypatch.setattr(work, "_before", lambda flights: 2)
    pieces = [Piece("first", loop(1)), Piece("second", loop(200, pause=0.02))]
    began = time.monotonic()
    pages.visitor().ask(*pieces, until=pieces[:1], linger=0.3)
    assert time.monotonic() - began >= 0.9


def test_results_of_an_upload_are_the_sessions_own(pages):
    visitor, other = pages.visitor(), pages.visitor()
    mine = Piece("upload/1", loop(1, result=torch.ones(3)), own=True)
    (outcome,) = visitor.ask(mine)
    assert outcome.value is visitor.desk.get("upload/1")
    assert other.desk.get("upload/1") is None
    assert not store.results()._items


def test_what_a_page_shows_is_held_whatever_the_store_forgets(pages):
    visitor = pages.visitor()
    visitor.ask(Piece("seen", loop(1)))
    store.results().clear()
    for _ in range(desks.RUNS):
        visitor.desk.begin()
    assert visitor.desk.get("seen") == "whole"
    for _ in range(desks.RUNS + 1):
        visitor.desk.begin()
    assert visitor.desk.get("seen") is None


def test_another_view_is_not_stopped_by_the_stop_of_the_last(pages):
    visitor = pages.visitor()
    visitor.desk.stop("one view")
    assert visitor.ask(Piece("a", loop(1)), group="one view") == [Outcome(None, 0)]
    assert visitor.ask(Piece("a", loop(1)), group="another view") == [Outcome("whole")]


def test_what_a_page_asks_before_does_not_undo_the_stop_of_what_it_asks_next(pages):
    """Heads are attacked and then curves, in every run; stopped are the curves alone, until the page asks otherwise."""
    visitor = pages.visitor()
    both = lambda: [visitor.ask(Piece(name, loop(1)), group=name)[0] for name in ("heads", "curves")]
    visitor.desk.stop("curves")
    for _ in range(3):
        visitor.desk.begin()
        assert both() == [Outcome("whole"), Outcome(None, 0)]
    visitor.desk.begin()
    visitor.ask(Piece("heads", loop(1)), group="heads")
    visitor.desk.begin()
    assert both() == [Outcome("whole")] * 2


def test_short_work_of_a_connection_is_done_in_turn_and_its_errors_come_back():
    assert flights.turn(Account(), lambda: 42).result(5) == 42
    with pytest.raises(KeyError):
        flights.turn(Account(), lambda: {}["nothing"]).result(5)


def test_what_is_cancelled_while_it_waits_is_not_computed_and_takes_no_turn(monkeypatch):
    """A connection that closed has cancelled what it waited for.

    A result given to that would be an error in the thread.
    """
    made = Turns(1)
    monkeypatch.setattr(flights, "turns", lambda: made)
    log, free = [], threading.Event()
    first = flights.turn(Account(), lambda: free.wait(5))
    gone = flights.turn(Account(), lambda: log.append("gone"))
    assert gone.cancel()
    free.set()
    assert first.result(5)
    assert flights.turn(Account(), lambda: "next").result(5) == "next"
    assert log == []
    assert gone.cancelled()
