"""How far a run is."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger("core.train")


@dataclass(frozen=True)
class Progress:
    """Where a run stands: mean loss and accuracy (of the pictures trained on) in this epoch, and the time left."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float
    rate: float
    eta_s: float


OnProgress = Callable[[Progress], bool | None]


def reporter(every_s: float = 15.0) -> OnProgress:
    """Make an `on_progress` that logs a line now and then: epoch, loss, accuracy, rate, time left."""
    last = 0.0

    def report(p: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= every_s or p.step == p.steps - 1:
            last = time.monotonic()
            log.info(
                "epoch %d step %d/%d  loss %.3f  accuracy %.1f %%  lr %.4f  %d min left",
                p.epoch + 1,
                p.step + 1,
                p.steps,
                p.loss,
                100 * p.accuracy,
                p.rate,
                round(p.eta_s / 60),
            )

    return report
