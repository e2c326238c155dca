"""The Synthesis page without its pictures, and the live connection of the canvas without a browser."""

import asyncio
import base64
import gc
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from streamlit.web.server import server_util

from core.data import pictures
from core.data.sets import CIFAR10_CLASSES
from core.files import render
from core.files.render import to_uint8
from core.models import checkpoints
from core.rates import Estimate
from core.recipes import to_query
from core.synthesis import morph, studio
from core.synthesis.measure import RESULTS, SOURCES
from core.synthesis.morph import Board
from core.synthesis.recipe import SynthesisRecipe
from pages.inversion import emergence
from pages.synthesis import (
    live as synthesis_live,
)
from pages.synthesis import (
    measured as synthesis_measured,
)
from pages.synthesis import (
    morph as synthesis_morph,
)
from pages.synthesis import (
    studio as synthesis_studio,
)
from pages.synthesis.board import Live
from pages.synthesis.live import Talk, serve
from pages.ui import store
from pages.ui.desks import DESK
from pages.ui.live import FAULT, find, packed
from tests.app_process import ROOT
from tests.helpers import images, tiny
from tests.pages.tools import Socket, html, ran, stop_once

PAGE = str(ROOT / "pages" / "synthesis" / "page.py")
DEFAULTS = SynthesisRecipe()


# The live connection


def live_of(seed: int = 0) -> Live:
    board = Board.of(images(1, size=32, seed=seed), 2, "blank")
    return Live(board, (tiny(seed=1), tiny(seed=2)), tiny(seed=3))


def talk(script, live: Live | None = None, *, origin: str | None = None) -> tuple[Live, Socket]:
    """Connect, let the script act as the browser, and hang up."""
    live = live if live is not None else live_of()

    async def go() -> Socket:
        socket = Socket(live.token, origin)
        serving = asyncio.create_task(serve(socket))
        await socket.until("board")
        await script(socket)
        socket.says.put_nowait(None)
        await asyncio.wait_for(serving, 60)
        return socket

    return live, asyncio.run(go())


def pixels(message: dict) -> np.ndarray:
    return np.stack([np.frombuffer(base64.b64decode(p), np.uint8).reshape(32, 32, 3) for p in message["pixels"]])


async def hold_for(socket: Socket, frames: int, target: int = 4, eps: float | None = 6.0) -> dict:
    before = sum(m["is"] == "frame" for m in socket.heard)
    released = sum(m["is"] == "released" for m in socket.heard)
    socket.say(do="hold", target=target, eps=eps, step=0.15)
    await socket.until("frame", before + frames)
    socket.say(do="release")
    return await socket.until("released", released + 1)


def replayed(live: Live) -> torch.Tensor:
    """The pictures in sight, computed anew from the origin and the holds."""
    board = live.board
    return morph.replay(
        render.from_uint8(board.origin), render.from_uint8(board.origin_anchor), board.acts, live.models
    )


def test_a_hold_streams_frames_until_it_is_released():
    async def browser(socket):
        await hold_for(socket, 3)

    live, socket = talk(browser)
    frames = [m for m in socket.heard if m["is"] == "frame"]
    released = socket.heard[-1]
    assert [f["step"] for f in frames] == list(range(1, len(frames) + 1))
    assert live.board.acts == (morph.Act(4, len(frames), 6.0, 0.15),)
    assert len(live.board.film) == 1 + len(frames) == released["film"]
    for sent, kept in zip(frames, live.board.film[1:], strict=True):
        np.testing.assert_array_equal(pixels(sent), kept)
    np.testing.assert_array_equal(pixels(released), to_uint8(live.board.pictures))
    assert torch.equal(replayed(live), live.board.pictures)


def test_what_is_said_of_the_result_is_what_the_models_say():
    live, socket = talk(lambda socket: hold_for(socket, 2))
    for k, told in enumerate(socket.heard[-1]["says"]):
        with torch.no_grad():
            own, third = (
                live.models[k](live.board.pictures[k : k + 1])[0],
                live.judge(live.board.pictures[k : k + 1])[0],
            )
        assert told["says"][0][0] == CIFAR10_CLASSES[int(own.argmax())]
        assert told["judge"][0][1] == pytest.approx(float(third.softmax(0).max()), abs=1e-3)


