"""Pages are made a few at a time; who waits holds nobody up, and who fails does not keep the place."""

import threading
import time
from contextlib import nullcontext

import pytest

from pages.ui import doors


@pytest.fixture(autouse=True)
def two(monkeypatch):
    """Two places of this test's own."""
    places = threading.Semaphore(2)
    monkeypatch.setattr(doors, "_places", lambda: places)
    return places


def free(places):
    """How many places nobody holds."""
    taken = 0
    while places.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        places.release()
    return taken


def started(runs):
    threads = [threading.Thread(target=run) for run in runs]
    for thread in threads:
        thread.start()
    return threads


def ended(threads):
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


def test_no_more_than_there_are_places_are_inside_and_all_get_in():
    here, most, came, lock = 0, 0, 0, threading.Lock()

    def page():
        nonlocal here, most, came
        with doors.inside():
            with lock:
                here, came = here + 1, came + 1
                most = max(most, here)
            time.sleep(0.01)
            with lock:
                here -= 1

    ended(started([page] * 8))
    assert (most, came) == (2, 8)


def test_who_only_waits_leaves_the_place_to_others_and_gets_one_back(two):
    waiting, go, back, look = threading.Barrier(3), threading.Event(), threading.Barrier(3), threading.Event()

    def page():
        with doors.inside():
            with doors.outside():
                waiting.wait(10)
                go.wait(10)
            back.wait(10)
            look.wait(10)

    threads = started([page] * 2)
    waiting.wait(10)
    assert free(two) == 2
    assert not doors.rush()
    go.set()
    back.wait(10)
    assert free(two) == 0
    assert doors.rush()
    look.set()
    ended(threads)
    assert free(two) == 2
    assert not doors.rush()


def test_a_page_that_fails_or_is_interrupted_gives_its_place_back(two):
    def page(problem, waits):
        with doors.inside(), doors.outside() if waits else nullcontext():
            raise problem

    for problem in (ValueError, KeyboardInterrupt):
        for waits in (False, True):
            with pytest.raises(problem):
                page(problem, waits)
    assert free(two) == 2
    assert not doors.rush()


def test_nobody_is_kept_out_for_long_and_gives_back_no_place_that_was_never_had(two, monkeypatch):
    monkeypatch.setattr(doors, "PATIENCE_S", 0.01)
    two.acquire(), two.acquire()
    with doors.inside(), doors.outside():
        assert not doors.rush()
    assert free(two) == 0
    assert not doors.rush()


def test_outside_without_a_place_is_nothing(two):
    with doors.outside():
        pass
    assert free(two) == 2
    assert not doors.rush()
