"""Runs us over other projects' own test cases and prints, per source, how we compare.

    python benchmarks/conformance.py [CASES_DIR]

Reads `parse.jsonl`, `aux.jsonl`, `schema.jsonl` and `jsonschema_suite.jsonl` where the folder has
them. Differences on purpose are the rules of `conformance_rules.py` and `conformance_schema.py`.
Exits 1 where a case is neither agreed with nor explained by a rule, 2 without any case.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conformance_calls import AGREES, WRONG, judge_parse, judge_unit
from conformance_schema import judge_schema, judge_suite

ROOT = Path(__file__).parents[1]
DEFAULT = ROOT.parent / "shared" / "cases"
FILES: dict[str, Callable[[dict[str, Any]], str]] = {
    "parse.jsonl": judge_parse,
    "aux.jsonl": judge_unit,
    "schema.jsonl": judge_schema,
    "jsonschema_suite.jsonl": judge_suite,
}
SHOWN = 20  # wrong cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--show", action="store_true", help="name every case that differs")
    options = parser.parse_args()
    if not any((options.cases / name).is_file() for name in FILES):
        print(f"{options.cases} holds none of {', '.join(FILES)}", file=sys.stderr)
        return 2
    table: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: Counter[str] = Counter()
    wrong: list[str] = []
    for name, judge in FILES.items():
        for label, identity, row in rows(options.cases / name):
            verdict = judge_safely(judge, row)
            kind = outcome(verdict)
            table[label][kind] += 1
            if kind == "wrong":
                wrong.append(f"{identity}: {verdict.removeprefix(WRONG)}")
            elif kind == "on purpose":
                reasons.update(re.findall(r"[A-Z].*?\.(?= [A-Z]|$)", verdict))
                if options.show:
                    print(f"{identity}: {verdict}")
    report(table, reasons, wrong)
    return 1 if wrong else 0


def rows(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The cases of a file with the source's label and the case's identity."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip():
            row = json.loads(line)
            source = row.get("peer") or row.get("draft") or row.get("source", "")
            yield f"{path.stem}: {source}", row.get("id") or f"{path.name}:{number}", row


def judge_safely(judge: Callable[[dict[str, Any]], str], row: dict[str, Any]) -> str:
    try:
        return judge(row)
    except Exception as error:  # noqa: BLE001 - a case must not end the run; it is wrong
        return f"{WRONG}raised {error!r}"


def outcome(verdict: str) -> str:
    if verdict == AGREES:
        return "agrees"
    return "wrong" if verdict.startswith(WRONG) else "on purpose"


def report(table: dict[str, Counter[str]], reasons: Counter[str], wrong: list[str]) -> None:
    kinds = ("agrees", "on purpose", "wrong")
    width = max(map(len, table))
    print(f"{'source':{width}} {'agrees':>7} {'differs on purpose':>19} {'wrong':>6} {'total':>6}")
    total: Counter[str] = Counter()
    for label, counts in table.items():
        total += counts
        print(_line(label, width, [counts[kind] for kind in kinds]))
    print(_line("total", width, [total[kind] for kind in kinds]))
    if reasons:
        print("\ndifferences on purpose:")
        for sentence, count in reasons.most_common():
            print(f"{count:5}  {sentence.strip()}")
    for entry in wrong[:SHOWN]:
        print(f"\nWRONG {entry[:2000]}")
    if len(wrong) > SHOWN:
        print(f"\nand {len(wrong) - SHOWN} more")


def _line(label: str, width: int, counts: list[int]) -> str:
    agrees, purpose, wrong = counts
    return f"{label:{width}} {agrees:7} {purpose:19} {wrong:6} {sum(counts):6}"


if __name__ == "__main__":
    sys.exit(main())
