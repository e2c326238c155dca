"""Standard and adversarial training in one loop: the inner attack is an argument.

    python -m core.train --arch resnet9 --epochs 12 --out model.safetensors
    python -m core.train --arch resnet9 --epochs 20 --norm L2 --eps 0.5 --inner-steps 1 --out robust.safetensors
    torchrun --nproc-per-node 2 -m core.train ...

Madry et al. (2018): minimise E[max over the ball of the loss]; the maximum is found by the same loop that makes
adversarial examples. A run keeps its state in a folder after every epoch; every draw comes from (seed, epoch), so a run
that was killed goes on to the same weights as one that was not (bit for bit on one device with the same threads).
"""

from core.train.loop import OnEpoch, fit, initialise, learning_rate
from core.train.losses import LossFn
from core.train.processes import join_processes
from core.train.recipes import InnerAttack, TrainRecipe
from core.train.report import OnProgress, Progress, reporter

__all__ = [
    "InnerAttack",
    "LossFn",
    "OnEpoch",
    "OnProgress",
    "Progress",
    "TrainRecipe",
    "fit",
    "initialise",
    "join_processes",
    "learning_rate",
    "reporter",
]
