"""The live connection of hold to morph: a WebSocket beside Streamlit's own, on the same port.

Streamlit reruns a script for everything a widget says, which is too slow for a picture that moves while a button is
held (and a fragment on a timer would rerun for nothing all the time). `st.App` lets an app add routes, so the canvas
talks to this one directly: it says which class is held, and gets a frame for each step. No script runs meanwhile.

Who may connect: whoever knows the token that the page put into the canvas, from a page of the same origin. Each step is
a short job in the line that all work of the app stands in, so a hold shares the cores step by step with other visitors.
"""

import asyncio
import base64
import contextlib
import functools
import json
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from starlette.websockets import WebSocket, WebSocketDisconnect

from core import worlds
from core.files.render import Frames, from_uint8, png
from core.problems import InputError
from core.synthesis.morph import Act, Hold
from pages.synthesis.board import Live, find
from pages.ui import flights
from pages.ui.sockets import may_connect, sockets

PATH = "_morph"  # below the app's address
FRAME_S = 1 / 25  # a film's pace; a faster machine rests in between
JUDGED = 4  # the judge looks at every so many frames of a hold, and at what comes out
AHEAD = 3  # frames that the browser may be behind
LONGEST_HOLD = 3000  # steps, should a release get lost
STEP_AT_MOST = 2.0  # L2, pixel units


async def serve(socket: WebSocket) -> None:
    """Talk to one canvas until it goes away."""
    live = find(socket.path_params["token"])
    if live is None or not await may_connect(socket):
        await socket.close(1008)
        return
    await socket.accept()
    await Talk(live, socket).serve()


class Talk:
    """One connection: what the canvas says, in order, and the hold that runs meanwhile."""

    def __init__(self, live: Live, socket: WebSocket) -> None:
        self.live, self.socket = live, socket
        self.held: asyncio.Event | None = None  # set on release
        self.holding: asyncio.Task[None] | None = None
        self.behind, self.seen = 0, asyncio.Event()

    async def serve(self) -> None:
        """Serve until the canvas goes away, and end its hold then."""
        try:
            await self.tell_all()
            while True:
                await self.hear(await self.next_message())
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            if self.holding is not None:
                self.holding.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await self.holding

    async def next_message(self) -> dict[str, Any]:
        """Wait for a message; what is none is answered."""
        while True:
            try:
                said = json.loads(await self.socket.receive_text())
            except (KeyError, ValueError, RecursionError):  # bytes, or no JSON
                said = None
            if isinstance(said, dict):
                return said
            await self.tell({"is": "problem", "text": "a message must be a JSON object"})

    async def hear(self, asked: dict[str, Any]) -> None:
        """Do what the canvas asks; a hold runs on beside, anything else ends it first."""
        what, board = asked.get("do"), self.live.board
        if what == "seen":
            self.behind = max(0, self.behind - 1)
            self.seen.set()
            return
        await self.release()
        try:
            match what:
                case "hold":
                    hold, act = self.begin(asked)
                    self.held = asyncio.Event()
                    self.holding = asyncio.create_task(self.run(hold, act, self.held))
                    return
                case "paint":
                    board.paint(unpacked(asked["pixels"], board.film[-1].shape))
                case "start":
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
        except (ValueError, KeyError, TypeError, OverflowError) as problem:
            await self.tell({"is": "problem", "text": str(problem)})
            return
        await self.tell_board()

    def begin(self, asked: dict[str, Any]) -> tuple[Hold, Act]:
        """Read what is to be held and how."""
        target, step_size = int(asked["target"]), float(asked["step"])
        eps = math.inf if asked["eps"] is None else float(asked["eps"])
        if not (0 <= target < len(worlds.get().classes) and 0 <= step_size <= STEP_AT_MOST and eps >= 0):
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
        except ValueError as problem:
            await self.tell({"is": "problem", "text": str(problem)})
        finally:
            if steps:
                live.board.held(Act(act.target, steps, act.eps, act.step_size))
        seconds = round(time.monotonic() - began, 3)
        says = await self.in_turn(live.verdicts)
        now = self.picture(live.board.film[-1], says)
        await self.tell({"is": "released", "steps": steps, "seconds": seconds, "film": len(live.board.film), **now})

    async def release(self) -> None:
        """End the hold, if there is one, after the step that is under way."""
        if self.holding is not None and self.held is not None:
            self.held.set()
            self.seen.set()
            await self.holding
            self.holding = self.held = None
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

    async def in_turn(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """Run short work when it is this visitor's turn."""
        future = flights.turn(self.live.account, functools.partial(make, *arguments))
        return await asyncio.wrap_future(future)

    async def tell(self, message: dict[str, Any]) -> None:
        """Send a message."""
        await self.socket.send_text(json.dumps(message))


def _film_strip(film: np.ndarray) -> bytes:
    """Lay a film (F, M, H, W, C) out in rows of pictures, a row a frame: tall, because pictures may be 65535 high."""
    frames, models, height, width, channels = film.shape
    rows = film.transpose(0, 2, 1, 3, 4).reshape(frames * height, models * width, channels)
    return png(np.ascontiguousarray(rows))


def packed(frame: Frames) -> str:
    """Pack an 8-bit picture (H, W, C) as base64."""
    return base64.b64encode(np.ascontiguousarray(frame).tobytes()).decode()


def unpacked(pixels: list[str], shape: tuple[int, ...]) -> Frames:
    """Read what `packed` wrote, for each of the pictures of that shape (M, H, W, C).

    Raises:
        ValueError: If it is not as long as it should be.
    """
    if len(pixels) != shape[0]:
        raise InputError(f"expected {shape[0]} pictures, got {len(pixels)}")
    raw = b"".join(base64.b64decode(text, validate=True) for text in pixels)
    if len(raw) != math.prod(shape):
        raise InputError(f"expected {math.prod(shape)} bytes, got {len(raw)}")
    return np.frombuffer(raw, np.uint8).reshape(shape).copy()


ROUTES = sockets(f"{PATH}/{{token}}", serve)
