"""Known mistakes put into real functions, and what is said about each."""

import ast
import random
import re
import warnings
from collections.abc import Callable

import msgspec


class Pattern(msgspec.Struct, frozen=True):
    """A mistake: its name, what is wrong and how to mend it, in both languages."""

    name: str
    english: str
    chinese: str
    inject: Callable[[str, random.Random], tuple[str, str] | None]
    """From code to code with the mistake and the wrong line; None where it has no place."""


def _replaced(
    pattern: str, replacement: str
) -> Callable[[str, random.Random], tuple[str, str] | None]:
    """Replace one match on one line."""
    compiled = re.compile(pattern)

    def inject(code: str, rng: random.Random) -> tuple[str, str] | None:
        lines = code.split("\n")
        places = [index for index, line in enumerate(lines) if compiled.search(line)]
        if not places:
            return None
        index = rng.choice(places)
        lines[index] = compiled.sub(replacement, lines[index], count=1)
        return "\n".join(lines), lines[index].strip()

    return inject


_CONDITIONS = ("{0} is not None", "{0}", "len({0}) > 0", "isinstance({0}, str)", "{0} != 0")
_REASONS = ("{0} is missing", "bad {0}", "no {0} given", "{0} must not be empty")


def _one_match(
    pattern: str, lines: list[str], rng: random.Random
) -> tuple[int, "re.Match[str]"] | None:
    """One of the lines that match, by its index."""
    found = [
        (index, match) for index, line in enumerate(lines) if (match := re.match(pattern, line))
    ]
    return rng.choice(found) if found else None


def _left_open(code: str, rng: random.Random) -> tuple[str, str] | None:
    """A file that a block closes, opened without one."""
    lines = code.split("\n")
    place = _one_match(r"^(\s+)with (open\(.*\)) as (\w+):$", lines, rng)
    if place is None:
        return None
    index, found = place
    blank, opened, name = found.groups()
    inside = len(blank) + 4
    after = index + 1
    while after < len(lines) and (not lines[after].strip() or lines[after][:inside].isspace()):
        lines[after] = lines[after][4:]
        after += 1
    line = f"{name} = {opened}"
    lines[index] = blank + line
    return "\n".join(lines), line


def _short_loop(code: str, rng: random.Random) -> tuple[str, str] | None:
    """A loop over a list as one over indices, the last of which is never reached."""
    lines = code.split("\n")
    place = _one_match(r"^(\s+)for (\w+) in (\w+):$", lines, rng)
    if place is None:
        return None
    index, found = place
    blank, item, items = found.groups()
    counter = rng.choice(("i", "index", "n", "k"))
    line = f"for {counter} in range(len({items}) - 1):"
    lines[index : index + 1] = [blank + line, f"{blank}    {item} = {items}[{counter}]"]
    return "\n".join(lines), line


def _tuple_asserted(code: str, rng: random.Random) -> tuple[str, str] | None:
    """An assertion of a parameter, in parentheses with its message."""
    lines = code.split("\n")
    found = re.match(r"(?:async )?def \w+\((?:self, |cls, )?([a-z]\w*).*:$", lines[0])
    if found is None or found[1] in ("self", "cls"):
        return None
    condition = rng.choice(_CONDITIONS).format(found[1])
    reason = rng.choice(_REASONS).format(found[1])
    line = f'assert ({condition}, "{reason}")'
    return "\n".join((lines[0], f"    {line}", *lines[1:])), line


def _either(
    *injections: Callable[[str, random.Random], tuple[str, str] | None],
) -> Callable[[str, random.Random], tuple[str, str] | None]:
    """The first that has a place in the code."""

    def inject(code: str, rng: random.Random) -> tuple[str, str] | None:
        return next((made for one in injections if (made := one(code, rng))), None)

    return inject


