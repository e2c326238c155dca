"""What is imported beside a server that has just started."""

import sys

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
