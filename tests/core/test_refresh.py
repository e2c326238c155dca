"""Whatever was measured on other weights is found and measured anew, and nothing else is."""

import importlib.util
import json
from collections.abc import Mapping

import pytest

from core import results
from core.models import checkpoints
from core.problems import InputError
from core.results import NEW, OTHER, UNKNOWN, Part
from core.train import refresh
from core.train.zoo import main

ABOUT = {  # what stands in files beside what was measured
    *("date", "how", "n", "seed", "judges", "profiles", "per_class", "about", "stamps", results.OF_PARTS, "experiment"),
    *("profile", "scale", "cpu_seconds_per_batch_of_16", "frequencies", "regions"),
}
DECLARED = refresh.declared()
SHIPPED = sorted(results.FOLDER.glob("*.json"))


# What is declared


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_number_that_ships_stands_in_a_part(path):
    """One that no part has would never be found stale."""
    parts = [part for part in DECLARED if part.path == path]
    assert parts, f"declare {path.name} in the parts.py of its topic"
    found = results.read(path)
    for keys in _leaves(found, ()):
        if not keys or keys[0] in ABOUT or keys[0].endswith("_about"):
            continue
        assert any(keys[: len(place)] == place for part in parts for place in part.places), f"{path.name}: {keys}"


def _leaves(found: object, keys: tuple[str, ...]):
    if isinstance(found, Mapping):
        for key, value in found.items():
            yield from _leaves(value, (*keys, key))
    elif len(keys) > 1:
        yield keys


def test_every_part_has_a_command_and_a_cost():
    assert len({part.title for part in DECLARED}) == len(DECLARED)
    for part in DECLARED:
        module, *_ = part.command
        spec = importlib.util.find_spec(module)
        assert spec is not None, part.title
        if spec.submodule_search_locations is not None:
            assert importlib.util.find_spec(f"{module}.__main__") is not None, part.title
        assert (part.minutes > 0 and part.topic in module) or part.topic == "datasets", part.title


@pytest.mark.parametrize("part", DECLARED, ids=lambda part: part.title)
def test_no_number_that_ships_is_of_other_weights(part):
    """A network that came later may be lacking; none may have changed."""
    changed = part.changed() or {}
    assert [name for name, matter in changed.items() if matter != NEW] == []


DEPENDANTS = {
    "mobilenet-standard": {
        *("train: mobilenet-standard", "transfer: who is fooled by whom", "synthesis: who recognises what"),
        *("dial: transfer", "bugs: attacks", "bugs: members", "bugs: wide", "bugs: students", "style: layers"),
        "frequency: weather",
    },
    "student-det": {"synthesis: who recognises what"},
    "planted-features-robust": {"planted: all questions", "usefulness: atlas of planted-features-robust"},
    "frequency/low-4": {"frequency: students"},
    "dial/l2-0.1": {
        f"dial: {name}" for name in ("accuracy", "gradients", "pictures", "transfer", "features", "weather", "waves")
    },
}


@pytest.mark.parametrize("name", DEPENDANTS)
def test_new_weights_make_exactly_what_hangs_on_them_stale(name, monkeypatch):
    if not checkpoints.path_of(name).is_file():
        pytest.skip("not trained here")
    before = {part.title: part.changed() for part in DECLARED}
    stamp = checkpoints.stamp
    monkeypatch.setattr(checkpoints, "stamp", lambda asked, *rest: "0" * 12 if asked == name else stamp(asked, *rest))
    after = {part.title: part.changed() for part in DECLARED}
    lately = {title for title, changed in before.items() if changed is not None and changed.get(name) == NEW}
    assert {title for title in after if after[title] != before[title]} | lately == DEPENDANTS[name]
    assert all((after[title] or {})[name] in (OTHER, NEW) for title in DEPENDANTS[name])


def test_the_robust_model_hangs_together_with_most_of_the_pages(monkeypatch):
    stamp = checkpoints.stamp
    monkeypatch.setattr(checkpoints, "stamp", lambda asked, *_: "0" * 12 if asked == "resnet9-l2" else stamp(asked))
    topics = {one.part.topic for one in refresh.due(DECLARED)}
    assert topics >= {"train", "datasets", "dial", "frequency", "inversion", "saliency", "style", "transfer"}
    assert "bugs" not in topics and "planted" not in topics


