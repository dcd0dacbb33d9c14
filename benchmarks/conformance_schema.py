"""Runs our tool schemas, validator and grammars over `schema.jsonl` and `jsonschema_suite.jsonl`.

A grammar must accept nothing that the validator does not accept; the reverse need not hold.
"""

import ast
import json
import typing
from functools import cache
from pathlib import Path
from typing import Any

from conformance_calls import AGREES, WRONG, same
from jsonschema import Draft7Validator, Draft202012Validator

from quillon.engine.base import ConstraintError
from quillon.engine.llama import Model, start_backend
from quillon.engine.llama_sampler import Grammar
from quillon.engine.models import EMBEDDED
from quillon.prompt.schemagrammar import json_grammar, json_rules
from quillon_tools.tool import ToolDefinitionError, tool
from quillon_tools.validator import make_validator

NARROW = "Our grammars fix white space and bound numbers, texts and lists; the validator does not."
OWN_GRAMMAR = "Our grammars are written differently; what they accept is compared instead."
NULLABLE = "A parameter that may be null says so by its type, as JSON Schema 2020-12 has it."
OPTIONAL = "A parameter with a default of None is left out, not given as null."
LENGTH = "A tuple has a fixed length."
NO_RETURN = "What a tool returns is no part of its definition."
VALIDATOR = "The validator follows JSON Schema where a peer's grammar is stricter."
NO_SCHEMA = "What is no JSON Schema is read by its known keywords, never refused."

# Where no rules narrower than a keyword are possible, or none that leave a model anything to say,
# the validator decides alone; the grammar names the keyword.
LEFT = {
    "$ref": "A grammar follows references by pointer, not those by a name or to other documents.",
    "$dynamicRef": "A grammar does not follow dynamic references.",
    "not": "A grammar cannot say that a text or a number is not another one.",
    "oneOf": "A grammar cannot say that exactly one option fits where nothing tells them apart.",
    "pattern": "Patterns with look-arounds and back references are no grammar.",
    "unevaluatedProperties": "Which members a condition or exclusion has looked at is no grammar.",
    "unevaluatedItems": "Which elements a condition or exclusion has looked at is no grammar.",
}

_DRAFTS = {"draft2020-12": Draft202012Validator, "draft7": Draft7Validator}


def judge_suite(row: dict[str, Any]) -> str:
    """The validator on one case of the JSON-Schema-Test-Suite."""
    valid = make_validator(row["schema"], default=_DRAFTS[row["draft"]]).is_valid(row["data"])
    if valid != row["valid"]:
        return f"{WRONG}{row['group']}, {row['test']}: {valid}"
    if row["draft"] == "draft2020-12" and not valid:
        return _judge_refusal(row)
    return AGREES


def _judge_refusal(row: dict[str, Any]) -> str:
    """The grammar on what is not valid: it refuses that, or says which keywords it left."""
    grammar, left = json_rules(row["schema"])
    if not accepts(grammar, _written(row["data"])):
        return AGREES
    known = sorted(left & set(LEFT))
    if not known:
        return f"{WRONG}{row['group']}, {row['test']}: the grammar accepts what is not valid"
    return " ".join(LEFT[keyword] for keyword in known)


def judge_schema(row: dict[str, Any]) -> str:
    """The verdict on a row of `schema.jsonl`."""
    if row["kind"] == "function_to_schema":
        return _judge_function(row)
    if row["kind"] == "schema_accept_reject":
        return _judge_strings(row)
    return _judge_grammar(row)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@cache
def _model() -> Model:
    start_backend()
    return Model(Path(EMBEDDED))


def accepts(grammar: str, text: str) -> bool:
    """Whether llama.cpp accepts exactly this text under the grammar."""
    model = _model()
    running = Grammar(model, grammar)
    try:
        end = next(iter(t for t in range(model.vocab_size) if model.ends(t)))
        return running.replay(model.plain_tokens(text)) and running.allows(end)
    finally:
        running.close()


