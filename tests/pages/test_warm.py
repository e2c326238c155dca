"""What runs beside a server: imports, and the collection of garbage."""

import gc
import sys
import threading
import weakref
from types import SimpleNamespace

import pytest
from streamlit import config, runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from pages.ui import doors, warm


def test_every_page_finds_its_modules_imported(monkeypatch):
    monkeypatch.setattr(warm, "BREATH_S", 0)
    names = warm.modules()
    assert {"pages.transfer.matrix", "pages.datasets.build", "pages.ui.shell"} <= set(names)
    assert not [name for name in names if name.endswith(".page")], "a page is a script"
    warm.import_all()
    assert not [name for name in names if name not in sys.modules]


def test_one_that_cannot_be_imported_does_not_keep_the_others(monkeypatch, caplog):
    monkeypatch.setattr(warm, "BREATH_S", 0)
    monkeypatch.setattr(warm, "modules", lambda: ["pages.nowhere.nothing", "pages.ui.rows"])
    monkeypatch.delitem(sys.modules, "pages.ui.rows", raising=False)
    warm.import_all()
    assert "pages.nowhere.nothing cannot be imported" in caplog.text
    assert "pages.ui.rows" in sys.modules


class Knot:
    """Garbage, once it is let go."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def collecting():
    """Make a knot that only a collection takes apart, run `warm.collect` for half a second, tell whether it is gone."""
    gc.collect()
    gc.disable()

    def run(**settings):
        gone, ended = weakref.ref(Knot()), threading.Event()
        assert gone() is not None
        collector = threading.Thread(target=warm.collect, args=(ended, 0.01), kwargs=settings)
        collector.start()
        collector.join(0.5)
        ended.set()
        collector.join(5)
        assert not collector.is_alive()
        return gone() is None

    yield run
    gc.enable()


def test_garbage_is_collected_beside_the_server_and_not_after_every_run(collecting):
    assert collecting()
    assert config.get_option("runner.postScriptGC") is False


def test_while_pages_are_made_garbage_waits_but_not_for_ever(collecting):
    with doors.inside():
        assert not collecting()
        assert collecting(latest=0.1)
        with doors.outside():
            assert collecting()


def test_sessions_whose_browser_does_not_come_back_are_let_go(monkeypatch):
    class Left:
        class session:  # noqa: N801 - as Streamlit names it
            id = "somebody"

    storage, left = MemorySessionStorage(ttl_seconds=0), Left()
    gone = weakref.ref(left)
    storage.save(left)
    del left
    assert gone() is not None, "Streamlit lets go by itself now"
    assert storage.get("somebody") is None
    server = SimpleNamespace(_session_mgr=SimpleNamespace(_session_storage=storage))
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: server)
    warm.let_go()
    assert gone() is None


def test_a_streamlit_that_keeps_them_elsewhere_is_left_alone(monkeypatch):
    warm.let_go()
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", object)
    warm.let_go()
