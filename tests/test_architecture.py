"""What holds of the whole tree, read from its source: who imports whom, and what nobody may call."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GROUND = (
    ("types", "problems", "compute", "rates", "words", "aliases", "commands"),
    ("recipes", "files"),
    ("data",),
    ("worlds",),
    ("models",),
    ("results",),
    ("attacks",),
    ("train",),
)
# A topic may import the topics before it.
TOPICS = (
    "perturb",
    "inversion",
    "synthesis",
    "saliency",
    "transfer",
    "datasets",
    "usefulness",
    "gaussian",
    "bugs",
    "frequency",
    "dial",
    "style",
    "errors",
    "planted",
    "debate",
    "lectures",
    "exercises",
)
LAYERS = (*GROUND, *((topic,) for topic in TOPICS))
LAYER_OF = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
CORE = sorted((ROOT / "core").rglob("*.py"))
APP = [path for path in [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))] if path.is_file()]
CHECKPOINT_BYTES = 80_000_000
PAGE_LINES, FILE_LINES = 150, 300


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "core").with_suffix("").parts[0]


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """All dotted names that a file imports, those inside functions included, with their lines."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """All calls with the dotted text of what is called: `torch.load`, `st.image`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def constant(call: ast.Call, keyword: str) -> object:
    """The constant given for a keyword; None where it is not given."""
    return next(
        (k.value.value if isinstance(k.value, ast.Constant) else "?" for k in call.keywords if k.arg == keyword), None
    )


def test_no_file_is_longer_than_one_reads_at_once():
    """A page says what it shows, and its controls and views are files beside it; a file is about one idea."""
    long = {}
    for path in [*CORE, *APP]:
        lines = len(path.read_text("utf-8").splitlines())
        if lines > (PAGE_LINES if path.name == "page.py" else FILE_LINES):
            long[name_of(path)] = lines
    assert long == {}


def test_importing_all_of_core_does_not_import_streamlit():
    script = (
        "import importlib, pkgutil, sys, core\n"
        "for module in pkgutil.walk_packages(core.__path__, 'core.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('streamlit', 'pages', 'app')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_every_room_of_core_has_a_layer():
    rooms = {room_of(path) for path in CORE} - {"__init__"}
    assert rooms <= LAYER_OF.keys(), "give the new room a layer in LAYERS"


def test_core_imports_only_downward():
    upward = []
    for path in CORE:
        here = room_of(path)
        for name, line in imports(path):
            parts = name.split(".")
            if parts[0] in {"app", "pages", "streamlit", "tests", "bench"}:
                upward.append(f"{name_of(path)}:{line} imports {name}")
            elif parts[0] == "core" and here != "__init__":
                there = next((part for part in parts[1:2] if part in LAYER_OF), None)
                if there is not None and LAYER_OF[there] > LAYER_OF.get(here, 0):
                    upward.append(f"{name_of(path)}:{line} (layer {LAYER_OF.get(here)}) imports {name}")
    assert upward == []


def test_pages_do_not_compute_gradients_themselves():
    """The loop lives in core; a page that differentiates has become a second one."""
    found = [
        f"{name_of(p)}:{c.lineno} {n}" for p in APP for n, c in calls(p) if n.endswith((".backward", "autograd.grad"))
    ]
    assert found == []


def test_every_chart_is_shown_in_one_way():
    """With its words, and after the pictures."""
    found = {name_of(path) for path in APP for name, _ in calls(path) if name.endswith("plotly_chart")}
    assert found == {"pages/ui/charts.py"}


def test_streamlit_binds_no_choice_that_may_be_empty_or_has_other_words_in_the_address():
    """Segments of an address like `norm=` are None there, and a formatted text outlives no better word."""
    bound = [
        f"{name_of(path)}:{call.lineno} {name}"
        for path in APP
        for name, call in calls(path)
        if {"bind", *(["format_func"] if not name.endswith((".segmented_control", ".pills")) else [])}
        <= {keyword.arg for keyword in call.keywords}
    ]
    assert bound == []


def test_every_picture_is_shown_as_png():
    """st.image sends a NumPy image as JPEG by default: more than half of a perturbation of 8/255 is then lost."""
    lossy = [
        f"{name_of(path)}:{call.lineno} {name}"
        for path in APP
        for name, call in calls(path)
        if name.endswith(".image") and constant(call, "output_format") != "PNG"
    ]
    assert lossy == []


def test_weights_are_never_unpickled():
    unsafe = []
    for path in [*CORE, *APP]:
        unsafe += [
            f"{name_of(path)}:{call.lineno} weights_only={constant(call, 'weights_only')}"
            for name, call in calls(path)
            if name == "torch.load" and constant(call, "weights_only") not in (None, True)
        ]
        unsafe += [
            f"{name_of(path)}:{line} imports {name}"
            for name, line in imports(path)
            if name.split(".")[0] in {"pickle", "dill", "joblib", "cloudpickle"}
        ]
        unsafe += [
            f"{name_of(path)}:{call.lineno} allow_pickle"
            for _, call in calls(path)
            if constant(call, "allow_pickle") not in (None, False)
        ]
    assert unsafe == []


def test_state_dicts_are_loaded_strictly():
    lax = [
        f"{name_of(path)}:{call.lineno} {name}"
        for path in [*CORE, *APP]
        for name, call in calls(path)
        if name.endswith("load_state_dict") and constant(call, "strict") not in (None, True)
    ]
    assert lax == []


def test_nobody_seeds_the_whole_process():
    """A global seed is shared by all sessions of the app; draws come from a torch.Generator of their own."""
    seeders = {"torch.manual_seed", "torch.seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all"}
    seeders |= {"np.random.seed", "numpy.random.seed", "random.seed"}
    found = [f"{name_of(p)}:{c.lineno} {n}" for p in [*CORE, *APP] for n, c in calls(p) if n in seeders]
    assert found == []


def test_all_weights_together_stay_small():
    files = [path for path in (ROOT / "checkpoints").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < CHECKPOINT_BYTES
    assert [path.name for path in files if path.suffix in {".pt", ".pth", ".pkl", ".ckpt"}] == []


def test_torch_and_torchvision_are_of_the_same_release():
    """A mismatched pair fails with `operator torchvision::nms does not exist`."""
    import torch
    import torchvision

    kept = torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1], [0.0, 0, 1, 1]]), torch.tensor([0.9, 0.8]), 0.5)
    assert kept.tolist() == [0]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("server", "address", "127.0.0.1"),
        ("server", "enableXsrfProtection", True),
        ("server", "maxUploadSize", 10),
        ("browser", "gatherUsageStats", False),
    ],
)
def test_the_server_is_private_by_default(section: str, key: str, value: object):
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings[section][key] == value