PATTERNS = (
    Pattern(
        "mutable default",
        "mutable default: the same object is shared by all calls. Use None and make it inside.",
        "可变的默认参数：所有调用共享同一个对象。请用 None 作为默认值，在函数里新建。",
        _replaced(r"^(\s*(?:async )?def .*?\w)\s*=\s*None", r"\1=[]"),
    ),
    Pattern(
        "bare except",
        "bare except: it also hides mistakes and Ctrl-C. Name the exception that is expected.",
        "裸 except：它会隐藏真正的错误。请写出需要捕获的异常类型。",
        _replaced(r"except [\w.(), ]+?(?: as \w+)?:", "except:"),
    ),
    Pattern(
        "comparison with None",
        "comparison with None: use `is None`, because `==` can be overridden.",
        "用 == 比较 None：请使用 is None。",
        _replaced(r"\bis None\b", "== None"),
    ),
    Pattern(
        "identity of a literal",
        "identity of a literal: `is` compares objects, not values. Use `==`.",
        "用 is 比较字面量：is 比较的是身份，请使用 ==。",
        _replaced(r"== (?=[\"'\d])", "is "),
    ),
    Pattern(
        "off by one",
        "off by one: the range misses the last element. Remove the `- 1`.",
        "差一错误：循环少了最后一个元素。请去掉 - 1。",
        _either(_replaced(r"range\(len\((\w+)\)\)", r"range(len(\1) - 1)"), _short_loop),
    ),
    Pattern(
        "unclosed file",
        "unclosed file: nothing closes it when an error occurs. Use `with open(...)`.",
        "文件没有关闭：请使用 with open(...)。",
        _left_open,
    ),
    Pattern(
        "missing f prefix",
        "missing f prefix: the braces are printed as they are. Write f before the quote.",
        "缺少 f 前缀：大括号会原样输出。请在引号前加上 f。",
        _replaced(r"\bf(?=([\"'])[^\"']*\{\w)", ""),
    ),
    Pattern(
        "assert on a tuple",
        "assert on a tuple: a tuple is always true. Remove the parentheses.",
        "断言的是元组：元组总是为真。请去掉括号。",
        _either(
            _replaced(r"^(\s*)assert ([^,(]+), ([^,]+)$", r"\1assert (\2, \3)"),
            _tuple_asserted,
        ),
    ),
    Pattern(
        "wrong type check",
        "wrong type check: subclasses are refused. Use isinstance().",
        "类型判断不对：子类会被拒绝。请使用 isinstance()。",
        _replaced(r"isinstance\((\w+), (\w+)\)", r"type(\1) == \2"),
    ),
)


def injected(pattern: Pattern, code: str, rng: random.Random) -> tuple[str, str] | None:
    """The code with the mistake and the wrong line; None where that could not be read any more."""
    made = pattern.inject(code, rng)
    if made is None:
        return None
    with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
        try:
            ast.parse(made[0])
        except (SyntaxError, ValueError):
            return None
    return made


CLEAN = ("I see none of the usual mistakes here.", "这里没有看到常见的错误。")

