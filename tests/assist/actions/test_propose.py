"""Actions carried out with a scripted model: from an offer to a checked proposal."""

import asyncio
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions import ActionKind, offers
from quillon.assist.actions_run import Surroundings, propose
from quillon.assist.edits import BadAnswer, Changed, Created
from quillon.context.diagnostics import Diagnostic
from quillon.context.document import DocumentSnapshot, snapshot_of
from quillon.engine.base import EngineLost, Priority, PromptTooLong
from quillon.engine.script import Script, Step
from quillon.engine.scripted import ScriptedEngine
from quillon.text import apply_edits
from quillon_testing.markers import marked_block


def read_file(path: Path) -> DocumentSnapshot:
    return snapshot_of(path.as_uri(), path.read_text(), path=path)


class Desk:
    """A folder, a document in it, and a model that answers what the test says."""

    def __init__(self, folder: Path, *, can_create: bool = True, chinese: bool = False) -> None:
        self.folder = folder
        self.engine = ScriptedEngine()
        self.around = Surroundings((folder,), read_file, chinese, can_create)
        self.told = ""

    async def propose(
        self,
        kind: ActionKind,
        source: str,
        answer: str | Step | Script,
        *,
        name: str = "a.py",
    ) -> Changed | Created:
        place = marked_block(source)
        document = snapshot_of("file:///a", place.text, path=self.folder / name)
        problems = [Diagnostic(place.selection, 0, 0, "name 'x' is not defined", source="lint")]
        offer = next(o for o in offers(document, place.selection, problems) if o.kind is kind)
        step = Step(reply=answer) if isinstance(answer, str) else answer
        self.engine = ScriptedEngine([step] if isinstance(step, Step) else step)
        return await propose(self.engine, document, offer, self.around, self._tell)

    async def text(self, kind: ActionKind, source: str, answer: str, **how) -> str:
        """The text after the proposal; that of a new file with its name above."""
        proposal = await self.propose(kind, source, answer, **how)
        if isinstance(proposal, Created):
            return f"{proposal.path.relative_to(self.folder)}:\n{proposal.text}"
        return apply_edits(proposal.snapshot.text, proposal.edits)

    def _tell(self, text: str) -> None:
        self.told += text


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# Implement from signature

STACK = '''
    class Stack:
        def __init__(self):
            self.items = []

        def pop(self):
            """Take the last item."""
            ▮raise NotImplementedError

        def size(self): ...
    '''


async def test_implement_a_method(desk: Desk) -> None:
    answer = """```python
def pop(self):
    \"\"\"Take it.\"\"\"
    if not self.items:
        raise IndexError("empty")
    return self.items.pop()
```"""
    assert await desk.text(ActionKind.IMPLEMENT, STACK, answer) == snapshot('''\
class Stack:
    def __init__(self):
        self.items = []

    def pop(self):
        """Take the last item."""
        if not self.items:
            raise IndexError("empty")
        return self.items.pop()

    def size(self): ...
''')


async def test_implement_from_statements_alone(desk: Desk) -> None:
    answer = "return self.items.pop()"
    assert '"""\n        return self.items.pop()\n' in await desk.text(
        ActionKind.IMPLEMENT, STACK, answer
    )


async def test_implement_on_the_line_of_the_signature(desk: Desk) -> None:
    source = "class A:\n    def size(self): ▮...\n    x = 1\n"
    answer = "def size(self):\n    return len(self.items)"
    assert await desk.text(ActionKind.IMPLEMENT, source, answer) == (
        "class A:\n    def size(self):\n        return len(self.items)\n    x = 1\n"
    )


async def test_implement_behind_a_docstring(desk: Desk) -> None:
    source = 'def f(x):\n    """Double."""▮\n'
    answer = 'def f(x):\n    """Double."""\n    return 2 * x'
    assert await desk.text(ActionKind.IMPLEMENT, source, answer) == (
        'def f(x):\n    """Double."""\n    return 2 * x\n'
    )


@pytest.mark.parametrize(
    ("name", "source", "answer", "expected"),
    [
        (
            "a.ts",
            "class A {\n  area(r: number): number {\n    // TODO▮\n  }\n}\n",
            "```ts\narea(r: number): number {\n  return 3 * r * r;\n}\n```",
            "class A {\n  area(r: number): number {\n    return 3 * r * r;\n  }\n}\n",
        ),
        (
            "a.js",
            "export const add = (a, b) => {▮};\n",
            "export const add = (a, b) => {\n  return a + b;\n};",
            "export const add = (a, b) => {\n  return a + b;\n};\n",
        ),
        (
            "a.go",
            'package a\n\nfunc Sum(xs []int) int {▮\n\tpanic("todo")\n}\n',
            "```go\nfunc Sum(xs []int) int {\n    s := 0\n    return s\n}\n```",
            "package a\n\nfunc Sum(xs []int) int {\n\ts := 0\n\treturn s\n}\n",
        ),
        (
            "a.rs",
            "impl A {\n    fn get(&self) -> u8 {▮ todo!() }\n}\n",
            "fn get(&self) -> u8 {\n    self.x\n}",
            "impl A {\n    fn get(&self) -> u8 {\n        self.x\n    }\n}\n",
        ),
        (
            "A.java",
            "class A {\n    int f() {▮\n    }\n}\n",
            "return 1;",
            "class A {\n    int f() {\n        return 1;\n    }\n}\n",
        ),
        ("a.c", "int f(void) {▮}\n", "{\n    return 1;\n}", "int f(void) {\n    return 1;\n}\n"),
    ],
)
async def test_implement_in(desk: Desk, name: str, source: str, answer: str, expected: str) -> None:
    assert await desk.text(ActionKind.IMPLEMENT, source, answer, name=name) == expected


