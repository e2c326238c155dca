"""The duel without a browser: its live connection, what it is sent, and what a host forbids."""

import asyncio
import base64
import json

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core import worlds
from core.data import pictures
from core.files.render import from_uint8, to_uint8
from core.perturb.recipe import PerturbRecipe, cache_key
from pages.perturb import duel
from pages.perturb import live as perturb_live
from pages.perturb.live import Arena, Duel, serve
from pages.ui.hosting import READ_ONLY_VARIABLE
from pages.ui.live import FAULT, NO_SENSE, packed
from tests.app_process import ROOT
from tests.helpers import images, tiny
from tests.pages.tools import Socket, ran, said

PAGE = str(ROOT / "pages" / "perturb" / "page.py")
FRAME = to_uint8(images(1, size=32, seed=3))[0]


def arena(**fields) -> Arena:
    return Arena(PerturbRecipe(view="duel", precision="fp32", **fields), (tiny(seed=1), tiny(seed=2)))


def talked(script, held: Arena | None = None) -> Socket:
    """Connect, let the script act as the browser, and hang up."""
    held = held if held is not None else arena()

    async def go() -> Socket:
        socket = Socket(held.token)
        serving = asyncio.create_task(serve(socket))
        await script(socket)
        socket.says.put_nowait(None)
        await asyncio.wait_for(serving, 60)
        return socket

    return asyncio.run(go())


def frame(**more) -> dict:
    return {"do": "frame", "pixels": packed(FRAME), "at": 5, "target": None, **more}


def test_a_frame_comes_back_attacked_on_each_model():
    held = arena()

    async def browser(socket):
        for k in range(3):
            socket.say(**frame(target=4))
            await socket.until("seen", k + 1)

    answers = talked(browser, held).heard
    assert len(answers) == 3
    x = from_uint8(FRAME[None])
    for model, seen in zip(held.models, answers[-1]["models"], strict=True):
        sent = np.frombuffer(base64.b64decode(seen["pixels"]), np.uint8).reshape(1, 32, 32, 3).copy()
        with torch.no_grad():
            p = model(from_uint8(sent)).softmax(1)[0]
        assert 0.49 < seen["norm"] <= 0.5001
        assert float((from_uint8(sent) - x).norm()) == pytest.approx(0.5, abs=0.05)  # rounded to 8 bits
        assert dict(map(tuple, seen["says"]))[worlds.get().classes[int(p.argmax())]] == pytest.approx(
            float(p.max()), abs=0.03
        )
    first, last = (answers[k]["models"][0] for k in (0, -1))
    assert first["pixels"] != last["pixels"], "the next frame goes on from there"


def test_no_radius_gives_the_frame_back_as_it_was():
    async def browser(socket):
        socket.say(**frame(at=0))
        await socket.until("seen")

    (answer,) = talked(browser).heard
    for seen in answer["models"]:
        assert base64.b64decode(seen["pixels"]) == FRAME.tobytes()
        assert seen["says"][0] == seen["clean"][0]
        assert not seen["fooled"]


@pytest.mark.parametrize(
    "odd",
    [
        {"pixels": "AAAA"},
        {"pixels": None},
        {"pixels": 7},
        {"at": 21},
        {"at": -1},
        {"at": "far"},
        {"at": 1e999},
        {"target": 10},
        {"target": -1},
        {"target": "cat"},
        {"do": "paint"},
    ],
)
def test_nonsense_is_answered_with_a_sentence_and_it_goes_on(odd):
    async def browser(socket):
        socket.say(**frame(**odd))
        await socket.until("problem")
        socket.say(**frame())
        await socket.until("seen")

    assert [message["is"] for message in talked(browser).heard] == ["problem", "seen"]


def test_a_message_has_a_length_and_who_says_more_is_sent_away():
    held, most = arena(), 5000
    assert len(json.dumps(frame())) < Duel(held, Socket()).longest() < len(json.dumps(frame())) + most

    async def browser(socket):
        socket.say(**frame(more="x" * most))
        await asyncio.wait_for(gone(socket), 10)

    async def gone(socket):
        while socket.closed is None:
            await asyncio.sleep(0.01)

    socket = talked(browser, held)
    assert socket.closed == 1009 and "characters at most" in socket.reason and not socket.heard


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, KeyError])
def test_a_fault_of_ours_goes_to_the_log_and_the_visitor_learns_that_there_was_one(kind, monkeypatch, caplog):
    def breaks(*_, **__):
        raise kind("/secret/path")

    monkeypatch.setattr(perturb_live.Chase, "follow", breaks)

    async def browser(socket):
        socket.say(**frame())
        await socket.until("problem")
        socket.say(**frame())
        await socket.until("problem", 2)

    assert [message["text"] for message in talked(browser).heard] == [FAULT, FAULT]
    assert "/secret/path" in caplog.text and "Traceback" in caplog.text


