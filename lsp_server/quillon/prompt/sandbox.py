"""Jinja under a budget: a template from a stranger's GGUF can neither reach Python nor run away.

jinja2's immutable sandbox keeps a template away from attributes and from changing its input. It
does not bound work: nested loops, a string doubled forty times or `'%9999999999d'` stop a server
just as well. Here every loop step, call, filter, operator and output costs units of one budget
per rendering, no value may outgrow a limit, and only the methods and filters that chat templates
use exist.
"""

import datetime
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_SOURCE = 256 * 1024  # characters; the longest template of a known model has 20,000
MAX_WEIGHT = 512 * 1024  # characters and elements that one value may hold beyond the input's
BUDGET = 1_000_000  # units beyond what the input's size allows
_PER_WEIGHT = 20  # units for each character and element of the input; templates need 1 to 3
MAX_NUMBER = 100_000  # a factor, the length of a range

_NO_LIMIT = 1 << 60
_TOO_LARGE = "it makes a value that is too large"
_WORDS = re.compile(r"\w+")
_FILTERS = _WORDS.findall(
    "abs capitalize count d default dictsort e escape first float int items last length list "
    "lower map max min reject rejectattr replace reverse round safe select selectattr sort string "
    "sum title trim unique upper"
)
# Filters that do not look into the elements of a list; others may turn all of it into text.
_BY_REFERENCE = frozenset({"length", "count", "first", "last", "list", "default", "d", "items"})
_METHODS = frozenset(
    _WORDS.findall(
        "capitalize count endswith find get index items join keys lower lstrip removeprefix "
        "removesuffix replace rsplit rstrip split splitlines startswith strip title upper values"
    )
)


class TemplateError(Exception):
    """A chat template is broken, does something forbidden or runs away; the message says which."""

    def __init__(self, message: str, *, runaway: bool = False) -> None:
        super().__init__(message)
        self.runaway = runaway


