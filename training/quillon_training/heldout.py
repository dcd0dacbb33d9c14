"""Packages that no training text comes from, chosen by name before any training.

They are the test of everything: their files, exact or nearly so (copies that other packages
carry), are kept out of the corpus, of the tokenizer's training and of the dialogues.
"""

PYTHON = frozenset(
    {
        *("arrow", "attrs", "blinker", "cachetools", "click", "flask", "httpx", "itsdangerous"),
        *("jinja2", "jsonschema", "loguru", "markupsafe", "marshmallow", "more-itertools"),
        *("networkx", "parso", "pendulum", "pluggy", "prompt-toolkit", "requests", "rich"),
        *("sortedcontainers", "starlette", "tabulate", "traitlets", "trio", "typer", "urllib3"),
        *("watchdog", "werkzeug"),
    }
)
NPM = frozenset(
    {
        *("axios", "chalk", "commander", "express", "fastify", "koa", "nanoid", "ora", "ramda"),
        "zod",
    }
)


def held_out(name: str, ecosystem: str) -> bool:
    """Whether the package of this name is kept for evaluation."""
    return name.lower().replace("_", "-") in (PYTHON if ecosystem == "python" else NPM)