def test_undo_and_painting_and_starting_anew():
    painted = np.full((2, 32, 32, 3), 17, np.uint8)

    async def browser(socket):
        await hold_for(socket, 2, eps=None)
        socket.say(do="paint", pixels=[packed(x) for x in painted])
        board = await socket.until("board", 2)
        np.testing.assert_array_equal(pixels(board), painted)
        assert board["far"] == [0, 0]
        socket.say(do="undo")
        await socket.until("board", 3)
        socket.say(do="start", pixels=packed(painted[0]), name="gallery/3")
        await socket.until("board", 4)
        socket.say(do="film")
        await socket.until("film", 2)

    live, socket = talk(browser)
    boards = [m for m in socket.heard if m["is"] == "board"]
    released = next(m for m in socket.heard if m["is"] == "released")
    np.testing.assert_array_equal(pixels(boards[2]), pixels(released))
    assert live.board.name == "gallery/3"
    assert [len(live.board.film), socket.heard[-2]["frames"]] == [1, 1]


@pytest.mark.parametrize(
    "message",
    [
        {"do": "hold", "target": 10, "eps": 1, "step": 0.1},
        {"do": "hold", "target": "cat", "eps": 1, "step": 0.1},
        {"do": "hold", "target": 1, "eps": -1, "step": 0.1},
        {"do": "hold", "target": 1, "eps": 1, "step": 1e9},
        {"do": "hold"},
        {"do": "paint", "pixels": ["AAAA", "AAAA"]},
        {"do": "paint", "pixels": "nonsense"},
        {"do": "start", "pixels": "%%%"},
    ],
)
def test_nonsense_is_answered_with_a_sentence_and_changes_nothing(message):
    async def browser(socket):
        socket.say(**message)
        await socket.until("problem")
        socket.say(do="film")
        await socket.until("board", 2)  # it still talks

    live, _ = talk(browser)
    assert (len(live.board.film), live.board.acts, live.board.can_undo) == (1, (), False)


def test_a_hold_that_meets_a_fault_of_ours_says_so_at_once_and_another_can_begin(monkeypatch, caplog):
    live = live_of()
    works = live.step
    live.step = lambda *_, **__: (_ for _ in ()).throw(RuntimeError("/secret/path"))

    async def browser(socket):
        socket.say(do="hold", target=1, eps=None, step=0.1)
        assert (await socket.until("problem"))["text"] == FAULT
        live.step = works
        await hold_for(socket, 2)

    talk(browser, live)
    assert "/secret/path" in caplog.text


def test_a_lost_release_ends_with_the_connection():
    async def browser(socket):
        socket.say(do="hold", target=1, eps=None, step=0.1)
        await socket.until("frame", 2)

    live, _ = talk(browser)
    assert live.board.acts[0].steps == len(live.board.film) - 1


def test_a_hold_ends_by_itself_in_the_end(monkeypatch):
    monkeypatch.setattr(synthesis_live, "LONGEST_HOLD", 2)

    async def browser(socket):
        socket.say(do="hold", target=1, eps=None, step=0.1)
        await socket.until("released")

    live, _ = talk(browser)
    assert live.board.acts[0].steps == 2


def test_two_visitors_hold_at_once_and_do_not_meet():
    async def both():
        lives = [live_of(seed) for seed in (0, 5)]
        sockets = [Socket(live.token) for live in lives]
        serving = [asyncio.create_task(serve(socket)) for socket in sockets]
        for socket in sockets:
            await socket.until("board")
        await asyncio.gather(*(hold_for(socket, 3, target=k) for k, socket in enumerate(sockets)))
        for socket in sockets:
            socket.says.put_nowait(None)
        await asyncio.gather(*serving)
        return lives

    for k, live in enumerate(asyncio.run(both())):
        assert live.board.acts[0].target == k
        assert torch.equal(replayed(live), live.board.pictures)


@pytest.mark.parametrize(("token", "origin"), [("guess", None), (None, "http://elsewhere:1"), (None, "null")])
def test_strangers_are_turned_away(token, origin, monkeypatch):
    monkeypatch.setattr(server_util, "is_url_from_allowed_origins", lambda _: False)  # it asks the network who we are
    live = live_of()
    socket = Socket(token or live.token, origin)
    asyncio.run(serve(socket))
    assert socket.closed == 1008
    assert not socket.accepted


def test_whom_streamlit_lets_in_may_draw(monkeypatch):
    """Behind a proxy that sets Host, and for origins that the operator allows."""
    monkeypatch.setattr(server_util, "is_url_from_allowed_origins", lambda url: url == "https://lab.example.org")
    talk(lambda socket: asyncio.sleep(0), origin="https://lab.example.org")


