"""A model that plays a script, as the measurement asks it."""

import pytest

from quillon.engine.script import Script
from quillon.engine.scripted import ScriptedEngine, Step
from quillon.eval.asking import Asker


@pytest.fixture
def scripted():
    """Makes an asker of a model that gives these answers, each to the prompts that match."""

    async def make(*steps: Step, **more):
        engine = ScriptedEngine(Script(steps=steps, **more))
        return Asker(engine, await engine.info())

    return make
