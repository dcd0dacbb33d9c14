"""`quillon eval` on the embedded model: a few questions, kept, resumed and compared."""

import json

import msgspec
import pytest

from quillon.eval.outcomes import load_report, save_report


def test_a_few_requests_with_a_table_and_json(quillon, tmp_path):
    kept, table = tmp_path / "r.json", tmp_path / "r.md"
    words = ["--tasks", "requests", "--count", "2", "--json", str(kept), "--markdown", str(table)]
    ended = quillon("eval", *words)
    assert (ended.status, ended.err) == (0, "")
    assert "right call or none" in ended.out
    report = load_report(kept)
    assert report.complete
    assert report.subject.embedded
    assert {(o.task, o.id) for o in report.outcomes} == {("requests", "1"), ("requests", "2")}
    assert "| requests | right call |" in table.read_text("utf-8")

    # A stopped measurement goes on where it was; what it found is not asked again.
    first = msgspec.structs.replace(report.outcomes[0], marks={"found before": True})
    stopped = msgspec.structs.replace(report, outcomes=(first,), complete=False)
    save_report(stopped, kept)
    assert quillon("eval", *words).status == 0
    again = load_report(kept)
    assert again.complete
    assert again.outcomes == (first, report.outcomes[1])

    ended = quillon("eval", "--compare", str(kept), str(kept))
    assert ended.status == 0
    assert "difference" in ended.out


def test_another_models_measurement_is_not_gone_on_with(quillon, tmp_path):
    kept = tmp_path / "r.json"
    other = {"subject": {"model": "other"}, "figures": [], "outcomes": [], "complete": False}
    kept.write_text(json.dumps(other))
    ended = quillon("eval", "--tasks", "requests", "--count", "1", "--json", str(kept))
    assert ended.status == 1
    assert "stopped measurement of other" in ended.sentence
    assert json.loads(kept.read_text()) == other


def test_tasks_that_do_not_exist(here):
    ended = here("eval", "--tasks", "calls,poetry")
    assert ended.status == 2
    assert ended.sentence.startswith("'poetry' is no task. The tasks are calls, ")


@pytest.mark.parametrize(
    "more", [["--json", "x.json"], ["--url", "http://127.0.0.1:1/v1"], ["model.gguf"]]
)
def test_a_comparison_of_more_than_two_things(here, more):
    ended = here("eval", "--compare", "a.json", "b.json", *more)
    assert ended.status == 2
    assert "--compare takes two models" in ended.sentence


def test_a_remote_engine_that_is_not_there(here):
    ended = here("eval", "--url", "http://127.0.0.1:1/v1", "--tasks", "requests")
    assert ended.status == 1
    assert "127.0.0.1:1" in ended.sentence


def test_a_report_that_is_none(here, project):
    (project / "r.json").write_text("[]")
    ended = here("eval", "--compare", "r.json", "r.json")
    assert ended.status == 1
    assert "is no report" in ended.sentence


def test_a_model_that_is_missing(here):
    ended = here("eval", "none.gguf", "--tasks", "requests")
    assert ended.status == 1
    assert "There is no model file at" in ended.sentence


def test_bfcl_without_its_data(quillon):
    ended = quillon("eval", "--tasks", "bfcl")
    assert ended.status == 1
    assert "--bfcl" in ended.sentence


@pytest.mark.parametrize("option", ["--json", "--markdown"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(here, project, option):
    ended = here("eval", "--tasks", "requests", option, "nowhere/r.json")
    assert ended.status == 1
    assert ended.sentence.startswith("nowhere/r.json cannot be written: No such file or directory")
    ended = here("eval", "none.gguf", option, "r.json")
    assert "There is no model file at" in ended.sentence
    assert not (project / "r.json").exists()


def test_what_is_wrong_in_the_settings_is_said(here, config):
    found = config({"model": {"path": "none.gguf", "gpuLayers": "many"}})
    ended = here("eval", "--tasks", "requests", **found)
    assert f"{config.file}: model.gpuLayers: " in ended.err
    assert "There is no model file at" in ended.err


def test_the_model_in_use_is_measured(quillon, config):
    found = config({"model": {"path": "of-the-settings.gguf"}})
    assert "of-the-settings.gguf" in quillon("eval", "--tasks", "requests", **found).sentence
    words = ("eval", "qwen3-4b", "--tasks", "requests")
    assert "Qwen3-4B-Instruct-2507" in quillon(*words, **found).sentence