# A file of two parts


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two parts of one file, and the weights of three networks."""
    weights = {"a": "1", "b": "1", "c": "1"}
    monkeypatch.setattr(checkpoints, "path_of", lambda name, *_: tmp_path if name in weights else tmp_path / "none")
    monkeypatch.setattr(type(tmp_path), "is_file", lambda path: path == tmp_path or path.exists())
    monkeypatch.setattr(checkpoints, "stamp", lambda name, *_: weights[name])
    path = tmp_path / "x.json"

    def part(name: str, *names: str) -> Part:
        return Part("toy", name, path, ("toy", name), 2, lambda: names, ((name,),))

    return weights, path, (part("heat", "a", "b"), part("cold", "b", "c"))


def measured(path, part: Part) -> None:
    found = results.read(path) or {}
    results.write(
        path,
        results.signed({**found, part.name: {"n": 1}}, part.name, results.stamps_of(part.weights()), ("heat", "cold")),
    )


def test_each_part_of_a_file_has_stamps_of_its_own(two):
    """Measuring one part anew does not make the other look fresh."""
    weights, path, (heat, cold) = two
    assert heat.changed() is None
    results.write(path, {"heat": {"n": 1}, "cold": {"n": 1}, "stamps": {"a": "1", "b": "1", "c": "1"}})
    assert heat.changed() == cold.changed() == {}
    weights["b"] = "2"
    assert heat.changed() == cold.changed() == {"b": OTHER}
    measured(path, heat)
    assert heat.changed() == {} and cold.changed() == {"b": OTHER}
    assert results.stale(results.read(path)) == ("b",)
    measured(path, cold)
    assert cold.changed() == {} and results.stale(results.read(path)) == ()


def test_what_has_come_and_what_has_no_stamp_is_told(two):
    weights, path, (heat, cold) = two
    results.write(path, {"heat": {"stamps": {"a": "1"}}, "cold": {"n": 1}})
    assert heat.changed() == {"b": NEW}
    assert cold.changed() == {"b": UNKNOWN, "c": UNKNOWN}
    del weights["c"]
    assert cold.changed() == {"b": UNKNOWN}, "of weights that are not here nothing is known"


def test_a_run_measures_what_is_stale_and_goes_on_where_it_was_stopped(two, tmp_path, monkeypatch, capsys):
    weights, path, parts = two
    for part in parts:
        measured(path, part)
    weights["a"] = weights["c"] = "2"
    monkeypatch.setattr(refresh, "declared", lambda: parts)
    ran, times = [], tmp_path / "times.json"

    def start(command: tuple[str, ...]) -> int:
        ran.append(command)
        measured(path, parts[0 if command[1] == "heat" else 1])
        return 0

    assert refresh.refresh(times=times, start=start) == ("toy: heat", "toy: cold")
    assert ran == [], "without --run nothing is done"
    said = capsys.readouterr().out
    assert "toy: heat (2 min, estimated)\n    other weights: a\n    python -m toy heat" in said and ": 4 min" in said
    with pytest.raises(KeyboardInterrupt):
        refresh.refresh(run=True, times=times, start=lambda command: start(command) or _interrupt())
    assert refresh.refresh(run=True, times=times, start=start) == ()
    assert ran == [("toy", "heat"), ("toy", "cold")], "what was done before the stop is not done again"
    assert json.loads(times.read_text()).keys() == {"toy cold"}
    weights["c"] = "3"
    assert [one.timed for one in refresh.due(parts, times=times)] == [True]


def _interrupt() -> int:
    raise KeyboardInterrupt


def test_a_command_that_fails_leaves_its_part_stale_and_the_others_go_on(two, tmp_path, monkeypatch):
    weights, path, parts = two
    for part in parts:
        measured(path, part)
    weights["b"] = "2"
    monkeypatch.setattr(refresh, "declared", lambda: parts)

    def start(command: tuple[str, ...]) -> int:
        if command[1] == "heat":
            return 1
        measured(path, parts[1])
        return 0

    assert refresh.refresh(run=True, times=tmp_path / "t.json", start=start) == ("toy: heat",)


def test_what_takes_too_long_and_what_another_command_did_is_not_done(two, tmp_path, monkeypatch):
    weights, path, parts = two
    for part in parts:
        measured(path, part)
    weights["b"] = "2"
    monkeypatch.setattr(refresh, "declared", lambda: parts)
    assert refresh.refresh(run=True, most=1.0, times=tmp_path / "t.json", start=_never) == ("toy: heat", "toy: cold")

    def both(_: tuple[str, ...]) -> int:
        for part in parts:
            measured(path, part)
        return 0

    ran = []
    assert refresh.refresh(run=True, times=tmp_path / "t.json", start=lambda c: ran.append(c) or both(c)) == ()
    assert ran == [("toy", "heat")]


def _never(_: tuple[str, ...]) -> int:
    raise AssertionError("nothing was to be run")


def test_the_command_says_what_it_would_do(capsys):
    main(["refresh", "--only", "planted"])
    assert "of 1 parts are stale" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="nothing is measured of weather; topics are train, datasets"):
        main(["refresh", "--only", "weather"])
    with pytest.raises(InputError):
        refresh.chosen(["weather"])
