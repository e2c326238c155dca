"""What our JavaScript computes by itself, in Node: the same as the Python it stands for.

And that every script parses.
"""

import json
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from core import words
from core.gaussian import theory
from pages.lectures.routes import SCRIPTS, WINDOWS
from tests.helpers import draws

ASSETS = Path(__file__).resolve().parent.parent / "assets"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    NODE is None, reason="node is not here; install Node.js to test the scripts without a browser"
)
# Loads scripts as one module, as the app concatenates them, and calls functions of theirs.
RUN = """
const { files, calls } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const source = files.map((file) => require("fs").readFileSync(file, "utf8")).join("").replace(/^export /gm, "");
const names = [...new Set(calls.map(([name]) => name))];
const found = new Function(`${source}\\nreturn { ${names.join(", ")} };`)();
const plain = (value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
process.stdout.write(JSON.stringify(calls.map(([name, ...args]) => plain(found[name](...args)))));
"""


def called(files: list[str], calls: list[list[Any]]) -> list[Any]:
    asked = json.dumps({"files": [str(ASSETS / file) for file in files], "calls": calls})
    done = subprocess.run([str(NODE), "-e", RUN], input=asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def pairs(n: int, low: float, high: float, seed: int) -> list[list[float]]:
    return (low + (high - low) * torch.rand(n, 2, generator=draws(seed), dtype=torch.float64)).tolist()


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    """Sixty planes: variances of data and model, means, points and budgets, alike variances, no budget."""
    truth, model = pairs(60, 0.05, 9, 1), pairs(60, 0.05, 9, 2)
    truth[0] = model[1] = [2.0, 2.0]
    eps = [0.0, 0.5, *(2 * torch.rand(58, generator=draws(3), dtype=torch.float64)).tolist()]
    return [
        {"truth": t, "model": m, "mu": mu, "v": v, "eps": e}
        for t, m, mu, v, e in zip(truth, model, pairs(60, 0.1, 4, 4), pairs(60, -5, 5, 5), eps, strict=True)
    ]


PLANE = {
    "robustFit": (("truth", "eps"), theory.robust_fit),
    "worstMove": (("v", "model", "eps"), lambda v, m, e: theory.worst_move(v[None], m, e)[0]),
    "linearAdversary": (("model", "truth", "eps"), theory.linear_adversary),
    "loss": (("model", "truth", "eps"), theory.loss),
    "angle": (("mu", "model"), theory.angle),
    "accuracy": (("mu", "model", "truth", "eps"), theory.accuracy),
}


@pytest.mark.parametrize("name", PLANE)
def test_the_stage_of_gaussian_computes_what_core_computes(name, cases):
    arguments, reference = PLANE[name]
    found = called(["gaussian/math.js"], [[name, *(case[key] for key in arguments)] for case in cases])
    for case, value in zip(cases, found, strict=True):
        given = [torch.tensor(case[k], dtype=torch.float64) if k != "eps" else case[k] for k in arguments]
        wanted = torch.as_tensor(reference(*given), dtype=torch.float64)
        torch.testing.assert_close(
            torch.tensor(value, dtype=torch.float64), wanted, rtol=1e-6, atol=1e-7, msg=str(case)
        )


def test_accuracy_of_ellipses_too(cases):
    found = called(["gaussian/math.js"], [["accuracy", c["mu"], c["model"], c["truth"], c["eps"], True] for c in cases])
    for case, value in zip(cases, found, strict=True):
        mu, model, truth = (torch.tensor(case[k], dtype=torch.float64) for k in ("mu", "model", "truth"))
        assert value == pytest.approx(theory.accuracy(mu, model, truth, case["eps"], ellipse=True), abs=1e-7)


def test_the_complementary_error_function_is_that_of_the_library():
    xs = [x / 8 for x in range(-48, 49)]
    for x, value in zip(xs, called(["gaussian/math.js"], [["erfc", x] for x in xs]), strict=True):
        assert value == pytest.approx(math.erfc(x), rel=1e-12, abs=1e-300), x


def test_probabilities_are_written_as_python_writes_them():
    """Never rounded up to certainty; below half a per cent the scripts say so, where Python's texts write 0 %."""
    ps = [k / 1000 for k in range(5, 1001)]
    found = called(["shared/component.js"], [["percent", p] for p in ps])
    halves = {k for k, p in enumerate(ps) if abs(100 * p % 1 - 0.5) < 1e-6}  # rounded to even there, up here
    assert [text for k, text in enumerate(found) if k not in halves] == [
        words.percent(p) for k, p in enumerate(ps) if k not in halves
    ]
    assert called(["shared/component.js"], [["percent", 0.001], ["percent", 0.0], ["percent", None]]) == [
        "<1 %",
        "0 %",
        "",
    ]


def test_numbers_are_written_in_about_three_figures_with_a_true_minus():
    values = [0, 3, -3, 0.123, -0.5, 12.34, -99.95, 123.4, 1234.5]
    written = called(["shared/component.js"], [["short", value] for value in values])
    assert written == ["0", "3", "−3", "0.12", "−0.50", "12.3", "−100.0", "123", "1235"]


MOTION = ["perturb/motion.js"]


def test_a_picture_that_moves_begins_at_rest_and_never_shows_what_is_beside_it():
    times = [k / 4 for k in range(400)]
    found = called(MOTION, [["motion", t] for t in times])
    assert found[0] == {"x": 0, "y": 0, "angle": 0, "zoom": 1}
    assert max(abs(m["x"]) for m in found) > 0.03, "it moves"
    for m in found:  # corners of the frame, seen from the picture, whose half side is 1/2
        for u, v in ((0.5, 0.5), (0.5, -0.5), (-0.5, 0.5), (-0.5, -0.5)):
            du, dv, c, s = u - m["x"], v - m["y"], math.cos(m["angle"]), math.sin(m["angle"])
            corner = (c * du + s * dv) / m["zoom"], (c * dv - s * du) / m["zoom"]
            assert max(map(abs, corner)) <= 0.5 + 1e-9, m


def test_a_camera_is_cut_to_the_square_in_its_middle():
    assert called(MOTION, [["squareOf", 640, 480], ["squareOf", 480, 640, 2], ["squareOf", 100, 100, 0.5]]) == [
        {"x": 80, "y": 0, "side": 480},
        {"x": 120, "y": 200, "side": 240},
        {"x": 0, "y": 0, "side": 100},
    ]


def test_a_tally_is_of_the_last_hundred_frames():
    many = [False] * 60 + [True] * 60
    kept: list[bool] = []
    for fooled in many:
        (kept,) = called(MOTION, [["counted", kept, fooled]]) if len(kept) > 98 else ([*kept, fooled],)
    assert kept == many[-100:]
    assert called(MOTION, [["tally", kept], ["tally", [True]], ["tally", []]]) == [
        "fooled in 60 of the last 100 frames",
        "fooled in 1 of the last 1 frame",
        "",
    ]


def test_what_is_promised_of_the_camera_depends_on_where_the_program_runs():
    here = ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "frog.localhost"]
    away = ["frog.example.org", "localhost.example.org", "10.0.0.7", "127.0.0.1.example.org"]
    told = called(MOTION, [["promise", host, 32] for host in (*here, *away)])
    assert all(text.startswith("Nothing leaves this machine") for text in told[: len(here)])
    assert all(f"{host} attacks them" in text for host, text in zip(away, told[len(here) :], strict=True))


