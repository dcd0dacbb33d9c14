"""Engine processes of a test's own."""

import pytest_asyncio

from quillon_testing.engines import engines


@pytest_asyncio.fixture
async def made():
    async with engines() as found:
        yield found
