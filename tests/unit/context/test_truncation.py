"""Completions are cut where the block or the statement at the cursor ends."""

import pytest

from quillon.context.document import snapshot_of
from quillon.context.truncation import completion_end, truncate_completion
from quillon_testing.markers import marked_block

CASES = {
    # language, text with the cursor, completion, what is kept of it
    "a python body ends with the dedent": (
        "python",
        "def f(x):▮\n",
        "\n    return x\n\n\ndef g():\n    pass\n",
        "\n    return x",
    ),
    "blank lines belong to a body": (
        "python",
        "def f(x):\n    ▮\n",
        "a = 1\n\n    return a\nb = 2",
        "a = 1\n\n    return a",
    ),
    "an inner block ends within a method": (
        "python",
        "class A:\n    def f(self):\n        for x in y:\n            ▮\n",
        "print(x)\n        return 1",
        "print(x)",
    ),
    "a blank line without indentation takes that of the completion": (
        "python",
        "def f():\n▮",
        "    return 1\nx = 2",
        "    return 1",
    ),
    "lines in a triple-quoted string do not count": (
        "python",
        "def f():\n    ▮",
        'q = """\nselect 1\n"""\n    return q\nx = 1',
        'q = """\nselect 1\n"""\n    return q',
    ),
    "lines in brackets do not count": (
        "python",
        "def f():\n    ▮",
        "x = [\n1,\n2,\n]\n    return x\ny",
        "x = [\n1,\n2,\n]\n    return x",
    ),
    "a statement ends with its line": ("python", "x = ▮\n", "f(1)\ny = 2", "f(1)"),
    "a statement goes on in brackets": (
        "python",
        "x = f(▮\n",
        "\n    1,\n    2,\n)\ny = 2",
        "\n    1,\n    2,\n)",
    ),
    "brackets that the editor closed do not keep it open": (
        "python",
        "x = f(▮)\n",
        "1, 2\ny = 2",
        "1, 2",
    ),
    "a definition that the completion finishes has its body": (
        "python",
        "def f▮\n",
        "oo(x):\n    return x\n\n\nfoo(1)",
        "oo(x):\n    return x",
    ),
    "else belongs to its if": (
        "python",
        "▮",
        "if x:\n    a()\nelse:\n    b()\nc()",
        "if x:\n    a()\nelse:\n    b()",
    ),
    "at the top level one definition": (
        "python",
        "import a\n\n▮\n",
        "@dec\ndef f():\n    x = 1\n\n    return x\n\n\ndef g():\n    pass",
        "@dec\ndef f():\n    x = 1\n\n    return x",
    ),
    "at the top level one paragraph": ("python", "▮", "a = 1\nb = 2\n\nc = 3", "a = 1\nb = 2"),
    "a colon in a dictionary opens no block": ("python", "x = {1:▮}\n", " 2\ny", " 2"),
    "an unclosed brace is closed": (
        "javascript",
        "function f(a) {▮\n\nfunction g() {\n}\n",
        "\n  return a;\n}\n\nfunction h() {}",
        "\n  return a;\n}",
    ),
    "a closed brace is not closed again": (
        "javascript",
        "function f(a) {\n  ▮\n}\n",
        "return a;\n}\n\nf(1);",
        "return a;",
    ),
    "a brace on the same line is not closed again": (
        "typescript",
        "const f = (a: number) => {▮}\n",
        " return a }\nf(1)",
        " return a",
    ),
    "inner blocks belong": (
        "go",
        "func f(x int) int {\n\t▮\n}\n",
        "if x > 0 {\n\t\treturn 1\n\t}\n\treturn 0\n}\n\nfunc g() {",
        "if x > 0 {\n\t\treturn 1\n\t}\n\treturn 0",
    ),
    "a statement with a block ends with it": (
        "java",
        "class A {\n  void f() {\n    if ▮\n  }\n}\n",
        "(x) {\n      y();\n    } else {\n      z();\n    }\n    w();",
        "(x) {\n      y();\n    } else {\n      z();\n    }",
    ),
    "a call that spans lines": (
        "typescript",
        "run(▮);\n",
        "() => {\n  x();\n}, 10);\ny();",
        "() => {\n  x();\n}, 10",
    ),
    "a chain goes on": (
        "rust",
        "fn f() {\n    let x = a▮\n}\n",
        ".iter()\n        .map(|x| x + 1)\n        .collect();\n    g();",
        ".iter()\n        .map(|x| x + 1)\n        .collect();",
    ),
    "braces in strings and comments do not count": (
        "c",
        "int f() {\n  ▮\n}\n",
        "puts(\"}\"); // }\n  /* } */ g('}');\n}\nint",
        "puts(\"}\"); // }\n  /* } */ g('}');",
    ),
    "lifetimes are no strings": (
        "rust",
        "fn f() {\n    ▮\n}\n",
        "let x: &'a str = g();\n}\n",
        "let x: &'a str = g();",
    ),
    "at the top level one braced definition": (
        "cpp",
        "#include <a>\n\n▮\n",
        "int f() {\n  return 1;\n}\n\nint g() {\n}\n",
        "int f() {\n  return 1;\n}",
    ),
    "a brace on its own line": (
        "c",
        "int f()▮\n",
        "\n{\n  return 1;\n}\nint g()",
        "\n{\n  return 1;\n}",
    ),
    "a language without grammar goes by indentation": (
        "ruby",
        "def f(x)\n  ▮\nend\n",
        "x + 1\nend\n\nf(1)",
        "x + 1",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_truncation(name):
    language, source, completion, expected = CASES[name]
    place = marked_block(source)
    snapshot = snapshot_of("untitled:x", place.text, language_id=language)
    assert truncate_completion(snapshot, place.cursor, completion) == expected


@pytest.mark.parametrize("name", CASES)
def test_the_end_is_found_while_the_text_streams(name):
    language, source, completion, expected = CASES[name]
    place = marked_block(source)
    snapshot = snapshot_of("untitled:x", place.text, language_id=language)
    for length in range(len(completion) + 1):
        end = completion_end(snapshot, place.cursor, completion[:length])
        assert end is None or completion[:end] == expected
