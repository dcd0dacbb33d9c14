"""Which engine the settings ask for."""

import os
from collections.abc import Mapping
from pathlib import Path

from quillon.engine.base import Engine, EngineUnavailable, ModelError
from quillon.engine.client import LocalEngine
from quillon.engine.models import resolve_model
from quillon.engine.script import load_script
from quillon.engine.scripted import ScriptedEngine
from quillon.settings import Settings


def open_engine(settings: Settings, environ: Mapping[str, str] = os.environ) -> Engine:
    """The engine of `settings.engine.kind`; nothing is started or reached before its first use.

    Raises:
        ModelError: The script of a scripted engine, or the model's path, is wrong.
        EngineUnavailable: A setting that the kind needs is missing.
    """
    engine = settings.engine
    if engine.kind == "scripted":
        if engine.script is None:
            raise ModelError("Set engine.script to a script file, or engine.kind to local.")
        return ScriptedEngine(load_script(Path(engine.script).expanduser()))
    if engine.kind == "remote":
        if not engine.url:
            raise EngineUnavailable(
                "Set engine.url to the remote server, such as http://127.0.0.1:8080/v1, "
                "or engine.kind to local."
            )
        # httpx takes a quarter of the server's start, and few users need it.
        from quillon.engine.remote import RemoteEngine  # noqa: PLC0415

        return RemoteEngine(settings)
    return LocalEngine(settings, resolve_model(settings, environ))