def _judge_strings(row: dict[str, Any]) -> str:
    # A list of items is what drafts before 2020-12 called prefixItems.
    draft = Draft7Validator if isinstance(row["schema"].get("items"), list) else None
    validator = make_validator(row["schema"], default=draft or Draft202012Validator)
    grammar = json_grammar(row["schema"])
    sentences: list[str] = []
    for text in (*row["accepted"], *row["rejected"]):
        wanted = text in row["accepted"]
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            if wanted:
                return f"{WRONG}{text!r} is no JSON"
            continue
        valid = validator.is_valid(value)
        if valid != wanted:
            if text not in row["validator_disagrees"]:
                return f"{WRONG}{row['schema']} on {text!r}: {valid}"
            sentences.append(VALIDATOR)
        ours = accepts(grammar, _written(value))
        if ours and not valid:
            return f"{WRONG}{row['schema']}: the grammar accepts {text!r}"
        if wanted and not ours:
            sentences.append(NARROW)
    return " ".join(dict.fromkeys(sentences))


def _judge_grammar(row: dict[str, Any]) -> str:
    try:
        grammar = json_grammar(row["schema"])
        Grammar(_model(), grammar).close()
    except ConstraintError as error:
        return f"{WRONG}{row['schema']}: llama.cpp refuses our grammar: {error}\n{grammar}"
    if row["expected_status"] == "FAILURE":
        return NO_SCHEMA
    return AGREES if grammar == row["expected_grammar"] else OWN_GRAMMAR


def _judge_function(row: dict[str, Any]) -> str:
    try:
        found = tool(effect="read")(_function(row["function_source"])).definition()["function"]
    except ToolDefinitionError as error:
        refused = row["expected_error"] is not None
        return AGREES if refused else f"{WRONG}{row['id']} is refused: {error}"
    wanted = row["expected"]
    if wanted is None:
        return f"{WRONG}{row['id']} is accepted, and {row['expected_error']} expected"
    sentences: list[str] = []
    if "return" in wanted:
        wanted = {key: value for key, value in wanted.items() if key != "return"}
        sentences.append(NO_RETURN)
    for name, schema in wanted["parameters"]["properties"].items():
        ours = found["parameters"]["properties"].get(name)
        if not same(ours, schema):
            sentences += _explained(ours, schema)
            found["parameters"]["properties"][name] = schema
    if "" in sentences or not same(found, wanted):
        return f"{WRONG}{row['id']}: {found}, not {wanted}"
    return " ".join(dict.fromkeys(sentences))


def _explained(ours: Any, theirs: dict[str, Any]) -> list[str]:
    """The rules by which one parameter differs; an empty one where there is none."""
    if not isinstance(ours, dict):
        return [""]
    for sentences, changed in _variants(theirs):
        if same(ours, changed):
            return sentences
    return [""]


def _variants(schema: dict[str, Any]) -> list[tuple[list[str], dict[str, Any]]]:
    plain = {key: value for key, value in schema.items() if key != "nullable"}
    fixed = dict(plain)
    if "prefixItems" in plain:
        fixed |= {"minItems": len(plain["prefixItems"]), "maxItems": len(plain["prefixItems"])}
    variants = [([LENGTH], fixed)]
    if schema.get("nullable"):
        kinds = plain.get("type")
        described = {k: v for k, v in plain.items() if k == "description"}
        bare = {k: v for k, v in plain.items() if k != "description"}
        variants += [
            ([OPTIONAL], plain),
            ([NULLABLE], {**plain, "type": [*_listed(kinds), "null"]}),
            ([NULLABLE], {**described, "anyOf": [*bare.get("anyOf", [bare]), {"type": "null"}]}),
        ]
    return variants


def _listed(kinds: Any) -> list[str]:
    return kinds if isinstance(kinds, list) else [kinds]


def _function(source: str) -> Any:
    """The function of a source text, of which nothing but signature and docstring is executed."""
    node: Any = ast.parse(source).body[0]
    if isinstance(node, ast.ClassDef):
        node = node.body[0]
        node.args.args = [a for a in node.args.args if a.arg not in {"self", "cls"}]
    node.decorator_list = []
    node.returns = ast.Name("str", ast.Load())
    node.body = node.body[:1] if ast.get_docstring(node) else [ast.Pass()]
    for part in ast.walk(node.args):
        if isinstance(part, (ast.Call, ast.Attribute, ast.Lambda, ast.NamedExpr, ast.Await)):
            raise TypeError(f"a signature may not hold {ast.unparse(part)}")
    module = ast.fix_missing_locations(ast.Module([node], []))
    names: dict[str, Any] = {"Literal": typing.Literal, "Any": Any, "Optional": typing.Optional}
    exec(compile(module, "case", "exec"), names)  # noqa: S102 - see above
    return names[node.name]
