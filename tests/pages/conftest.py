"""What all tests of pages need."""

import functools
from collections.abc import Iterator

import pytest
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(autouse=True, scope="session")
def scanned_once() -> Iterator[None]:
    """AppTest reads the metadata of every installed package at each run of a page, in search of components.

    They do not change, and reading them takes longer than many a page.
    """
    with pytest.MonkeyPatch.context() as here:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        here.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def patient_address(monkeypatch):
    """AppTest never brings the address that a page wrote.

    On a busy machine a run takes longer than a browser needs to.
    """
    monkeypatch.setattr("pages.ui.address.STALE_S", 600.0)


@pytest.fixture(autouse=True)
def charts_at_once(monkeypatch):
    """No browser here has anything to read."""
    monkeypatch.setattr("pages.ui.charts.KEPT_BACK_S", 0.0)


@pytest.fixture(autouse=True)
def short_search(monkeypatch):
    """The search for the smallest perturbation takes few steps.

    How close more of them come is tested where it is made, in tests/core/test_sweep.py.
    """
    monkeypatch.setattr("pages.perturb.work.CLOSEST_STEPS", 6)