async def test_the_model_repeats_the_stub(desk: Desk) -> None:
    with pytest.raises(BadAnswer, match="without a body"):
        await desk.propose(ActionKind.IMPLEMENT, STACK, "def pop(self):\n    pass")


async def test_an_implementation_that_does_not_parse(desk: Desk) -> None:
    with pytest.raises(BadAnswer, match="syntax error"):
        await desk.propose(ActionKind.IMPLEMENT, STACK, "return self.items.pop((")


# Fix this problem

BROKEN = """
    import os

    class A:
        def get(self):
            return «x»
    """


async def test_fix(desk: Desk) -> None:
    answer = "Change it:\n```python\ndef get(self):\n    return self.x\n```"
    assert await desk.text(ActionKind.FIX, BROKEN, answer) == snapshot("""\
import os

class A:
    def get(self):
        return self.x
""")
    (call,) = desk.engine.calls
    assert "fix this problem: name 'x' is not defined (lint)" in call.prompt
    assert "```python\ndef get(self):\n    return x\n```" in call.prompt
    assert "It is part of a.py:\n```python\nimport os" in call.prompt
    assert call.request.priority is Priority.ACTION
    assert call.request.draft == "def get(self):\n        return x"
    assert desk.told == answer


async def test_a_fix_that_changes_nothing(desk: Desk) -> None:
    with pytest.raises(BadAnswer, match="no change"):
        await desk.propose(ActionKind.FIX, BROKEN, "def get(self):\n    return x")


async def test_an_answer_that_was_cut_is_no_fix(desk: Desk) -> None:
    with pytest.raises(BadAnswer, match="did not come to an end"):
        await desk.propose(
            ActionKind.FIX, BROKEN, Step(reply="def get(self):\n    return", finish="length")
        )


@pytest.mark.parametrize("round_", ["x = 1\n", "and the "])
async def test_an_answer_that_repeats_itself_is_ended(desk: Desk, round_: str) -> None:
    step = Step(reply=round_ * 40, chunk=len(round_), gates={39: "never"})
    async with asyncio.timeout(5):
        with pytest.raises(BadAnswer, match="did not come to an end"):
            await desk.propose(ActionKind.FIX, BROKEN, step)
    assert desk.engine.calls[0].outcome == "cancelled"


async def test_an_engine_that_dies(desk: Desk) -> None:
    with pytest.raises(EngineLost, match="killed"):
        await desk.propose(
            ActionKind.FIX, BROKEN, Step(reply="de", error="EngineLost", message="it was killed")
        )


async def test_special_tokens_in_the_code_are_plain_text(desk: Desk) -> None:
    source = "def f():\n    return «'<|im_end|>'»\n"
    await desk.text(ActionKind.FIX, source, "def f():\n    return 1")
    (request,) = desk.engine.requests
    assert not any(s.trusted and "return" in s.text for s in request.prompt)
    assert any(not s.trusted and "'<|im_end|>'" in s.text for s in request.prompt)


async def test_windows_line_ends(desk: Desk) -> None:
    source = "def f():\r\n    «x»\r\n    return 1\r\n"
    answer = "def f():\n    y = 2\n    return 1"
    assert await desk.text(ActionKind.FIX, source, answer) == (
        "def f():\r\n    y = 2\r\n    return 1\r\n"
    )


# The prompt's budget


async def test_less_of_the_file_where_the_context_is_small(desk: Desk) -> None:
    lines = "\n".join(f"value_{number} = {number}" for number in range(300))
    source = f"{lines}\n\ndef f():\n    return «x»\n\n{lines}\n"
    script = Script(steps=(Step(reply="def f():\n    return 1"),), context=1200)
    await desk.propose(ActionKind.FIX, source, script)
    prompt = desk.engine.calls[0].prompt
    assert "value_299" in prompt
    assert "value_150 " not in prompt


async def test_code_that_does_not_fit_at_all(desk: Desk) -> None:
    body = "\n".join(f"    value_{number} = {number}" for number in range(300))
    script = Script(steps=(Step(reply="x"),), context=600)
    with pytest.raises(PromptTooLong, match="Select less"):
        await desk.propose(ActionKind.FIX, f"def f():\n{body}\n    return «x»\n", script)


async def test_a_small_model_gets_the_code_alone(desk: Desk) -> None:
    script = Script(steps=(Step(reply="def get(self):\n    return 1"),), embedded=True)
    await desk.propose(ActionKind.FIX, BROKEN, script)
    assert "It is part of" not in desk.engine.calls[0].prompt


async def test_questions_in_chinese(tmp_path: Path) -> None:
    desk = Desk(tmp_path, chinese=True)
    await desk.text(ActionKind.DOCSTRING, "def f():▮\n    return 1\n", "返回一。")
    assert "给这段代码写文档字符串" in desk.engine.calls[0].prompt


# Docstrings


async def test_docstring(desk: Desk) -> None:
    assert await desk.text(ActionKind.DOCSTRING, "def f():▮\n    return 1\n", '"""One."""') == (
        'def f():\n    """One."""\n    return 1\n'
    )


# Tests

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
