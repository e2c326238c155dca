"""Exercises: each has a solution that passes and an answer that fails; nothing that a report says is believed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.data import pictures
from core.exercises import Answer, catalog, check, exercises, handed
from core.exercises import __main__ as command
from core.exercises import report as reports
from core.exercises.checks import CHECKS, Verdict
from core.files.render import png, to_uint8
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.recipes import to_json
from core.train import fetch, zoo

PLANE = "/gaussian?mu1=10&mu2=2.4&var1=6.25&var2=0.04&eps=4&shape=ellipse"
ONE = "/perturb?standard=vgg-standard&robust=resnet9-standard&reach=0.5&picture=gallery/0"
# What solves each, and what does not.
SOLVED = {
    "fool-one": (f"{ONE}&frame=15", f"{ONE}&frame=20"),
    "fool-both": ("/perturb?reach=5&frame=12&picture=gallery/72", "/perturb?reach=5&frame=4&picture=gallery/72"),
    "ship": (
        "/perturb?target=ship&reach=5&steps=40&frame=10&picture=gallery/0",
        "/perturb?target=ship&reach=5&steps=5&frame=10&picture=gallery/72",
    ),
    "noise": ("/perturb?reach=5&frame=8&picture=gallery/72", "/perturb?reach=5&frame=3&picture=gallery/72"),
    "early-layer": ("/frog?block=res1&picture=gallery/72", "/frog?picture=gallery/72"),
    "align": ("/gaussian?eps=5", "/gaussian?eps=1"),
    "perfect": (PLANE, "/gaussian?eps=3"),
    "robust-feature": ("/usefulness?feature=8", "/usefulness?feature=0"),
    "brittle-head": ("92.2", "50"),
    "wrong-labels": ("student-det", "student-rand"),
}


@pytest.mark.parametrize("name", exercises())
@pytest.mark.parametrize("right", [True, False])
def test_each_exercise_has_a_solution_and_a_wrong_answer_fails(name: str, right: bool):
    exercise = exercises()[name]
    verdict = check(exercise, handed(exercise, SOLVED[name][0 if right else 1]))
    assert verdict.passed == right, verdict.says


def test_there_are_ten_and_each_names_a_check_a_page_and_models_that_ship():
    from pages.ui.rooms import ROOMS

    assert len(exercises()) == 10
    for exercise in exercises().values():
        assert exercise.check in CHECKS
        assert exercise.page in {room.name for room in ROOMS}
        assert exercise.hints
        assert set(exercise.choices) <= set(checkpoints.names())


def attacked_png(recipe: PerturbRecipe) -> bytes:
    from core.perturb import attack

    found = attack(recipe, recipe.standard)
    return png(to_uint8(found.x_adv[recipe.frame : recipe.frame + 1])[0], {"recipe": to_json(recipe)})


def test_a_picture_is_judged_by_its_own_pixels():
    exercise = exercises()["fool-one"]
    recipe = PerturbRecipe(
        picture="gallery/0", standard="vgg-standard", robust="resnet9-standard", reach="0.5", frame=15, precision="fp32"
    )
    assert check(exercise, handed(exercise, attacked_png(recipe))).passed
    clean = png(to_uint8(pictures.get("gallery/0").x)[0], {"recipe": to_json(recipe)})
    assert not check(exercise, handed(exercise, clean)).passed, "the recipe inside would pass; these pixels do not"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("/gaussian?eps=5", "on the page perturb"),
        ("/perturb?steps=0", "cannot be in steps"),
        ("nonsense", "on the page perturb"),
        ('{"kind": "GaussianRecipe"}', "not a PerturbRecipe"),
        (b"\x89PNG damaged", "damaged"),
        (b"\xff\xfe", "hand in a PNG"),
        (b"<html></html>", "not a page of Robust Frog"),
        (b"x" * 2_000_001, "MB at most"),
        (png(to_uint8(pictures.get("gallery/0").x)[0]), "no recipe inside"),
    ],
)
def test_what_cannot_be_an_answer_is_told_in_a_sentence(given, says: str):
    with pytest.raises(InputError, match=says):
        handed(exercises()["fool-one"], given)


def test_a_sheet_is_not_the_picture():
    exercise = exercises()["fool-one"]
    recipe = to_json(PerturbRecipe(picture="gallery/0"))
    small = png(to_uint8(pictures.get("gallery/0").x)[0][:16], {"recipe": recipe})
    with pytest.raises(InputError, match="pixel for pixel"):
        check(exercise, handed(exercise, small))


def quick(*, honest: bool = True, name: str = "Ada </script><b>") -> str:
    """A report of two quick exercises, one solved and one not."""
    given = {}
    for exercise, which in (("align", 0), ("wrong-labels", 1)):
        one = exercises()[exercise]
        answer = handed(one, SOLVED[exercise][which])
        given[exercise] = (answer, check(one, answer))
    made = reports.report(name, given)
    if not honest:
        claims = {n: replace(v, passed=True) for n, v in made.verdicts.items()}
        made = replace(made, verdicts=claims)
    return reports.to_json(made)


@pytest.mark.parametrize("as_page", [True, False])
def test_a_report_is_read_back_and_recomputed(tmp_path: Path, as_page: bool, capsys):
    made = reports.from_text(quick())
    file = tmp_path / "report"
    file.write_text(reports.page(made) if as_page else reports.to_json(made), "utf-8")
    assert reports.from_text(file.read_text("utf-8")) == made
    assert made.name == "Ada </script><b>"
    assert "<script><b>" not in file.read_text("utf-8") or not as_page
    command.main(["verify", str(file)])
    said = capsys.readouterr().out
    assert "align: solved" in said
    assert "wrong-labels: not solved" in said
    assert "1 solved" in said


def test_a_forged_report_is_found_out(tmp_path: Path, capsys):
    file = tmp_path / "report.json"
    file.write_text(quick(honest=False), "utf-8")
    with pytest.raises(SystemExit) as ended:
        command.main(["verify", str(file)])
    assert ended.value.code == 1
    assert "the report claims otherwise" in capsys.readouterr().out


def test_what_cannot_be_recomputed_here_is_said_and_not_believed(tmp_path: Path, capsys):
    values = json.loads(quick())
    lost = {"answer": {"recipe": to_json(PerturbRecipe(picture="upload/abc"))}, "passed": True, "says": ""}
    values["exercises"] = {"ship": lost}
    file = tmp_path / "report.json"
    file.write_text(json.dumps(values), "utf-8")
    with pytest.raises(SystemExit):
        command.main(["verify", str(file)])
    assert "cannot be recomputed" in capsys.readouterr().out


def test_other_weights_are_named():
    made = reports.from_text(quick())
    assert reports.changed(made) == []
    assert reports.changed(replace(made, stamps={"student-det": "0" * 12})) == ["student-det"]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "<html></html>",
        '{"kind": "ExercisesReport"}',
        (
            '{"kind": "ExercisesReport", "name": "", "stamps": {}, "exercises": {"no": {"answer": {"said": "x"},'
            ' "passed": true, "says": ""}}}'
        ),
    ],
)
def test_what_is_no_report_is_told_in_a_sentence(text: str):
    with pytest.raises(InputError):
        reports.from_text(text)


def test_a_verdict_says_what_was_measured():
    verdict = check(exercises()["align"], Answer(recipe=handed(exercises()["align"], "/gaussian?eps=5").recipe))
    assert isinstance(verdict, Verdict)
    assert "8.0°" in verdict.says


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b'[[exercise]]\nname = "a', "exercises.toml is damaged: Unterminated string"),
        (b'[[exercise]]\nname = "a"\nhunts = []', "exercises.toml is damaged: an exercise lacks something, or has"),
        (b"[[exercise]]\n", "exercises.toml is damaged: an exercise lacks something"),
        (b"", "exercises.toml is damaged: an exercise lacks something"),
        (b"\xff", "exercises.toml is damaged: 'utf-8'"),
        (None, "exercises.toml cannot be read"),
    ],
)
def test_a_damaged_file_of_exercises_is_told(written: bytes | None, told: str, tmp_path: Path):
    path = tmp_path / "exercises.toml"
    if written is not None:
        path.write_bytes(written)
    with pytest.raises(InputError, match=told):
        catalog.read(path)
    assert catalog.read(catalog.FILE) == exercises()


@pytest.mark.parametrize("read", [zoo.declared, fetch.sources])
def test_a_slip_in_what_models_are_declared_by_is_told_with_its_line(read, tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text('[net]\narch = "resnet9')
    with pytest.raises(InputError, match=r"mine.toml is damaged: .*\((at end of document|at line 2)"):
        read(path)
