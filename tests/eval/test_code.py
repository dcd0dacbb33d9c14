"""Holes, what is written into them, and the packages that nobody trains on."""

import runpy
import shutil
from pathlib import Path

import pytest

from quillon.engine.scripted import Step
from quillon.eval.filling import Filler, files_for, fim_questions
from quillon.eval.holdout import HELD_OUT, held_out_files
from quillon.eval.holes import holes
from quillon.eval.outcomes import EvalError
from quillon.eval.proving import PROJECT, function_holes, passes

FILES = [(PROJECT, path) for path in sorted(PROJECT.rglob("*.py"))]


def test_holes_lose_nothing_and_are_the_same_for_a_seed():
    made = list(holes(FILES, 40, seed=3))
    assert len(made) == 40
    assert {hole.kind for hole in made} == {"rest of line", "whole line", "lines"}
    for hole in made:
        assert hole.prefix + hole.middle + hole.suffix == hole.path.read_text("utf-8")
        assert hole.middle.strip()
        assert ("\n" in hole.middle) == (hole.kind == "lines")
    assert [hole.id for hole in holes(FILES, 40, seed=3)] == [hole.id for hole in made]
    assert [hole.id for hole in holes(FILES, 40, seed=4)] != [hole.id for hole in made]


def test_files_without_places_give_no_holes(tmp_path):
    (tmp_path / "a.py").write_text("# nothing\n" * 30)
    (tmp_path / "b.py").write_bytes(b"\xff\xfe\x00")
    files = [(tmp_path, path) for path in tmp_path.iterdir()]
    assert list(holes(files, 3, seed=1)) == []


async def test_what_ghost_text_would_write(scripted):
    [hole] = [h for h in holes(FILES, 5, seed=3) if h.kind == "whole line"][:1]
    sure = await scripted(Step(reply=hole.middle, times=0))
    assert await Filler(sure.engine).fill(hole) == hole.middle
    assert await Filler(sure.engine).fill(hole, least=0.35) == hole.middle
    unsure = await scripted(Step(reply=hole.middle, logprob=-3.0, times=0))
    assert await Filler(unsure.engine).fill(hole) == hole.middle
    assert await Filler(unsure.engine).fill(hole, least=0.35) == ""


async def test_marks_of_holes(scripted):
    asker = await scripted(Step(reply="zz_wrong", logprob=-0.1, times=0))
    questions = fim_questions(asker.engine, FILES, 10, seed=3)
    for question in questions:
        marks = (await question.ask()).marks
        assert marks["ghost text shown"]
        assert not marks["first four characters right"]
        assert not marks["shown: first four characters right"]
        assert not marks.get("single line exact", False)


def test_tests_tell_right_code_from_wrong():
    files = sorted((PROJECT / "harbour").rglob("*.py"))
    found = [hole for path in files for hole in function_holes(path)]
    assert len(found) > 40
    for hole in found[::17]:
        assert passes(hole, hole.middle), hole.middle
        assert not passes(hole, "pass"), hole.middle


def test_code_that_never_ends_its_quotes_fails():
    hole = next(function_holes(PROJECT / "harbour" / "fees.py"))
    assert not passes(hole, '"""')
    assert not passes(hole, "import os; os._exit(0)")


def test_only_held_out_packages_are_cut(tmp_path):
    for name in ("click", "pandas"):
        package = tmp_path / name / name
        package.mkdir(parents=True)
        shutil.copy(PROJECT / "harbour" / "fees.py", package / "fees.py")
        info = tmp_path / name / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"{name}/fees.py,,\n{name}/none.py,,\n../../evil.py,,\n")
    expected = [(tmp_path / "click", tmp_path / "click" / "click" / "fees.py")]
    assert list(held_out_files(tmp_path)) == expected
    assert files_for(tmp_path, 1) == expected
    with pytest.raises(EvalError, match="No held-out package"):
        list(held_out_files(tmp_path / "pandas"))


def test_without_packages_the_standard_library_is_cut():
    files = files_for(None, 1)
    assert len(files) > 50
    assert files_for(None, 1) == files


def test_the_held_out_packages_are_those_of_the_training():
    path = Path(__file__).parents[2] / "training" / "quillon_training" / "heldout.py"
    assert runpy.run_path(str(path))["PYTHON"] == HELD_OUT
