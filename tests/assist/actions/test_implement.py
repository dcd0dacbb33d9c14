"""Functions written from their signatures, in the languages that are known."""

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions import ActionKind
from quillon.assist.edits import BadAnswer
from quillon_testing.proposals import Desk

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
