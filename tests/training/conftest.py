import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))

import torch

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
