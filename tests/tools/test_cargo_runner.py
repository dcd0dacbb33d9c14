"""`cargo test`: its arguments, its text, and what does not compile."""

import pytest

from quillon_testing.projects import CARGO, check_program, ended, put_on_path, timeless
from quillon_tools.policy import Decision
from quillon_tools.runners.cargo import read_text
from quillon_tools.runners.report import rendered


async def test_cargo(bench_of):
    await check_program(
        bench_of(CARGO),
        "cargo",
        "FAILED tests::odd - assertion `left == right` failed\n  at src/lib.rs:10\n"
        "1 failed, 1 passed",
    )


async def test_cargo_that_does_not_compile(bench_of):
    files = {**CARGO, "src/lib.rs": "pub fn half() -> i32 { nothing }\n"}
    await check_program(
        bench_of(files),
        "cargo",
        "ERROR src/lib.rs - cannot find value `nothing` in this scope\n  at src/lib.rs:1\n1 error",
    )


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        (None, ""),
        ("src/lib.rs::tests::four", " tests::four"),
        ("src/a/b.rs", " a::b"),
        ("src/a/mod.rs::tests", " a::tests"),
        ("tests/it.rs::case", " --test it case"),
    ],
)
async def test_cargos_arguments(bench_of, tmp_path, monkeypatch, target, arguments):
    put_on_path(tmp_path, monkeypatch, "cargo")
    files = {"src/a/b.rs": "", "src/a/mod.rs": "", "tests/it.rs": ""}
    bench = bench_of({**CARGO, **files})
    bench.answer = Decision("deny")
    await bench.error("run_tests", **({"target": target} if target else {}))
    argv = bench.asked[0].preview.split("\n")[0]
    assert argv == f"{tmp_path}/tools/cargo test --color=never --no-fail-fast{arguments}"


def test_cargos_older_panics():
    output = (
        "---- tests::odd stdout ----\n"
        "thread 'tests::odd' panicked at 'assertion failed: x', src/lib.rs:9:5\n\n"
        "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured\n"
    )
    assert timeless(rendered(read_text(ended(output)), ended(output))) == (
        "FAILED tests::odd - assertion failed: x\n  at src/lib.rs:9\n1 failed, 3 passed, 2 skipped"
    )