def test_a_browser_keeps_messages_for_longer_than_keys_can_be_pressed_ahead():
    """Streamlit leaves out what a browser had when it asked; what it has forgotten since ends the connection."""
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["global"]["maxCachedMessageAge"] >= 50


def test_streamlit_knows_every_setting():
    """Streamlit only warns about unknown keys, in a log that nobody reads."""
    from streamlit import config

    known = config.get_config_options()

    def keys(table: dict[str, object], prefix: str = "") -> Iterator[str]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from keys(value, f"{prefix}{key}.")
            else:
                yield prefix + key

    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert [key for key in keys(settings) if key not in known] == []


def test_the_readme_shows_the_pictures_that_there_are():
    """None is missing, and none is kept that nobody sees."""
    shown = set(re.findall(r"!\[[^]]+\]\((assets/[^)]+)\)", (ROOT / "README.md").read_text("utf-8")))
    assert shown == {path.relative_to(ROOT).as_posix() for path in (ROOT / "assets" / "screenshots").glob("*.png")}


def defined(module: str) -> set[str]:
    """Read the names that a module of ours has at its top, its submodules among them; without running it."""
    folder = ROOT.joinpath(*module.split("."))
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    names = {part.stem for part in folder.iterdir()} if folder.is_dir() else set()
    if path.is_file():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    names.add(node.name)
                case ast.Name(ctx=ast.Store()):
                    names.add(node.id)
                case ast.Import() | ast.ImportFrom():
                    names |= {alias.asname or alias.name for alias in node.names}
    return names


def test_what_a_page_imports_is_there():
    """Pages run as scripts: nothing else notices that a name has left the module that a page takes it from."""
    gone = []
    for path in APP:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"core", "pages"}:
                missing = {alias.name for alias in node.names} - defined(str(node.module))
                gone += [f"{name_of(path)}:{node.lineno} {node.module}.{name}" for name in sorted(missing)]
    assert gone == []
