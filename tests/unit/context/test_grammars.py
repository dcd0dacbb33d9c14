"""The tables of node types against the grammars themselves."""

import msgspec
import pytest

from quillon.context.document import snapshot_of
from quillon.context.grammars import grammar_of
from quillon_tools.languages import LANGUAGES, grammar

_WORDS = {"doc_marks", "docstrings"}  # what is no node type


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
def test_a_table_names_only_what_its_grammar_has(language):
    known = grammar(language)
    named = {
        known.node_kind_for_id(number)
        for number in range(known.node_kind_count)
        if known.node_kind_is_named(number)
    }
    tree = snapshot_of("untitled:x", "", language_id=language.id).tree
    table = msgspec.structs.asdict(grammar_of(tree))
    wrong = {
        (field, name)
        for field, names in table.items()
        if field not in _WORDS
        for name in names
        if name not in named
    }
    assert wrong == set()