class SafeTemplate:
    """One compiled template.

    Raises:
        TemplateError: The source is no template, or uses what is not offered.
    """

    def __init__(self, source: str) -> None:
        if len(source) > MAX_SOURCE:
            raise TemplateError(f"{len(source)} characters are too many for a chat template")
        # What one step may copy from the source is part of its price.
        self._environment = _Environment(cost_of_a_step=8 + len(source) // 64)
        try:
            tree = _counted(self._environment.parse(source))
            code = self._environment.compile(tree)
            self._template = jinja2.Template.from_code(
                self._environment, cast("Any", code), self._environment.make_globals(None)
            )
        # Arbitrary input also meets the limits of Python's own compiler.
        except (jinja2.TemplateError, RecursionError, MemoryError, SyntaxError, ValueError) as e:
            raise TemplateError(f"the chat template cannot be read: {_said(e)}") from e

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text that the template makes of `variables`.

        Raises:
            TemplateError: It raised, did something forbidden, or went over its budget.
        """
        weight = _weight(variables, _NO_LIMIT)
        self._environment.spent = -_PER_WEIGHT * weight
        self._environment.max_weight = MAX_WEIGHT + 4 * weight
        try:
            return "".join(self._template.generate(**variables))
        except Exception as error:  # a template fails in all the ways that Python code does
            runaway = isinstance(error, TemplateError) and error.runaway
            raise TemplateError(
                f"the chat template failed: {_said(error)}", runaway=runaway
            ) from error


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox with a budget; `spent` and `max_weight` are of the present rendering."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def __init__(self, cost_of_a_step: int) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # constants are computed under the budget, not while compiling
            extensions=["jinja2.ext.loopcontrols", _Generation],
            finalize=self._measured,
        )
        self.spent = 0
        self.max_weight = MAX_WEIGHT
        self._step = cost_of_a_step
        self.filters = {name: self._bounded(name, self.filters[name]) for name in _FILTERS}
        self.filters |= {
            "tojson": self._bounded("tojson", tojson),
            "join": self._join,
            "_counted": self._count_steps,
            "_measured": self._measured,
        }
        self.globals = {
            "range": _short_range,
            "namespace": self.globals["namespace"],
            "dict": dict,
            "raise_exception": raise_exception,
            "strftime_now": strftime_now,
        }

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise TemplateError(f"the operator {operator} is not offered")
        if operator == "*":
            self._forbid_growth(left, right)
        return self._measured(super().call_binop(context, operator, left, right))

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        self._charge(self._step)
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(owner, str) and name == "join":
            return self._join(args[0], owner)
        if isinstance(owner, str) and name == "replace":
            self._forbid_expansion(owner, *args)
        return self._measured(super().call(context, function, *args, **kwargs))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, (str, list, tuple, dict)) and attr not in _METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def _charge(self, units: int) -> None:
        self.spent += units
        if self.spent > BUDGET:
            raise TemplateError("it does not come to an end", runaway=True)

    def _measured(self, value: Any) -> Any:
        """`value`, after its size was checked and charged."""
        weight = _weight(value, self.max_weight)
        self._charge(1 + weight // (64 if isinstance(value, str) else 8))
        if weight > self.max_weight:
            raise TemplateError(_TOO_LARGE)
        return value

    def _count_steps(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._charge(self._step)
            yield value

    def _join(self, values: Iterable[Any], separator: str = "") -> str:
        parts: list[str] = []
        size = 0
        for value in values:
            text = str(self._measured(value))
            size += len(text) + len(separator)
            if size > self.max_weight:
                raise TemplateError(_TOO_LARGE)
            parts.append(text)
        return str(self._measured(separator.join(parts)))

    def _forbid_growth(self, left: Any, right: Any) -> None:
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            if max(abs(left), abs(right)) > MAX_NUMBER:
                raise TemplateError("it multiplies numbers that are too large")
            return
        text, times = (right, left) if isinstance(left, int) else (left, right)
        known = isinstance(times, int)
        if not known or _weight(text, self.max_weight) * max(times, 0) > self.max_weight:
            raise TemplateError("it repeats a value too often")

    def _forbid_expansion(self, text: Any, old: Any = "", new: Any = "", *_: Any) -> None:
        times = str(text).count(str(old)) if old else len(str(text)) + 1
        if times * len(str(new)) > self.max_weight:
            raise TemplateError(_TOO_LARGE)

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        passed = getattr(function, "jinja_pass_arg", None)

        def bounded(*args: Any, **kwargs: Any) -> Any:
            given = args if passed is None else args[1:]
            if name not in _BY_REFERENCE:
                for argument in itertools.chain(given, kwargs.values()):
                    self._measured(argument)
            if name == "replace":
                self._forbid_expansion(*given)
            return self._measured(function(*args, **kwargs))

        if passed is not None:
            bounded.jinja_pass_arg = passed  # type: ignore[attr-defined]
        return bounded


class _Generation(Extension):
    """`{% generation %}` of transformers marks what is trained; here its body is just output."""

    tags = {"generation"}  # noqa: RUF012 - the type that jinja2 declares

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def tojson(
    value: Any,
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002 - the filter's signature in transformers
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002 - the same
) -> str:
    """JSON as transformers writes it for chat templates: not escaped for HTML, not for ASCII."""
    if indent is not None and not 0 <= indent <= 16:  # noqa: PLR2004 - wider than any template's
        raise TemplateError(f"tojson(indent={indent}) is not offered")
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def raise_exception(message: str) -> str:
    """What templates call when they cannot express a conversation."""
    raise TemplateError(str(message))


def strftime_now(pattern: str) -> str:
    """Now, in local time, by a `strftime` pattern."""
    return datetime.datetime.now().astimezone().strftime(str(pattern)[:100])


def _counted(tree: nodes.Template) -> nodes.Template:
    """The tree with every loop counted, and every value that an expression builds measured."""
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise TemplateError("the chat template cannot be read: recursive loops")
        loop.iter = _filtered(cast("nodes.Expr", loop.iter), "_counted")
    for concat in tree.find_all(nodes.Concat):
        concat.nodes = [_filtered(node, "string") for node in concat.nodes]
    for row in tree.find_all(nodes.List):
        row.items = [_filtered(item, "_measured") for item in row.items]
    for pair in tree.find_all(nodes.Pair):
        pair.value = _filtered(pair.value, "_measured")
    return tree


def _filtered(node: nodes.Expr, name: str) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _weight(value: Any, limit: int) -> int:
    """Characters and elements in `value`, counted to a little over `limit`."""
    if isinstance(value, str):
        return len(value)
    weight, rest = 0, [value]
    while rest and weight <= limit:
        part = rest.pop()
        if isinstance(part, str):
            weight += len(part)
        elif isinstance(part, (list, tuple)):
            weight += len(part)
            rest += part
        elif isinstance(part, dict):
            weight += len(part)
            rest += (*part.keys(), *part.values())
    return weight


def _short_range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > MAX_NUMBER:
        raise TemplateError("a range is too long")
    return numbers


def _said(error: BaseException) -> str:
    if isinstance(error, TemplateError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it nests too deeply"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
