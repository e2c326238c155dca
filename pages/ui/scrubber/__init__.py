"""The scrubber: trajectories of pictures, played in the browser with no server run while the slider moves.

A page computes a trajectory once (an eps sweep, the iterates of an inversion), says what each row shows, and mounts it:

    axis = Axis(name="ε", values=eps, labels=("0", "1/255", …), unit="ℓ∞, pixels in [0, 1]")
    scrubber([Row(title="Standard", …), Row(title="Robust", …)], axis, key="sweep", own=picture.private)

All rows move together. Each travels as lossless PNG (its reference picture, then its frames) and int16 (its
perturbation, which 8-bit pictures cannot carry when it is amplified), in pieces: the frame in sight with the page, the
others fetched after it, nearest first (`route`). Small pictures are a single piece. Nothing here knows what an attack
is.
"""

from core.files.trajectory import Axis, Row
from core.files.wire import payload
from pages.ui.scrubber.mount import frame_in_sight, reported, scrubbed, scrubber

__all__ = ["Axis", "Row", "frame_in_sight", "payload", "reported", "scrubbed", "scrubber"]