@pytest.mark.parametrize(
    "message",
    ["5", "[]", "null", "no JSON", b"bytes", "[" * 9_000, '{"do":"hold","target":1e999,"step":0.1,"eps":null}'],
)
def test_an_odd_message_is_answered_and_the_canvas_goes_on(message):
    async def browser(socket):
        socket.says.put_nowait(message)
        await socket.until("problem")
        await hold_for(socket, 1)

    _, socket = talk(browser)
    assert sum(m["is"] == "problem" for m in socket.heard) == 1


def test_the_same_origin_is_let_in():
    talk(lambda socket: asyncio.sleep(0), origin="http://here:1")


def test_a_board_goes_with_its_session():
    live = live_of()
    token = live.token
    assert find(token) is live
    del live
    gc.collect()
    assert find(token) is None


def test_a_slow_browser_is_waited_for(monkeypatch):
    async def browser(socket):
        monkeypatch.setattr(
            socket, "say", lambda **m: socket.says.put_nowait(json.dumps(m)) if m["do"] != "seen" else None
        )
        socket.say(do="hold", target=1, eps=None, step=0.1)
        await socket.until("frame", synthesis_live.AHEAD)
        await asyncio.sleep(0.5)
        assert sum(m["is"] == "frame" for m in socket.heard) == synthesis_live.AHEAD
        socket.say(do="release")
        await socket.until("released")

    talk(browser)


def test_talks_take_turns_with_all_other_work():
    assert Talk(live_of(), Socket()).behind == 0
    assert asyncio.run(Talk(live_of(), Socket()).in_turn(sum, (1, 2))) == 3


def test_streamlit_finds_the_app_with_its_routes():
    """`streamlit run app.py` serves the connection only if it sees an `st.App` in that file."""
    from streamlit.web.server.app_discovery import discover_asgi_app

    assert discover_asgi_app(ROOT / "app.py").import_string == "app:app"
    assert [route.path for route in synthesis_live.ROUTES] == ["/_morph/{token}", "/{base:path}/_morph/{token}"]


# The page


@pytest.fixture
def models(checkpoint, monkeypatch):
    """The two models that the page opens with; nothing is left in the store."""
    for name in (DEFAULTS.standard, DEFAULTS.robust):
        checkpoint(name)
    monkeypatch.setattr(synthesis_measured.measured, "__defaults__", (ROOT / "nowhere.json",))
    monkeypatch.setattr(synthesis_morph, "JUDGE", "none")
    monkeypatch.setattr(synthesis_studio, "JUDGE", "none")
    monkeypatch.setattr(studio, "BATCH", 4)
    store.forget()
    yield
    store.forget()


@pytest.fixture
def mounted(monkeypatch):
    """What the page hands to the canvas, most recent last."""
    seen = []
    monkeypatch.setattr(synthesis_morph, "canvas", lambda live, **given: seen.append((live, given)))
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180)
    for name, value in {"picture": "photo/chelsea", **query}.items():
        app.query_params[name] = value
    return ran(app)


SHORT = {"start": "sketch/pond", "holds": "frog:2"}


def test_it_opens_with_a_board_that_its_link_describes(models, mounted):
    app = opened(**SHORT)
    live, given = mounted[-1]
    assert len(live.board.film) == 3
    assert [title for title, _ in given["titles"]] == ["Standard ResNet-9", "Robust ResNet-9"]
    assert {"blank", "photo/chelsea", "sketch/pond", "seed/cat/0"} <= {name for name, _, _ in given["starts"]}
    assert app.query_params["holds"] in ("frog:2", ["frog:2"])
    assert not app.error


def test_a_run_keeps_the_board_and_a_link_replaces_it(models, mounted):
    app = opened(**SHORT)
    first = mounted[-1][0]
    first.board.paint(np.zeros_like(first.board.film[-1]))
    app = ran(app)
    assert mounted[-1][0] is first
    assert "holds" not in app.query_params, "strokes are in no link"
    app.query_params["holds"] = "cat:1"
    ran(app)
    assert mounted[-1][0] is not first
    assert mounted[-1][0].board.acts[0].target == 3


def test_a_picked_picture_comes_onto_the_canvas(models, mounted):
    app = opened(**SHORT)
    live, given = mounted[-1]
    app.query_params["picture"] = "photo/coffee"
    ran(app)
    assert live.board.name == "photo/coffee"
    assert mounted[-1][1]["version"] == given["version"] + 1


def test_presets_and_reset(models, mounted):
    app = opened(**SHORT)
    ran(app.button(key="synthesis-preset-1").click())
    assert mounted[-1][0].board.name == "sketch/face"
    assert [act.target for act in mounted[-1][0].board.acts] == [3, 5, 3]


