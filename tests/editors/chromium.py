"""A Chromium for driving the workbench, with a font for Chinese."""

import os
import shutil
import tempfile
from pathlib import Path

from editors.cache import InstallError, installed, run, say
from editors.debian import SUITE, loader, point_at, unpack

PINS = ("chromium", f"debian {SUITE}", "fonts dejavu droid-fallback", "layout 2")

_PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-droid-fallback")

_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{root}/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>
"""


def chromium() -> Path:
    """Path of a Chromium that starts without a display: `QUILLON_CHROMIUM`, else installed."""
    named = os.environ.get("QUILLON_CHROMIUM")
    if named:
        if shutil.which(named) is None:
            raise InstallError(f"QUILLON_CHROMIUM names {named}, which is no program")
        return Path(named)
    return installed("chromium", PINS, _build) / "bin" / "chromium"


def _build(folder: Path) -> None:
    root = folder / "root"
    with tempfile.TemporaryDirectory(prefix="quillon-chromium-") as work:
        tools = unpack(_PACKAGES, root, Path(work))
        home = root / "usr/lib/chromium"
        programs = [home / name for name in ("chromium", "chrome_crashpad_handler")]
        point_at(root, [program for program in programs if program.exists()], tools)
    fonts = folder / "fonts.conf"
    fonts.write_text(_FONTS.format(root=root), encoding="utf-8")
    (folder / "bin").mkdir()
    start = folder / "bin" / "chromium"
    # libpulse brings a search path of its own, which hides the program's.
    pulse = loader(root).parent / "pulseaudio"
    start.write_text(
        f'#!/bin/sh\nexport FONTCONFIG_FILE="{fonts}" LD_LIBRARY_PATH="{pulse}"\n'
        f'exec "{home}/chromium" "$@"\n',
        encoding="utf-8",
    )
    start.chmod(0o755)
    say(f"{run([start, '--version']).strip()} in {folder}")
