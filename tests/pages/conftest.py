"""What all tests of pages need."""

import pytest


@pytest.fixture(autouse=True)
def patient_address(monkeypatch):
    """AppTest never brings the address that a page wrote.

    On a busy machine a run takes longer than a browser needs to.
    """
    monkeypatch.setattr("pages.ui.address.STALE_S", 600.0)


@pytest.fixture(autouse=True)
def short_search(monkeypatch):
    """The search for the smallest perturbation takes few steps.

    How close more of them come is tested where it is made, in tests/core/test_sweep.py.
    """
    monkeypatch.setattr("pages.perturb.work.CLOSEST_STEPS", 6)
