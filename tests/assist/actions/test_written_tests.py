"""Tests that a model writes: where they go, and what they need there."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions import ActionKind
from quillon.assist.edits import BadAnswer
from quillon_testing.proposals import Desk

ADD = "def add(a, b):▮\n    return a + b\n"
TEST_ADD = "```python\ndef test_add():\n    assert add(1, 2) == 3\n```"


async def test_a_new_test_file_beside_the_code(desk: Desk) -> None:
    assert await desk.text(ActionKind.TEST, ADD, TEST_ADD) == snapshot("""\
test_a.py:
from a import add


def test_add():
    assert add(1, 2) == 3
""")
    assert "write a test for add with pytest (module a)" in desk.engine.calls[0].prompt


async def test_a_new_test_file_in_the_folder_of_tests(desk: Desk) -> None:
    (desk.folder / "tests").mkdir()
    package = desk.folder / "src" / "pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    answer = (
        "import pytest\nfrom pkg.mod import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    )
    assert await desk.text(ActionKind.TEST, ADD, answer, name="src/pkg/mod.py") == (
        f"tests/test_mod.py:\n{answer}"
    )


async def test_an_existing_test_file_is_extended(desk: Desk) -> None:
    (desk.folder / "tests").mkdir()
    (desk.folder / "tests" / "test_a.py").write_text(
        "import os\n\nfrom a import sub\n\n\ndef test_add():\n    assert os\n"
    )
    answer = "import os\nimport sys\n\ndef test_add():\n    assert add(1, 2) == 3 and sys\n"
    assert await desk.text(ActionKind.TEST, ADD, answer) == snapshot("""\
import os

from a import sub
from a import add
import sys


def test_add():
    assert os


def test_add_2():
    assert add(1, 2) == 3 and sys
""")


async def test_a_method_is_imported_with_its_class(desk: Desk) -> None:
    source = "class A:\n    def f(self):▮\n        return 1\n"
    answer = "def test_f():\n    assert A().f() == 1"
    assert "from a import A\n" in await desk.text(ActionKind.TEST, source, answer)


@pytest.mark.parametrize(
    ("name", "source", "answer", "expected"),
    [
        (
            "src/sum.ts",
            "export function sum(a: number) {▮ return a; }\n",
            'test("sum", () => {\n  expect(sum(1)).toBe(1);\n});',
            'src/sum.test.ts:\nimport { sum } from "./sum";\n\n'
            'test("sum", () => {\n  expect(sum(1)).toBe(1);\n});\n',
        ),
        (
            "sum.go",
            "package calc\n\nfunc Sum() int {▮ return 1 }\n",
            "package main\n\nfunc TestSum(t *testing.T) {\n\tif Sum() != 1 {\n\t\tt.Fail()\n\t}\n}",
            'sum_test.go:\npackage calc\n\nimport "testing"\n\n'
            "func TestSum(t *testing.T) {\n\tif Sum() != 1 {\n\t\tt.Fail()\n\t}\n}\n",
        ),
        (
            "src/main/java/app/Calc.java",
            "package app;\n\nclass Calc {\n  int one() {▮ return 1; }\n}\n",
            "import org.junit.jupiter.api.Test;\n\n"
            "class CalcTest {\n  @Test\n  void one() {\n  }\n}",
            "src/test/java/app/CalcTest.java:\npackage app;\n\n"
            "import org.junit.jupiter.api.Test;\n\n"
            "class CalcTest {\n  @Test\n  void one() {\n  }\n}\n",
        ),
        (
            "lib.rs",
            "pub fn one() -> u8 {▮ 1 }\n",
            "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn is_one() {\n"
            "        assert_eq!(one(), 1);\n    }\n}",
            "pub fn one() -> u8 { 1 }\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n"
            "    #[test]\n    fn is_one() {\n        assert_eq!(one(), 1);\n    }\n}\n",
        ),
        (
            "lib.rs",
            "pub fn one() -> u8 {▮ 1 }\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n"
            "    #[test]\n    fn test_one() {\n    }\n}\n",
            "#[test]\nfn test_one() {\n    assert_eq!(one(), 1);\n}",
            "pub fn one() -> u8 { 1 }\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n"
            "    #[test]\n    fn test_one() {\n    }\n\n    #[test]\n    fn test_one_2() {\n"
            "        assert_eq!(one(), 1);\n    }\n}\n",
        ),
    ],
)
async def test_tests_in(desk: Desk, name: str, source: str, answer: str, expected: str) -> None:
    assert await desk.text(ActionKind.TEST, source, answer, name=name) == expected


async def test_a_java_test_class_is_extended(desk: Desk) -> None:
    (desk.folder / "CalcTest.java").write_text(
        "import a.B;\n\nclass CalcTest {\n    @Test\n    void zero() {\n    }\n}\n"
    )
    source = "class Calc {\n  int one() {▮ return 1; }\n}\n"
    answer = "import c.D;\n\nclass CalcTest {\n  @Test\n  void one() {\n    f();\n  }\n}"
    assert await desk.text(ActionKind.TEST, source, answer, name="Calc.java") == snapshot("""\
import a.B;
import c.D;

class CalcTest {
    @Test
    void zero() {
    }

    @Test
    void one() {
        f();
    }
}
""")


async def test_an_editor_that_cannot_create_files(tmp_path: Path) -> None:
    desk = Desk(tmp_path, can_create=False)
    with pytest.raises(BadAnswer, match="cannot create files"):
        await desk.propose(ActionKind.TEST, ADD, TEST_ADD)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("import os", "no test"),
        ("def test_add(:\n    pass", "syntax error"),
        ("```\n```", "no code"),
    ],
)
async def test_tests_that_are_none(desk: Desk, answer: str, problem: str) -> None:
    with pytest.raises(BadAnswer, match=problem):
        await desk.propose(ActionKind.TEST, ADD, answer)
