"""Programs that an extension meets where a server should be, and a package that brings one."""

import sys
import zipfile
from pathlib import Path

_PROBED = 'print(\'{"version": [3, 12], "quillon": "0.1.0"}\')'

_PROGRAMS = {
    "no-quillon": 'import runpy; print(\'{"version": [3, 12], "quillon": null}\')',
    "too-old": 'print(\'{"version": [3, 9], "quillon": "0.1.0"}\')',
    "no-environments": f"""\
import sys
if "-c" in sys.argv:
    {_PROBED}
else:
    sys.exit("Error: ensurepip is not available")
""",
    "garbage": f"""\
import sys
if "-c" in sys.argv:
    {_PROBED}
else:
    print("Hello, this is no language server.", flush=True)
    sys.stdin.read()
""",
    "dying": f"""\
import sys
if "-c" in sys.argv:
    {_PROBED}
else:
    sys.exit("ImportError: the disk ate it")
""",
}


def programs(folder: Path) -> Path:
    """Make the programs; each answers to its name in the folder."""
    folder.mkdir()
    for name, code in _PROGRAMS.items():
        file = folder / name
        file.write_text(f"#!{sys.executable} -I\n{code}", encoding="utf-8")
        file.chmod(0o755)
    return folder


_MAIN = """\
import os, sys
os.execv({python!r}, [{python!r}, "-I", "-m", "quillon", *sys.argv[1:]])
"""

_METADATA = "Metadata-Version: 2.1\nName: quillon\nVersion: 0.1.0\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(folder: Path, python: str) -> Path:
    """A package named as ours that runs the server of this interpreter."""
    file = folder / "quillon-0.1.0-py3-none-any.whl"
    info = "quillon-0.1.0.dist-info"
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("quillon/__init__.py", "")
        package.writestr("quillon/__main__.py", _MAIN.format(python=python))
        package.writestr(f"{info}/METADATA", _METADATA)
        package.writestr(f"{info}/WHEEL", _WHEEL)
        package.writestr(f"{info}/RECORD", "")
    return file