# Exceptions as Python prints them, what they mean, and what to look at.
EXCEPTIONS: tuple[tuple[str, str, str, str], ...] = (
    (
        "TypeError",
        "unsupported operand type(s) for +: 'int' and '{type}'",
        "two values of different types are added; convert one of them first",
        "两个类型不同的值相加，请先转换其中一个",
    ),
    (
        "TypeError",
        "'NoneType' object is not subscriptable",
        "the value before the brackets is None; check what returned it",
        "方括号前面的值是 None，请检查它是从哪里返回的",
    ),
    (
        "TypeError",
        "'NoneType' object is not callable",
        "the called value is None; check where it is assigned",
        "被调用的值是 None，请检查它在哪里赋值",
    ),
    (
        "TypeError",
        "'{type}' object is not iterable",
        "the loop needs a list or another iterable; check the value it gets",
        "循环需要可迭代的对象，请检查它得到的值",
    ),
    (
        "TypeError",
        "{name}() missing 1 required positional argument: '{argument}'",
        "the call leaves out `{argument}`; pass it",
        "调用缺少参数 `{argument}`，请传入",
    ),
    (
        "TypeError",
        "{name}() got an unexpected keyword argument '{argument}'",
        "the function has no parameter `{argument}`; check its signature",
        "函数没有参数 `{argument}`，请检查它的定义",
    ),
    (
        "KeyError",
        "'{argument}'",
        "the dictionary has no key `{argument}`; check with `in` or use get()",
        "字典里没有键 `{argument}`，请先判断或者使用 get()",
    ),
    (
        "IndexError",
        "list index out of range",
        "the list has fewer elements than the index needs; check its length",
        "下标超出了列表的长度，请检查长度",
    ),
    (
        "AttributeError",
        "'NoneType' object has no attribute '{argument}'",
        "the value before `.{argument}` is None; check what returned it",
        "`.{argument}` 前面的值是 None，请检查它是从哪里返回的",
    ),
    (
        "AttributeError",
        "'{type}' object has no attribute '{argument}'",
        "a `{type}` has no `{argument}`; check the type and the spelling",
        "`{type}` 没有 `{argument}`，请检查类型和拼写",
    ),
    (
        "NameError",
        "name '{argument}' is not defined",
        "`{argument}` is used before it is defined or imported; check the spelling",
        "`{argument}` 没有定义或者导入，请检查拼写",
    ),
    (
        "UnboundLocalError",
        "cannot access local variable '{argument}' where it is not associated with a value",
        "`{argument}` is assigned on some paths only; give it a value first",
        "`{argument}` 只在部分分支里赋值，请先给它一个值",
    ),
    (
        "ValueError",
        "invalid literal for int() with base 10: '{argument}'",
        "the text `{argument}` is no whole number; check the input",
        "文本 `{argument}` 不是整数，请检查输入",
    ),
    (
        "ValueError",
        "not enough values to unpack (expected 2, got 1)",
        "there are fewer values than names on the left; check what is unpacked",
        "值的数量比左边的名字少，请检查被解包的值",
    ),
    (
        "ZeroDivisionError",
        "division by zero",
        "the divisor is zero; check it before dividing",
        "除数是零，请先判断",
    ),
    (
        "ModuleNotFoundError",
        "No module named '{argument}'",
        "the module `{argument}` is not installed or misspelled; install it",
        "模块 `{argument}` 没有安装或者拼写错误，请安装它",
    ),
    (
        "ImportError",
        "cannot import name '{argument}' from '{module}'",
        "`{module}` defines no `{argument}`; check the spelling and circular imports",
        "`{module}` 里没有 `{argument}`，请检查拼写和循环导入",
    ),
    (
        "FileNotFoundError",
        "[Errno 2] No such file or directory: '{argument}.txt'",
        "the file `{argument}.txt` is not there; check the path and the working directory",
        "文件 `{argument}.txt` 不存在，请检查路径和工作目录",
    ),
    (
        "RecursionError",
        "maximum recursion depth exceeded",
        "the function calls itself without end; check the case that ends it",
        "函数无限地调用自己，请检查结束条件",
    ),
    (
        "StopIteration",
        "",
        "the iterator has no more values; give next() a default",
        "迭代器没有更多的值，请给 next() 一个默认值",
    ),
    (
        "AssertionError",
        "assert {argument} == 3",
        "the value is not the expected one; check what computed `{argument}`",
        "实际的值和期望的不相等，请检查 `{argument}` 的计算",
    ),
    (
        "UnicodeDecodeError",
        "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        "the bytes are no UTF-8; open the file with its right encoding",
        "内容不是 UTF-8 编码，请使用正确的编码",
    ),
    (
        "json.decoder.JSONDecodeError",
        "Expecting value: line 1 column 1 (char 0)",
        "the text is empty or no JSON; check what was read",
        "文本为空或者不是 JSON，请检查读取的内容",
    ),
    (
        "PermissionError",
        "[Errno 13] Permission denied: '{argument}'",
        "there is no right to open `{argument}`; check its permissions",
        "没有权限打开 `{argument}`，请检查权限",
    ),
)
