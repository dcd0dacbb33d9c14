"""`quillon eval`: how good a model is at what Quillon asks of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from quillon import __version__
from quillon.cli.markdown import ReadableMarkdown
from quillon.cli.output import Output, check_writable, fail
from quillon.cli.user_settings import chosen_settings, of_model
from quillon.engine.base import EngineInfo
from quillon.engine.choose import open_engine
from quillon.eval.outcomes import (
    EvalError,
    Outcome,
    Report,
    Subject,
    load_report,
    report_of,
    save_report,
)
from quillon.eval.run import TASKS, Plan, Progress, Run
from quillon.eval.tables import comparison, markdown
from quillon.settings import Settings

_SAVED_EVERY = 20  # questions


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for beside the plan; `compare` are models or saved reports."""

    model: str | None = None
    url: str | None = None
    remote_model: str | None = None
    compare: tuple[str, str] | None = None
    json: Path | None = None
    markdown: Path | None = None


def run_eval(wish: Wish, plan: Plan) -> int:
    """Measure one model or two, and print the table."""
    unknown = [task for task in plan.tasks if task not in TASKS]
    if unknown:
        fail(f"{unknown[0]!r} is no task. The tasks are {', '.join(TASKS)}.", status=2)
    if wish.compare is not None and (wish.url or wish.json or wish.model):
        fail(
            "--compare takes two models or two reports and nothing else. Measure each with --json "
            "first, then compare the reports.",
            status=2,
        )
    if wish.url and wish.model:
        fail("Name a model file or a remote engine (--url), not both.", status=2)
    for file in (wish.json, wish.markdown):
        check_writable(file)
    try:
        return asyncio.run(_run(wish, plan))
    except EvalError as error:
        fail(str(error))


async def _run(wish: Wish, plan: Plan) -> int:
    if wish.compare is None:
        report = await _measured(wish.model, wish, plan, wish.json)
        return _show(markdown(report), wish)
    reports = []
    for name in wish.compare:
        saved = Path(name)
        if saved.suffix == ".json":
            reports.append(load_report(saved))
        else:
            reports.append(await _measured(name, wish, plan, None))
    return _show(comparison(*reports), wish)


async def _measured(model: str | None, wish: Wish, plan: Plan, kept: Path | None) -> Report:
    """The report of a model. What was found is kept even where it is stopped."""
    engine = open_engine(_settings(model, wish))
    run = Run(engine, plan)
    subject: Subject | None = None
    complete = False
    try:
        info = await run.load()
        before = _before(kept, _subject(info, plan))
        run.go_on_from(before)
        subject = _subject(info, plan)
        with _bar() as bar:
            row = bar.add_task("asking", total=None)

            def tell(told: Progress) -> None:
                bar.update(row, description=told.task, completed=told.asked, total=told.total)
                if told.asked % _SAVED_EVERY == 0 and subject is not None:
                    _keep(run, subject, kept, complete=False)

            await run.go(info, tell)
        complete = True
    except asyncio.CancelledError:
        if subject is not None and run.outcomes:
            _show(markdown(report_of(subject, run.outcomes, run.notes, complete=False)), wish)
        raise
    finally:
        await engine.aclose()
        if subject is not None:
            _keep(run, subject, kept, complete=complete)
    return report_of(subject, run.outcomes, run.notes, complete=True)


def _keep(run: Run, subject: Subject, kept: Path | None, *, complete: bool) -> None:
    if kept is not None and run.outcomes:
        save_report(report_of(subject, run.outcomes, run.notes, complete=complete), kept)


def _before(kept: Path | None, subject: Subject) -> Sequence[Outcome]:
    """What a stopped measurement of the same left; a whole one is made anew."""
    if kept is None or not kept.exists():
        return ()
    before = load_report(kept)
    if before.complete:
        return ()
    if before.subject != subject:
        raise EvalError(
            f"{kept} holds a stopped measurement of {before.subject.model} with seed "
            f"{before.subject.seed}. Name another file with --json."
        )
    return before.outcomes


def _settings(model: str | None, wish: Wish) -> Settings:
    """The engine of a command: what its options say, else what is in use."""
    over: dict[str, Any] = {}
    if wish.url:
        over["engine"] = {"kind": "remote", "url": wish.url, "remoteModel": wish.remote_model}
    elif model:
        over = of_model(Path(model))
    return chosen_settings(over)


def _subject(info: EngineInfo, plan: Plan) -> Subject:
    return Subject(
        model=info.model,
        path=info.path,
        parameters=info.parameters,
        context=info.context,
        embedded=info.embedded,
        version=__version__,
        seed=plan.seed,
    )


def _bar() -> Bar:
    console = Console(stderr=True)
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # it would end a log in an empty line
    )


def _show(table: str, wish: Wish) -> int:
    if wish.markdown is not None:
        try:
            wish.markdown.write_text(table, "utf-8")
        except OSError as error:
            fail(f"The table cannot be written to {wish.markdown}: {error.strerror}.")
    Output().show(ReadableMarkdown(table))
    return 0