def test_every_refusal_of_a_camera_says_what_would_help():
    names = ["NotAllowedError", "NotFoundError", "NotReadableError", "insecure", "gone", "silent", "OddError"]
    told = called(MOTION, [["refusal", name] for name in names])
    assert len(set(told)) == len(names)
    assert "OddError" in told[-1]


# A browser's socket and clock, stood in for; what the line does with them is written down.
LINE = """
const location = new URL("https://here:1/frog/perturb?view=duel");
const log = [], sockets = [];
const setTimeout = (retry, ms) => { log.push(`again in ${ms}`); retries.push(retry); };
const retries = [];
const reportError = (error) => log.push(error.name);
class WebSocket {
  static OPEN = 1;
  constructor(url) { sockets.push(this); log.push(String(url)); }
  close() { log.push("closed"); }
  send(text) { log.push(`says ${text}`); }
}
const rest = () => new Promise((resolve) => globalThis.setTimeout(resolve, 5));
SOURCE
let token = "one";
const line = new Line(() => `${appOf("perturb")}/_duel/${token}`, {
  opened: () => log.push("opened"),
  hear: async (message) => { if (message === 1) await rest(); log.push(`hears ${message}`); },
  lost: (sentence) => log.push(sentence.split(/[;.]/)[0]),
});
const last = () => sockets[sockets.length - 1];
const drop = (code) => last().onclose({ code });
const steps = {
  async "messages come one after the other, and a line that is not open says nothing"() {
    line.open();
    line.send("lost");
    last().readyState = WebSocket.OPEN;
    last().onopen();
    for (const data of ["1", "no JSON", "2"]) last().onmessage({ data });
    await rest(); await rest();
    line.send({ do: "frame" });
  },
  "it comes back later and later, where it is asked to by then"() {
    for (const _ of [0, 1, 2, 3]) { drop(1006); token = "two"; retries.pop()(); }
    last().onopen();
    drop(1001);
  },
  async "what an old socket says is of no interest"() {
    line.open();
    sockets[0].onmessage({ data: "3" });
    sockets[0].onclose({ code: 1006 });
    await rest();
  },
  "whoever is refused does not ask again"() { drop(1008); },
  "nor whoever has hung up"() { line.open(); line.close(); drop(1006); },
};
(async () => {
  const found = {};
  for (const [name, step] of Object.entries(steps)) { await step(); found[name] = log.splice(0); }
  process.stdout.write(JSON.stringify(found));
})();
"""


