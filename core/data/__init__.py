"""Pictures: labelled sets (`sets`), one picture by its name (`pictures`), and a stranger's file (`decode`).

For example:

        from core import data
        test = data.cifar10("test")
        x, y = test.x(range(8)), test.y(range(8))
"""

from core.data.sets import (
    CIFAR10_CLASSES,
    CIFAR10_SIZES,
    CIFAR10_VARIABLE,
    DataError,
    Pictures,
    cifar10,
    cifar10_root,
    from_folder,
    from_npz,
)

__all__ = [
    "CIFAR10_CLASSES",
    "CIFAR10_SIZES",
    "CIFAR10_VARIABLE",
    "DataError",
    "Pictures",
    "cifar10",
    "cifar10_root",
    "from_folder",
    "from_npz",
]
