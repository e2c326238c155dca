"""What runs beside a server: imports, and the collection of garbage."""

import gc
import sys
import threading
import weakref

from streamlit import config

from pages.ui import warm


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


def test_garbage_is_collected_beside_the_server_and_not_after_every_run():
    class Knot: ...

    knot = Knot()
    knot.itself = knot
    gone, ended = weakref.ref(knot), threading.Event()
    gc.collect()
    gc.disable()
    try:
        del knot
        assert gone() is not None
        collector = threading.Thread(target=warm.collect, args=(ended, 0.01))
        collector.start()
        collector.join(0.5)
        ended.set()
        collector.join(5)
    finally:
        gc.enable()
    assert gone() is None
    assert not collector.is_alive()
    assert config.get_option("runner.postScriptGC") is False
