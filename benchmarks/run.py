"""Every measurement in turn: `make bench`.

The random-weight model of Qwen3-0.6B's shape is made once, in the user's cache folder.
"""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs

HERE = Path(__file__).parent
MODEL = platformdirs.user_cache_path("quillon", appauthor=False) / "benchmarks" / "random-0.6b.gguf"

# Those that compare us with others (conformance, fuzz) have commands of their own.
SCRIPTS = (
    *("server.py", "documents.py", "decode.py", "chat_stream.py", "cancel.py"),
    *("lost.py", "grammar.py", "vote.py"),
)
ON_MODEL = frozenset({"decode.py", "chat_stream.py", "cancel.py"})


def run(script: str, *arguments: str) -> int:
    """Run one script and show what it prints."""
    print(f"\n== {script} {' '.join(arguments)}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent / "tests")}
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    """Run them all; 1 where one failed."""
    failed = 0
    if not MODEL.exists():
        MODEL.parent.mkdir(parents=True, exist_ok=True)
        failed += run("random_gguf.py", "0.6b", str(MODEL)) != 0
    for script in SCRIPTS:
        failed += run(script, *((str(MODEL),) if script in ON_MODEL else ())) != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
