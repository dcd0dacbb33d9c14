"""`go test`: its arguments, its events and its panics."""

import json

import pytest

from quillon_testing.projects import GO, check_program, ended, put_on_path, timeless
from quillon_tools.policy import Decision
from quillon_tools.runners.go import read_events
from quillon_tools.runners.report import rendered


async def test_go(bench_of):
    await check_program(bench_of(GO), "go", "1 passed", target="calc_test.go::TestAdd")


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        (None, "test -json ./..."),
        ("calc_test.go", "test -json ."),
        ("sub", "test -json ./sub/..."),
        ("sub/sub_test.go::TestX::case 1", "test -json -run '^TestX$/^case\\ 1$' ./sub"),
    ],
)
async def test_gos_arguments(bench_of, tmp_path, monkeypatch, target, arguments):
    put_on_path(tmp_path, monkeypatch, "go")
    bench = bench_of(GO)
    bench.answer = Decision("deny")
    await bench.error("run_tests", **({"target": target} if target else {}))
    assert bench.asked[0].preview.split("\n")[0] == f"{tmp_path}/tools/go {arguments}"


def test_gos_events():
    events = [
        {"Action": "run", "Package": "p", "Test": "TestA"},
        {"Action": "output", "Package": "p", "Test": "TestA", "Output": "    a_test.go:7: no\n"},
        {"Action": "fail", "Package": "p", "Test": "TestA"},
        {"Action": "fail", "Package": "p", "Test": "TestB/one"},
        {"Action": "fail", "Package": "p", "Test": "TestB"},
        {"Action": "pass", "Package": "p", "Test": "TestC"},
        {"Action": "skip", "Package": "p", "Test": "TestD"},
        {"Action": "fail", "Package": "p"},
        {"Action": "build-output", "ImportPath": "q", "Output": "q/x.go:3:5: undefined: y\n"},
        {"Action": "fail", "Package": "q"},
    ]
    output = "\n".join(["{broken", "[]", *map(json.dumps, events)])
    assert timeless(rendered(read_events(ended(output)), ended(output))) == (
        "FAILED p.TestA - no\n  at a_test.go:7\nFAILED p.TestB/one\n"
        "ERROR q - undefined: y\n  at q/x.go:3\n2 failed, 1 passed, 1 skipped, 1 error"
    )
    assert read_events(ended("go: no such tool")) is None


def test_gos_panics():
    said = [
        "=== RUN   TestPanic\n",
        "--- FAIL: TestPanic (0.00s)\n",
        "panic: assignment to entry in nil map [recovered]\n",
        "\tpanic: assignment to entry in nil map\n",
        "goroutine 6 [running]:\n",
        "\t/usr/lib/go-1.19/src/testing/testing.go:1399 +0x39f\n",
        "example.com/x.TestPanic(0x0?)\n",
        "\t/w/x_test.go:5 +0x28\n",
    ]
    key = {"Package": "p", "Test": "TestPanic"}
    events = [{"Action": "output", "Output": line, **key} for line in said]
    output = "\n".join(map(json.dumps, [*events, {"Action": "fail", **key}]))
    assert timeless(rendered(read_events(ended(output)), ended(output))) == (
        "FAILED p.TestPanic - panic: assignment to entry in nil map\n  at x_test.go:5\n1 failed"
    )
