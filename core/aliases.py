"""Names that modules had before each topic had a folder: old commands, scripts and imports keep working.

    python -m core.zoo list                    # runs core.train.zoo
    from core.balls import L2                  # is core.attacks.balls.L2

One finder serves them all, so that there is no file for a name that no longer is one.
"""

import importlib
import sys
from collections.abc import Iterable
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import cast

OLD = {
    "core.balls": "core.attacks.balls",
    "core.objectives": "core.attacks.objectives",
    "core.recording": "core.attacks.recording",
    "core.rules": "core.attacks.rules",
    "core.decode": "core.data.decode",
    "core.pictures": "core.data.pictures",
    "core.construct.live": "core.datasets.live",
    "core.construct": "core.datasets.construct",
    "core.experiments": "core.datasets.experiments",
    "core.students": "core.datasets.student",
    "core.exports": "core.files.arrays",
    "core.render": "core.files.render",
    "core.gaussian_drawing": "core.gaussian.drawing",
    "core.gaussian_fit": "core.gaussian.fit",
    "core.gaussian_views": "core.gaussian.views",
    "core.emergence": "core.inversion.emergence",
    "core.inversion_views": "core.inversion.views",
    "core.checkpoints": "core.models.checkpoints",
    "core.models.admitted": "core.data.admitted",
    "core.models.pickles": "core.data.pickles",
    "core.normalization": "core.models.normalization",
    "core.saliency.command": "core.saliency.measure",
    "core.gallery": "core.synthesis.gallery",
    "core.synthesis_results": "core.synthesis.measure",
    "core.synthesis_views": "core.synthesis.studio",
    "core.planted.bayes": "core.data.planted.bayes",
    "core.planted.scenes": "core.data.planted.scenes",
    "core.planted.world": "core.data.planted.world",
    "core.morph": "core.synthesis.morph",
    "core.recipes.datasets": "core.datasets.recipe",
    "core.recipes.gaussian": "core.gaussian.recipe",
    "core.recipes.invert": "core.inversion.recipe",
    "core.recipes.perturb": "core.perturb.recipe",
    "core.recipes.saliency": "core.saliency.recipe",
    "core.recipes.synthesis": "core.synthesis.recipe",
    "core.recipes.transfer": "core.transfer.recipe",
    "core.recipes.usefulness": "core.usefulness.recipe",
    "core.evaluate": "core.train.evaluate",
    "core.zoo": "core.train.zoo",
    "core.goh": "core.usefulness.linear",
}
# A file that was split: its command went elsewhere than its name.
COMMANDS = {"core.emergence": "core.inversion.measure"}
# Recipes left `core.recipes` for their topics; scripts that were copied before ask for them there.
RECIPES = {
    "DatasetsRecipe": "core.datasets.recipe",
    "GaussianRecipe": "core.gaussian.recipe",
    "InvertRecipe": "core.inversion.recipe",
    "PerturbRecipe": "core.perturb.recipe",
    "SaliencyRecipe": "core.saliency.recipe",
    "SynthesisRecipe": "core.synthesis.recipe",
    "TransferRecipe": "core.transfer.recipe",
    "UsefulnessRecipe": "core.usefulness.recipe",
}


def today(name: str) -> str | None:
    """Return the present name of a module, or None if it never had another."""
    old = next((old for old in OLD if name == old or name.startswith(f"{old}.")), None)
    return None if old is None else OLD[old] + name[len(old) :]


class _SameModule(Loader):
    """Loads the module of the present name; `python -m` asks for its code instead."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - the protocol's
        module = importlib.import_module(self._name)
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back; it is loaded already."""
        module.__spec__ = self._own

    def get_code(self, name: str) -> CodeType:
        spec = find_spec(COMMANDS.get(name, self._name))
        assert isinstance(spec, ModuleSpec)
        assert isinstance(spec.loader, InspectLoader)
        return cast("CodeType", spec.loader.get_code(spec.name))


class Finder(MetaPathFinder):
    """Finds modules by their old names."""

    def find_spec(
        self,
        fullname: str,
        path: Iterable[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return a spec whose loader hands out the module of the present name."""
        name = today(fullname)
        if name is None:
            return None
        there = find_spec(name)
        package = there is not None and there.submodule_search_locations is not None
        return ModuleSpec(fullname, _SameModule(name), origin=there.origin if there else None, is_package=package)


def install() -> None:
    """Let Python find old names from now on."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())
