"""Hold to morph: the same drawing in several models' hands, each moving its copy toward a class for as long as asked.

    board = Board.of(x, models=2)
    hold = Hold((standard, robust), board.pictures, board.anchor, target=FROG, eps=6.0, step_size=0.15)
    board.add(torch.cat([hold.advance(k, 1) for k in range(2)]))        # one frame of the film

board     a hold, which is the one loop, run a few steps at a time; and the drawing with its film, undo and replay
starts    what a board may begin with, by name: sketches, draws from a class, pictures
links     a board as a recipe and as a program, and back

Every start and every stroke is 8-bit, so a board can be written down as one picture and the holds since, and that comes
out the same to the last bit.
"""

from core.synthesis.morph.board import Act, Board, Hold, replay
from core.synthesis.morph.links import STEP, acts_of, described, limit, opened, script
from core.synthesis.morph.starts import SKETCHES, start

__all__ = [
    "SKETCHES",
    "STEP",
    "Act",
    "Board",
    "Hold",
    "acts_of",
    "described",
    "limit",
    "opened",
    "replay",
    "script",
    "start",
]
