"""What all tests of pages need."""

import pytest


@pytest.fixture(autouse=True)
def patient_address(monkeypatch):
    """AppTest never brings the address that a page wrote.

    On a busy machine a run takes longer than a browser needs to.
    """
    monkeypatch.setattr("pages.ui.address.STALE_S", 600.0)