def test_what_python_says_of_a_message_is_not_told():
    async def browser(socket):
        socket.say(**frame(at="far"))
        await socket.until("problem")

    assert [message["text"] for message in talked(browser).heard] == [NO_SENSE]


def test_a_socket_that_is_closed_already_ends_the_connection_and_is_no_fault(caplog):
    async def closed(_: str = ""):
        raise RuntimeError('Cannot call "send" once a close message has been sent.')

    async def go():
        held = arena()
        socket = Socket(held.token)
        socket.send_text = closed
        socket.say(do="nothing")
        await asyncio.wait_for(serve(socket), 10)

    asyncio.run(go())
    assert not caplog.records


def test_two_tabs_do_not_share_a_perturbation():
    async def both():
        held = [arena(), arena()]
        sockets = [Socket(one.token) for one in held]
        serving = [asyncio.create_task(serve(socket)) for socket in sockets]
        for _ in range(3):
            sockets[0].say(**frame())
        await sockets[0].until("seen", 3)
        sockets[1].say(**frame())
        await sockets[1].until("seen")
        for socket in sockets:
            socket.says.put_nowait(None)
        await asyncio.gather(*serving)
        return sockets

    one, other = asyncio.run(both())
    assert one.heard[0] == other.heard[0]
    assert one.heard[2] != other.heard[0]


def test_other_models_are_attacked_from_the_next_frame_on():
    held = arena()

    async def browser(socket):
        socket.say(**frame(at=0))
        await socket.until("seen")
        held.models = (tiny(seed=8),)
        socket.say(**frame(at=0))
        await socket.until("seen", 2)

    assert [len(message["models"]) for message in talked(browser, held).heard] == [2, 1]


def test_strangers_are_turned_away():
    socket = Socket("guess")
    asyncio.run(serve(socket))
    assert (socket.closed, socket.accepted) == (1008, False)


def test_the_app_serves_it():
    assert [route.path for route in perturb_live.ROUTES] == ["/_duel/{token}", "/{base:path}/_duel/{token}"]
    assert "*perturb.ROUTES" in (ROOT / "app.py").read_text()


# The page


@pytest.fixture
def sent(checkpoint, monkeypatch):
    """What the page sends to the component, most recent last."""
    for name in (PerturbRecipe().standard, PerturbRecipe().robust):
        checkpoint(name)
    seen = []
    monkeypatch.setattr(duel, "_mount", lambda **given: seen.append(given["data"]))
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {"view": "duel", "picture": "photo/chelsea", **query}.items():
        app.query_params[name] = value
    return ran(app)


def test_it_opens_with_a_picture_that_moves_and_says_where_it_misleads(sent):
    app = opened()
    data = sent[-1]
    assert base64.b64decode(data["picture"]) == to_uint8(pictures.get("photo/chelsea").x)[0].tobytes()
    assert [one["title"] for one in data["models"]] == ["Standard ResNet-9", "Robust ResNet-9"]
    assert (data["labels"][data["at"]], data["target"], data["camera"]) == ("0.5", -1, True)
    assert "no finer than the large pictures" in said(app)


def test_the_address_says_radius_and_target(sent):
    opened(at="1.2", target="truck", norm="L2", standard="student-rand")
    assert (sent[-1]["labels"][sent[-1]["at"]], sent[-1]["classes"][sent[-1]["target"]]) == ("1.2", "truck")


def test_a_preset_leads_to_it_and_back(sent):
    app = opened()
    (back,) = [button for button in app.button if button.label == "Reset"]
    ran(back.click())
    assert len(sent) == 1
    (there,) = [button for button in app.button if button.label == "The webcam duel"]
    ran(there.click())
    assert len(sent) == 2


def test_one_model_twice_is_one_column(sent):
    opened(robust="resnet9-standard")
    assert len(sent[-1]["models"]) == 1


def test_a_public_host_takes_no_pictures(sent, monkeypatch):
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = opened()
    assert sent[-1]["camera"] is False
    (kinds,) = [one for one in app.button_group if one.key == "picture-source"]
    assert not {"Upload", "Webcam"} & set(kinds.options)


def test_what_the_browser_says_of_radius_and_target_is_checked(monkeypatch):
    state = {duel.KEY: {"set": {"at": 7, "target": 9}}, "norm": "L2", "reach": "2"}
    monkeypatch.setattr(duel.st, "session_state", state)
    duel._set()
    assert (state["at"], state["target"]) == ("0.7", "truck")
    for odd in ({"at": 99, "target": 99}, {"at": "x", "target": None}, {}, None):
        state[duel.KEY]["set"] = odd
        duel._set()
    assert (state["at"], state["target"]) == ("0.7", "truck")


def test_what_is_computed_of_one_picture_does_not_depend_on_the_view():
    assert cache_key(PerturbRecipe(view="duel")) == cache_key(PerturbRecipe())
