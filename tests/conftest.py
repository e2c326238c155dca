"""Fixtures that need something outside the repository: they skip, with the reason, where it is missing.

Small models, draws and made-up pictures are plain functions in `tests/helpers.py`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping._import_hook import _JaxtypingLoader

from core import data
from core.models import Classifier, checkpoints
from tests.app_process import serving
from tests.helpers import tiny

# The first has no window around the page, and nobody to draw one for.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
# One thread: the models here are tiny, sums come out the same every time, and a busy machine does not thrash.
torch.set_num_threads(int(os.environ.get("ROBUST_FROG_THREADS", "1")))


def _keep_apart(self: SourceFileLoader, path: str, content: bytes, *, _mode: int = 0o666) -> None:
    """Keep what is compiled with jaxtyping's checks under a name of its own only.

    It has one where a module is imported. Where `runpy` runs one it would take the name of the module without checks,
    and `python -m core...` would then end in a KeyError, also long after the tests.
    """
    if "jaxtyping" in Path(path).name:
        SourceFileLoader.set_data(self, path, content, _mode=_mode)


_JaxtypingLoader.set_data = _keep_apart


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `gpu` where there is none."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


@pytest.fixture(autouse=True)
def own_state_of_torch() -> Iterator[None]:
    """Each test draws the same weights, alone or after others, and undoes what a command set for its whole process:
    threads, and flushing of denormal numbers."""
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    yield
    torch.set_flush_denormal(False)
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def cifar() -> data.Pictures:
    """The CIFAR-10 test set."""
    try:
        return data.cifar10("test")
    except data.DataError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def checkpoint() -> Callable[[str], Classifier]:
    """A function from a model's name to a model of its own; it skips the test where the weights are missing.

    Most tests only ask whether they are here: each file is read once.
    """
    read: dict[Path, Classifier] = {}

    def load(name: str) -> Classifier:
        path = checkpoints.path_of(name)
        if not path.is_file():
            pytest.skip(f"the weights of {name} are not here; make them with: python -m core.train.zoo build {name}")
        if path not in read:
            read[path] = checkpoints.load(name)
        return deepcopy(read[path])

    return load


@pytest.fixture
def tiny_model() -> Classifier:
    """A ResNet-9 of width 4 with random weights, in eval mode."""
    return tiny()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for playwright's `executable_path`; `$CHROMIUM` names another one."""
    if find_spec("playwright") is None:
        pytest.skip("playwright is not installed; make setup installs it")
    for name in (os.environ.get("CHROMIUM"), *BROWSERS):
        if name and (path := shutil.which(name)):
            return path
    pytest.skip("no Chromium here; on Debian: apt install chromium-headless-shell")


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The running app's address, e.g. http://127.0.0.1:40123; it is stopped after the last test."""
    with serving(tmp_path_factory.mktemp("app") / "server.log") as url:
        yield url
