"""Dialogues for other trainers: LLaMA-Factory's ShareGPT form and the OpenAI form for Unsloth.

Both trainers load JSON Lines by Hugging Face's `datasets`, which gives every object of a column
the same fields and fills the missing ones with nulls. Calls' arguments and tool definitions differ
from row to row and would come back with fields that nobody wrote, so both are text here.
Neither trainer knows a weight per message: dialogues with a message that must not be learnt (a
wrong call on purpose) are left out.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from quillon_training.errors import CorpusError, TrainingError
from quillon_training.supervised import read_records

FACTORY, OPENAI, DATASETS = "llamafactory.jsonl", "messages.jsonl", "dataset_info.json"
# What LLaMA-Factory's Qwen formatter writes between the answers of parallel calls.
_BETWEEN_ANSWERS = "\n</tool_response>\n<tool_response>\n"
_DATASET_INFO = {
    "quillon": {
        "file_name": FACTORY,
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
    }
}


def write_shared(dialogues: Path, folder: Path) -> dict[str, int]:
    """Write both forms and LLaMA-Factory's description; how many dialogues went in and not.

    Raises:
        CorpusError: The file holds no dialogue that can be learnt whole.
        TrainingError: The folder cannot be written.
    """
    written = left_out = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FACTORY).open("wb") as factory, (folder / OPENAI).open("wb") as openai:
            for record in read_records(dialogues):
                if any(message.get("weight") == 0 for message in record["messages"]):
                    left_out += 1
                    continue
                factory.write(msgspec.json.encode(factory_form(record)) + b"\n")
                openai.write(msgspec.json.encode(openai_form(record)) + b"\n")
                written += 1
        (folder / DATASETS).write_text(json.dumps(_DATASET_INFO, indent=1) + "\n")
    except OSError as error:
        raise TrainingError(
            f"{folder} cannot be written: {error}", "Free some disk space, or name another folder."
        ) from error
    if not written:
        raise CorpusError(
            f"{dialogues} holds no dialogue to be learnt whole", "Make more with `dialogues`."
        )
    return {"written": written, "left_out": left_out}


def factory_form(record: dict[str, Any]) -> dict[str, str | list[dict[str, str]]]:
    """ShareGPT: `human` and `observation` take turns with `gpt` and `function_call`."""
    system, *messages = record["messages"]
    return {
        "conversations": list(_turns(messages)),
        "system": system["content"],
        "tools": json.dumps(record["tools"], ensure_ascii=False) if record["tools"] else "",
    }


def openai_form(record: dict[str, Any]) -> dict[str, Any]:
    """`messages` of the OpenAI form; `tools` is their JSON text, empty where none are offered."""
    return {
        "messages": record["messages"],
        "tools": json.dumps(record["tools"], ensure_ascii=False) if record["tools"] else "",
    }


def _turns(messages: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    answers: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            answers.append(message["content"])
            continue
        if answers:
            yield {"from": "observation", "value": _BETWEEN_ANSWERS.join(answers)}
            answers = []
        if message["role"] == "user":
            yield {"from": "human", "value": message["content"]}
        elif message.get("tool_calls"):
            yield {"from": "function_call", "value": _calls(message["tool_calls"])}
        else:
            yield {"from": "gpt", "value": message["content"]}


def _calls(calls: list[dict[str, Any]]) -> str:
    """One call as an object, several as a list; arguments are objects, as the formatter reads."""
    made = [
        {
            "name": call["function"]["name"],
            "arguments": json.loads(call["function"]["arguments"]),
        }
        for call in calls
    ]
    return json.dumps(made[0] if len(made) == 1 else made, ensure_ascii=False)
