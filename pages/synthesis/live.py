"""The live connection of hold to morph (`pages.ui.live`).

The canvas says which class is held, and gets a frame for each step.
"""

import asyncio
import base64
import contextlib
import functools
import math
import time
from typing import Any

import numpy as np
import torch
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.files.render import Frames, from_uint8, png
from core.problems import InputError
from core.synthesis.morph import Act, Hold
from pages.synthesis.board import Live
from pages.ui import live as connections
from pages.ui.live import packed, unpacked

PATH = "_morph"  # below the app's address
FRAME_S = 1 / 25  # a film's pace; a faster machine rests in between
JUDGED = 4  # the judge looks at every so many frames of a hold, and at what comes out
AHEAD = 3  # frames that the browser may be behind
LONGEST_HOLD = 3000  # steps, should a release get lost
STEP_AT_MOST = 2.0  # L2, pixel units


class Talk(connections.Talk[Live]):
    """One canvas, and the hold that runs meanwhile."""

    def __init__(self, live: Live, socket: WebSocket) -> None:
        super().__init__(live, socket)
        self.live = live
        self.held_down: asyncio.Event | None = None  # set on release
        self.holding: asyncio.Task[None] | None = None
        self.behind, self.seen = 0, asyncio.Event()

    async def greet(self) -> None:
        """Send the film and the board."""
        await self.tell_all()

    def longest(self) -> int:
        """Return how many characters a painted board has at most."""
        return connections.WORDS + connections.room(self.live.board.film[-1].shape)

    async def leave(self) -> None:
        """End the hold."""
        if self.holding is not None:
            self.holding.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
                await self.holding

    async def hear(self, asked: dict[str, Any]) -> None:
        """Do what the canvas asks; a hold runs on beside, anything else ends it first."""
        what, board = asked.get("do"), self.live.board
        if what == "seen":
            self.behind = max(0, self.behind - 1)
            self.seen.set()
            return
        await self.release()
        match what:
            case "hold":
                hold, act = self.begin(asked)
                self.held_down = asyncio.Event()
                self.holding = asyncio.create_task(self.attempt(self.run(hold, act, self.held_down)))
                return
            case "paint":
                with connections.understood():
                    frames = unpacked(asked["pixels"], board.film[-1].shape)
                board.paint(frames)
            case "start":
                with connections.understood():
                    frames = unpacked([asked["pixels"]], (1, *board.film[-1].shape[1:]))
                board.start(from_uint8(frames), str(asked.get("name", ""))[:60])
            case "anchor":
                board.drop_anchor()
            case "undo":
                board.undo()
            case "film":
                await self.tell_all()
                return
            case _:  # "release"
                return
        await self.tell_board()

    def begin(self, asked: dict[str, Any]) -> tuple[Hold, Act]:
        """Read what is to be held and how."""
        with connections.understood():
            target, step_size = int(asked["target"]), float(asked["step"])
            eps = math.inf if asked["eps"] is None else float(asked["eps"])
        if not (0 <= target < len(self.live.classes) and 0 <= step_size <= STEP_AT_MOST and eps >= 0):
            raise InputError("there is no such class, or the step is too long")
        board = self.live.board
        hold = Hold(self.live.models, board.pictures, board.anchor, target, eps=eps, step_size=step_size)
        return hold, Act(target, 0, eps, step_size)

    async def run(self, hold: Hold, act: Act, released: asyncio.Event) -> None:
        """Step until the button is let go."""
        live, steps, began = self.live, 0, time.monotonic()
        known, far = None, []
        live.board.remember()
        try:
            while not released.is_set() and steps < LONGEST_HOLD:
                started = time.monotonic()
                step = functools.partial(live.step, judged=steps % JUDGED == 0)
                moved = await asyncio.gather(*(self.in_turn(step, hold, k) for k in range(len(live.models))))
                steps += 1
                frame = live.board.add(torch.cat([x for x, _ in moved]))
                says = [told for _, told in moved]
                if known is not None:  # what the models said before this step is about the frame before
                    live.note(known, says, far)
                known, far = frame, self.far()
                ms = 1000 * (time.monotonic() - started)
                self.behind += 1
                await self.tell({"is": "frame", "step": steps, "ms": round(ms, 1), **self.picture(frame, says)})
                await asyncio.sleep(max(0.0, FRAME_S - (time.monotonic() - started)))
                while self.behind >= AHEAD and not released.is_set():
                    self.seen.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.seen.wait(), 1)
        finally:
            if steps:
                live.board.held(Act(act.target, steps, act.eps, act.step_size))
        seconds = round(time.monotonic() - began, 3)
        says = await self.in_turn(live.verdicts)
        now = self.picture(live.board.film[-1], says)
        await self.tell({"is": "released", "steps": steps, "seconds": seconds, "film": len(live.board.film), **now})

    async def release(self) -> None:
        """End the hold, if there is one, after the step that is under way."""
        if self.holding is not None and self.held_down is not None:
            self.held_down.set()
            self.seen.set()
            holding, self.holding, self.held_down = self.holding, None, None
            await holding
            self.behind = 0

    def picture(self, frame: Frames, says: list[dict[str, Any]]) -> dict[str, Any]:
        """Pack a frame with what is known about it."""
        return {"pixels": [packed(x) for x in frame], "says": says, "far": self.far()}

    def far(self) -> list[float]:
        """Say how far each picture is from its anchor."""
        return [round(d, 3) for d in self.live.board.moved.tolist()]

    async def tell_board(self) -> None:
        """Send what is in sight now."""
        board = self.live.board
        says = await self.in_turn(self.live.verdicts)
        state = {"is": "board", "undo": board.can_undo, "film": len(board.film), **self.picture(board.film[-1], says)}
        await self.tell(state)

    async def tell_all(self) -> None:
        """Send the film so far and then what is in sight: for a canvas that has just opened."""
        film = np.stack(self.live.board.film)
        strip = base64.b64encode(await asyncio.to_thread(_film_strip, film)).decode()
        notes = await self.in_turn(self.live.film_notes)
        await self.tell({"is": "film", "frames": len(film), "sprite": strip, "notes": notes})
        await self.tell_board()


def _film_strip(film: np.ndarray) -> bytes:
    """Lay a film (F, M, H, W, C) out in rows of pictures, a row a frame: tall, because pictures may be 65535 high."""
    frames, models, height, width, channels = film.shape
    rows = film.transpose(0, 2, 1, 3, 4).reshape(frames * height, models * width, channels)
    return png(np.ascontiguousarray(rows))


serve = connections.served(Live, Talk)
ROUTES = connections.routes(PATH, serve)