def test_a_line_comes_back_and_hears_in_order():
    source = (ASSETS / "shared" / "line.js").read_text("utf-8")
    run = subprocess.run(
        [str(NODE), "-e", LINE.replace("SOURCE", source)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    one, two, gone = "wss://here:1/frog/_duel/one", "wss://here:1/frog/_duel/two", "The connection is gone"
    again = [[gone, f"again in {ms}", "closed", two] for ms in (1000, 2000, 4000, 4000)]
    assert json.loads(run.stdout) == {
        "messages come one after the other, and a line that is not open says nothing": [
            *(one, "opened", "hears 1", "SyntaxError", "hears 2", 'says {"do":"frame"}')
        ],
        "it comes back later and later, where it is asked to by then": [
            *(text for attempt in again for text in attempt),
            *("opened", gone, "again in 1000"),
        ],
        "what an old socket says is of no interest": ["closed", two],
        "whoever is refused does not ask again": ["The live connection was refused"],
        "nor whoever has hung up": ["closed", two, "closed"],
    }


def test_a_cookie_is_for_the_frame_of_another_site_only_over_https_and_in_one():
    own = {"location": {"href": "https://here/"}}
    places = {
        "framed elsewhere": {"location": {"protocol": "https:"}, "top": None},  # its address cannot be read
        "framed by ourselves": {"location": {"protocol": "https:"}, "top": own},
        "without https": {"location": {"protocol": "http:"}, "top": None},
    }
    asked = [["cookieText", "a", "b", "path=/", "Strict", where] for where in places.values()]
    assert dict(zip(places, called(["shared/component.js"], asked), strict=True)) == {
        "framed elsewhere": "a=b; path=/; SameSite=None; Secure; Partitioned",
        "framed by ourselves": "a=b; path=/; SameSite=Strict",
        "without https": "a=b; path=/; SameSite=Strict",
    }
    written = [line for path in ASSETS.glob("*/*.js") for line in path.read_text().splitlines() if ".cookie =" in line]
    assert len(written) == 2 and all("= cookieText(" in line for line in written)


@pytest.mark.parametrize("folder", sorted({path.parent.name for path in ASSETS.glob("*/*.js")}))
def test_the_scripts_of_a_component_parse_as_the_module_that_they_are_put_together_to(folder, tmp_path):
    shared = [] if folder == "shared" else sorted((ASSETS / "shared").glob("*.js"))
    together = tmp_path / "component.mjs"
    together.write_text("".join(path.read_text("utf-8") for path in [*shared, *sorted((ASSETS / folder).glob("*.js"))]))
    done = subprocess.run([str(NODE), "--check", together], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [path.stem for path in WINDOWS.glob("*.js")])
def test_the_script_of_a_window_parses_as_it_is_put_together(name, tmp_path):
    together = tmp_path / "window.mjs"
    together.write_text("".join(path.read_text("utf-8") for path in [*SCRIPTS, WINDOWS / f"{name}.js"]))
    done = subprocess.run([str(NODE), "--check", together], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_no_page_has_a_script_that_no_linter_sees():
    """Markup has places for scripts, which are files."""
    found = []
    for path in ASSETS.rglob("*.html"):
        scripts = re.findall(r"<script[^>]*>\s*(.*?)\s*</script>", path.read_text("utf-8"), re.DOTALL)
        found += [f"{path.name}: {own[:60]}" for own in scripts if not re.fullmatch(r"/\*\w+\*/|\$\w+", own)]
    assert found == []
