"""Files of results: whole or not at all, and honest about the weights that they were measured on."""

import json
import threading

import pytest

from core import results
from core.bugs import results as bugs
from core.data.sets import DataError
from core.errors import views as errors
from core.files.atomic import replace_with, replacing
from core.frequency import results as frequency
from core.models import checkpoints
from core.planted import results as planted
from core.problems import InputError
from core.style import views as style
from core.transfer import results as transfer
from tests.helpers import tiny


def fail_after_half(part):
    part.write_text("half")
    raise OSError("no space")


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "x.json"
    replace_with(path, "old")
    with pytest.raises(OSError, match="no space"), replacing(path) as part:
        fail_after_half(part)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_at_once_leave_one_whole_file(tmp_path):
    path, texts = tmp_path / "x.txt", ["a" * 200_000, "b" * 200_000]
    threads = [threading.Thread(target=lambda t=t: [replace_with(path, t) for _ in range(20)]) for t in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_read(tmp_path):
    results.write(tmp_path / "deep" / "x.json", {"b": 1, "a": [0.5]})
    assert results.read(tmp_path / "deep" / "x.json") == {"b": 1, "a": [0.5]}
    assert results.read(tmp_path / "none.json") is None


@pytest.mark.parametrize("text", ['{"n": 20', "", "[1, 2]", "null"])
def test_a_damaged_file_is_named_with_the_command_that_measures_anew(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=r"^x\.json is damaged .*; measure again with: python -m core\.x measure$"):
        results.read(tmp_path / "x.json", "python -m core.x measure")


READERS = {
    "bugs": bugs.read,
    "errors": lambda path: errors.results("pictures", path),
    "frequency": frequency.read,
    "planted": planted.Results,
    "style": lambda path: style.results("pairs", path),
    "transfer": transfer.Measured.read,
}


@pytest.mark.parametrize("text", ['{"n": 20', "[1, 2]"])
@pytest.mark.parametrize("topic", READERS)
def test_every_topic_says_the_same_of_a_damaged_file(topic, text, tmp_path):
    path = tmp_path / f"{topic}.json"
    assert not READERS[topic](path) or topic == "planted"  # which then has no numbers
    path.write_text(text)
    with pytest.raises(
        DataError, match=rf"^{topic}\.json is damaged .*; measure again with: python -m core\.{topic} measure$"
    ):
        READERS[topic](path)


def test_a_file_of_another_form_is_damaged(tmp_path):
    results.write(tmp_path / "x.json", {"models": {}})
    assert results.read(tmp_path / "x.json", check=lambda found: found["models"]) == {"models": {}}
    with pytest.raises(DataError, match=r"x\.json is damaged \('cells'\)"):
        results.read(tmp_path / "x.json", check=lambda found: found["cells"])


def test_an_update_leaves_the_other_parts_and_never_a_damaged_file_for_whole(tmp_path):
    path = tmp_path / "x.json"
    results.update(path, {"toy": {"n": 1}})
    results.update(path, {"pictures": {"n": 2}})
    results.update(path, {"toy": {"n": 3}})
    assert results.read(path) == {"toy": {"n": 3}, "pictures": {"n": 2}}
    path.write_text("{")
    with pytest.raises(DataError):
        results.update(path, {"toy": {}})
    assert path.read_text() == "{"


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with one checkpoint, "mine", and a function that trains it anew."""
    monkeypatch.setattr(checkpoints, "path_of", lambda name, folder=tmp_path: tmp_path / f"{name}.safetensors")
    monkeypatch.setattr(checkpoints, "names", lambda folder=tmp_path, *, students=True: ("mine",))

    def train(seed):
        state = {key: value + seed if key == "head.bias" else value for key, value in tiny().state_dict().items()}
        checkpoints.save(checkpoints.path_of("mine"), state, checkpoints.Header("resnet9", {"width": 4}))

    train(0)
    return train


def test_results_go_stale_with_their_weights(mine):
    found = results.about(["mine"], n=20, seed=3, how="by hand", judge="x")
    assert (found["n"], found["seed"], found["judge"], len(found["date"])) == (20, 3, "x", 10)
    assert results.stale(found) == ()
    mine(1)
    assert results.stale(found) == ("mine",)


def test_what_was_measured_does_not_change_the_stamp(mine):
    before = checkpoints.stamp("mine")
    checkpoints.annotate(
        checkpoints.path_of("mine"), checkpoints.Header("resnet9", {"width": 4}, measured={"clean": 1})
    )
    assert checkpoints.stamp("mine") == before


def test_nothing_is_known_of_results_without_stamps_and_of_weights_that_are_gone(mine):
    assert results.stale({"n": 20}) == ()
    assert results.stale({"stamps": {"gone": "123456789abc"}}) == ()


def test_a_smaller_measurement_does_not_replace_a_larger_one_unasked(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match=r"x\.json was measured on n = 2,000, more than 4; .*--anew"):
        results.refuse_smaller(path, 2000, 4)
    results.refuse_smaller(path, 2000, 4, anew=True)
    results.refuse_smaller(path, 2000, 2000)
    results.refuse_smaller(path, None, 1)


def test_numbers_measured_otherwise_do_not_stand_in_one_file(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match="measured with seed = 0, not 1"):
        results.refuse_other(path, {"n": 20, "seed": 0}, n=20, seed=1)
    results.refuse_other(path, {"n": 20, "seed": 0}, anew=True, n=20, seed=1)
    results.refuse_other(path, {"n": 20, "seed": 0}, n=20, seed=0, judge="new here")
    results.refuse_other(path, None, n=20)


def test_the_files_that_ship_are_read_and_none_is_stale():
    shipped = sorted(results.FOLDER.glob("*.json"))
    assert shipped
    for path in shipped:
        found = results.read(path)
        assert found is not None
        assert results.stale(found) == (), path.name


def test_json_is_as_it_always_was(tmp_path):
    """The files that ship are not written anew line by line when one number changes."""
    results.write(tmp_path / "x.json", {"b": {"c": 1}, "a": 2})
    assert (tmp_path / "x.json").read_text() == json.dumps({"a": 2, "b": {"c": 1}}, indent=2) + "\n"
