import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))

import torch
from quillon_training.dialogues.recorder import Bench, Scene
from quillon_training.dialogues.repository import make_repository
from quillon_training.dialogues.wording import Wordings

# Every parallel region waits for its slowest thread: on cores that others use, too, two threads
# take many times as long as one.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder of installed packages: a permissive one, a held-out one, a copyleft one."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, "shop", "License-Expression: MIT", {"shop/orders.py": code("orders", 60)})
    install(folder, "flask", "License-Expression: BSD-3-Clause", {"flask/app.py": code("app", 60)})
    copied = {"kit/flask_copy.py": code("app", 60), "kit/own.py": code("own", 60)}
    install(folder, "kit", "Classifier: License :: OSI Approved :: MIT License", copied)
    install(folder, "closed", "License-Expression: GPL-3.0-only", {"closed/a.py": code("a", 60)})
    return folder


def install(folder, name, licence, files):
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{licence}\n"
    )
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def code(name, functions):
    """Python source of so many functions; other names give other texts."""
    return f'"""Module {name}."""\n\nimport os\n' + "".join(
        f"\n\ndef {name}_{number}(path, {name}_count=None):\n"
        f'    """Return the {name} of number {number}."""\n'
        f"    if {name}_count is None:\n"
        f'        return os.path.join(path, "{name}{number}")\n'
        f"    for index in range({name}_count + {number}):\n"
        f"        path = os.path.join(path, str(index))\n"
        f"    return path\n"
        for number in range(functions)
    )


MODULE = '''"""Orders of a {0}."""


class {0}Order:
    """An order of the {0} that somebody made."""

    def total(self, rate=None):
        """Return the total of all prices with the rate."""
        if rate is None:
            rate = 0
        return sum(self.prices) * (1 + rate)


def load_{0}(path):
    """Read the {0} from a file on disk."""
    with open(path) as file:
        return file.read()
'''


@pytest.fixture(scope="session")
def market(tmp_path_factory):
    """Two packages with one module for each of four things, one of them held out."""
    root = tmp_path_factory.mktemp("packages")
    for package in ("market", "flask"):
        (root / package).mkdir()
        (root / package / "__init__.py").write_text("")
        names = [f"{package}/{name}.py" for name in ("__init__", "fruit", "bread", "wine", "paper")]
        info = root / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\nLicense-Expression: MIT\n")
        (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))
        for name in ("fruit", "bread", "wine", "paper"):
            (root / package / f"{name}.py").write_text(MODULE.format(f"{package}_{name}"))
    return root


@pytest.fixture
def played(market, tmp_path):
    """Plays a scenario on the package until it fits."""
    repository = make_repository("market", market / "market", tmp_path, random.Random(1))  # noqa: S311

    async def play(scenario, language="en"):
        for seed in range(100):
            rng = random.Random(seed)  # noqa: S311
            scene = Scene(Bench(repository), Wordings(), language, "train", rng)
            if (dialogue := await scenario(scene)) is not None:
                yield dialogue

    return play
