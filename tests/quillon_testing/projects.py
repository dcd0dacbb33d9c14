"""Projects with tests, one for each runner, and what is read of a run."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from quillon_tools.command import Finished

PYTEST = {
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "calc.py": "def half(x):\n    return x / 2\n",
    "tests/test_calc.py": """\
from calc import half

import pytest


class TestHalf:
    def test_four(self):
        assert half(4) == 2

    def test_odd(self):
        assert half(3) == 1


@pytest.mark.parametrize("x", ["a b", "c::d"])
def test_text(x):
    assert x


def test_broken_setup(missing):
    pass


@pytest.mark.skip
def test_skipped():
    pass
""",
    "tests/test_other.py": "def test_other():\n    raise KeyError('name')\n",
}

UNITTEST = {
    "tests/test_calc.py": """\
import unittest


class TestCalc(unittest.TestCase):
    def test_ok(self):
        pass

    def test_wrong(self):
        '''Compares.

        More.
        '''
        self.assertEqual(1, 2)

    def test_broken(self):
        raise ValueError("no")

    @unittest.skip("later")
    def test_later(self):
        pass
""",
}

NODE = {
    "package.json": json.dumps({"scripts": {"test": "node --test test/"}}),
    "test/calc.test.js": """\
const test = require('node:test');
const assert = require('node:assert');

test('adds', () => assert.equal(1 + 1, 2));

test('halves', () => {
  assert.equal(3 / 2, 1);
});

test.skip('later', () => {});
""",
}

GO = {
    "go.mod": "module example.com/calc\n\ngo 1.20\n",
    "calc_test.go": 'package calc\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {}\n',
    "sub/sub_test.go": "package sub\n",
}

CARGO = {
    "Cargo.toml": '[package]\nname = "calc"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": """\
pub fn half(x: i32) -> i32 { x / 2 }

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn four() { assert_eq!(half(4), 2); }
    #[test]
    fn odd() {
        assert_eq!(half(3), 2);
    }
}
""",
}


def timeless(text: str) -> str:
    """The text without how long it took."""
    head, _, _seconds = text.rpartition(" in ")
    return head


async def check_tests(bench, target: str | None) -> str:
    """What is told of a run of one target, or of all."""
    arguments = {"target": target} if target is not None else {}
    return timeless(await bench.call("run_tests", **arguments))


async def check_program(bench, name: str, expected: str, **arguments: str) -> None:
    """The result where the program runs, else what is said of one that is broken or not there.

    A version manager's place-holder without a version is a broken one. CI has them all.
    """
    program = shutil.which(name)
    if os.environ.get("QUILLON_TEST_RUNNERS") == "all":
        assert timeless(await bench.call("run_tests", **arguments)) == expected
    elif program:
        broken = await asyncio.to_thread(_complaint, program)
        said = await bench.call("run_tests", **arguments)
        assert broken in said if broken else timeless(said) == expected
    else:
        error = await bench.error("run_tests", **arguments)
        assert error == f"{name} is not installed, or not on the PATH"


def _complaint(program: str) -> str:
    """The first line of what a program says that cannot even tell its version; "" of others."""
    version = "version" if Path(program).name == "go" else "--version"
    asked = subprocess.run([program, version], capture_output=True, check=False, text=True)
    return asked.stderr.splitlines()[0] if asked.returncode else ""


def put_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Put an installed program of this name on the PATH; should it be started, it fails."""
    program = tmp_path / "tools" / name
    program.parent.mkdir()
    program.write_text("#!/bin/false\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def ended(output: str, code: int = 1, report: str = "") -> Finished:
    """A runner that has ended."""
    return Finished(code=code, output=output, left_out=0, seconds=1.0, report=report)