@pytest.mark.parametrize("query", [{"start": "seed/zebra/0"}, {"start": "upload/123456789012"}])
def test_a_bad_start_is_one_sentence(query, models, mounted):
    app = opened(**query)
    assert len(app.error) == 1


def test_bad_values_fall_back(models, mounted):
    opened(holds="zebra:1,frog:x", reach="-3", view="nonsense", start="blank")
    live, given = mounted[-1]
    assert (live.board.acts, given["eps"]) == ((), DEFAULTS.reach)


def test_both_views_open_offline(models, monkeypatch, tmp_path):
    """With the real canvas and the real scrubber."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")
    for view in ("morph", "studio"):
        app = opened(view=view, steps="10", **SHORT)
        assert not app.error
        assert not app.warning


def test_without_models_it_says_how_to_make_them(monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    assert "make zoo" in opened().warning[0].value


@pytest.mark.parametrize("task", ["generate", "inpaint", "feature"])
def test_the_studio_shows_what_the_core_paints(task, models, monkeypatch):
    seen = []
    monkeypatch.setattr(
        synthesis_studio, "scrubbed", lambda rows, axis, key, default, *, own: seen.append((rows, axis)) or 40
    )
    app = opened(view="studio", task=task, steps="10")
    assert not app.error
    rows, axis = seen[-1]
    recipe = SynthesisRecipe(view="studio", task=task, picture="photo/chelsea", steps=10)
    for row, name in zip(rows, (recipe.standard, recipe.robust), strict=True):
        made = studio.studio(recipe, name)
        np.testing.assert_array_equal(row.frames, synthesis_studio.sheets(made.frames))
        assert axis.labels == tuple(map(str, made.steps))


def test_what_the_studio_makes_of_an_upload_is_the_sessions_own(models, monkeypatch):
    asked = []
    monkeypatch.setattr(synthesis_studio, "JUDGE", DEFAULTS.standard)
    monkeypatch.setattr(
        synthesis_studio, "scrubbed", lambda rows, axis, key, default, *, own: asked.append(own) or default
    )
    app = opened(view="studio", task="inpaint", steps="10")
    shared = set(store.results()._items)
    assert [key for key in shared if "studio-judged" in key and store.stamp(DEFAULTS.standard) in str(key)]
    mine = pictures.from_upload(render.png(np.full((32, 32, 3), 77, np.uint8)), "mine.png")
    app.session_state["picture-upload"], app.session_state["picture"] = mine, mine.id
    ran(app)
    assert set(store.results()._items) == shared and asked[-1] and not asked[0]
    assert [key for key in app.session_state[DESK].own._items if "studio-judged" in key]


def test_what_is_picked_goes_to_the_shelf_and_onto_the_canvas(models, mounted, monkeypatch):
    monkeypatch.setattr(synthesis_studio, "scrubbed", lambda rows, axis, key, default, *, own: 10)
    app = opened(view="studio", steps="10", target="ship")
    ran(app.button(key="studio-pick-2").click())
    ran(app.button(key="studio-pick-2").click())
    assert len(app.session_state["studio-shelf"]) == 1
    kept = app.session_state["studio-shelf"][0][0]
    ran(app.button(key="studio-paint").click())
    np.testing.assert_array_equal(mounted[-1][0].board.film[-1][1], kept)


def test_exports_are_the_board():
    board = live_of().board
    frames = board.film[-1].copy()
    frames[0, :3] = 0
    board.paint(frames)
    files = {file.name: file.make() for file in synthesis_morph.files(DEFAULTS, board)}
    for k, name in enumerate((DEFAULTS.standard, DEFAULTS.robust)):
        with render.Image.open(render.io.BytesIO(files[f"morph-{k + 1}-{name}.png"])) as saved:
            np.testing.assert_array_equal(np.asarray(saved), frames[k])
    with render.Image.open(render.io.BytesIO(files["morph-film.png"])) as film:
        film.seek(film.n_frames - 1)
        last = np.asarray(film.convert("RGB"))[::8, ::8]
    np.testing.assert_array_equal(last, render.sheet(list(frames), 2))
    with np.load(render.io.BytesIO(files["morph.npz"])) as arrays:
        np.testing.assert_array_equal(arrays["film"][-1], frames)


def test_the_table_names_every_network_with_its_interval(tmp_path):
    rate = {"value": 0.5, "interval": [0.4, 0.6], "hits": 5, "n": 10}
    seen = {v: {**rate, "by_class": dict.fromkeys(CIFAR10_CLASSES, rate)} for v in ("one", "two")}
    row = {"recognised": seen, "moved_mean": 5.5, "moved_interval": [5.4, 5.6], "steps": 40}
    report = {
        "per_class": 1,
        "seed": 0,
        "date": "2026-11-21",
        "how": "somehow",
        "starts": {"recognised": seen},
        "painted": {"one": {"6": row, "1": row}},
        "cpu_seconds_per_batch_of_16": {"one": 2.5},
    }
    path = tmp_path / "found.json"
    path.write_text(json.dumps(report))

    def page(file):
        from pathlib import Path

        from pages.synthesis.measured import measured

        measured(Path(file))

    app = AppTest.from_function(page, args=(str(path),), default_timeout=60).run()
    assert not app.exception
    text = html(app)
    assert text.count("<i>50 % [40, 60]</i>") == 2, "a network that looks at its own pictures is marked"
    assert 0 < text.index(">1<") < text.index(">6<")
    assert "n = 10" in app.caption[0].value


def test_the_judge_of_what_was_painted_is_the_one_that_took_no_part():
    """More networks looked than a page has room for, and the first in the alphabet is not the judge."""
    found = json.loads(RESULTS.read_text())
    assert synthesis_measured.seen_first(sorted(found["starts"]["recognised"])) == [*SOURCES, "vgg-standard", "vgg-l2"]
    assert synthesis_measured.seen_first(["one", "two"]) == ["one", "two"]
    rates = found["painted"][SOURCES[0]]["1"]["recognised"]
    judged = Estimate.from_json(rates["vgg-standard"]).per_cent(0)
    said = synthesis_measured.reading(found)
    assert f"Standard VGG, which took no part, sees the class in {judged} of Standard ResNet-9's" in said

    def page():
        from pages.synthesis.measured import measured

        measured()

    text = html(AppTest.from_function(page, default_timeout=60).run())
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', text)
    assert len(heads) == 3 + 4
    assert heads[-2:] == [f"VGG, {how} sees it" for how in ("standard training", "adversarial training (L2, eps 0.5)")]


def test_every_link_of_the_presets_is_a_recipe():
    assert to_query(replace(DEFAULTS, holds=("cat:30", "dog:40"))) == {"holds": "cat:30,dog:40"}


# Models stopped at different steps


@pytest.mark.parametrize("ends", [(0, 99), (99, 0), (4, 2)])
def test_models_stopped_at_different_steps_still_stand_side_by_side(ends, models, monkeypatch):
    """With the real scrubber, which refuses columns that are longer than its axis."""
    seen = {}

    def scrubbed(rows, axis, key, default, *, own):
        seen.update(rows=rows, axis=axis)
        return emergence.scrubbed(rows, axis, key, default, own=own)

    def offer(files, *, key, script):
        seen.update(files={file.name: file for file in files})

    stop_once(monkeypatch, *ends)
    monkeypatch.setattr(synthesis_studio, "JUDGE", DEFAULTS.robust)  # any model can stand in for it
    monkeypatch.setattr(synthesis_studio, "scrubbed", scrubbed)
    monkeypatch.setattr(synthesis_studio, "downloads", offer)
    app = opened(view="studio", steps="10")
    assert not app.error
    assert {len(row.frames) for row in seen["rows"]} == {len(seen["axis"].values)}
    assert seen["axis"].labels[-1] == ("2–4" if ends == (4, 2) else "0–10")
    recipe = SynthesisRecipe(view="studio", picture="photo/chelsea", steps=10)
    for row, name, end in zip(seen["rows"], (recipe.standard, recipe.robust), ends, strict=True):
        made = studio.studio(recipe, name, on_step=lambda i, _, end=end: i >= end)
        np.testing.assert_array_equal(row.frames[-1], synthesis_studio.sheets(made.frames[-1:])[0])
        np.testing.assert_array_equal(row.reference, synthesis_studio.sheets(made.x0[None])[0])
    film = render.Image.open(render.io.BytesIO(seen["files"]["studio-film.png"].make()))
    assert getattr(film, "n_frames", 1) == len(seen["axis"].values)


def test_a_damaged_file_of_gaussians_is_one_sentence_in_the_fragment_too(tmp_path, monkeypatch):
    """What a fragment raises never reaches what guards the page."""
    from core.synthesis import gaussians, seeds

    damaged = tmp_path / "class-gaussians.safetensors"
    damaged.write_bytes(gaussians.FILE.read_bytes()[:5000])
    monkeypatch.setattr(seeds, "gaussians", lambda: gaussians.gaussians(damaged))
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not app.exception
    assert "class-gaussians.safetensors is damaged" in app.error[0].value
