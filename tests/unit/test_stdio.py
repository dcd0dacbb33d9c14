"""The standard streams where the event loop cannot watch them, as on Windows."""

import os

import pytest

from quillon.stdio import open_reader, open_writer

FRAME = b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("platform", ["win32", "linux"])
async def test_pipes_are_read_and_written_on_every_system(monkeypatch, platform):
    monkeypatch.setattr("sys.platform", platform)
    ours, theirs = os.pipe()
    os.write(theirs, FRAME[5:])
    os.close(theirs)
    with os.fdopen(ours, "rb"):
        reader = await open_reader(ours, FRAME[:5])
        assert await reader.readline() == b"Content-Length: 2\r\n"
        assert await reader.readline() == b"\r\n"
        assert await reader.readexactly(2) == b"{}"
        assert await reader.readline() == b""
        assert reader.problem == ""
    result, sink = os.pipe()
    writer = await open_writer(os.fdopen(sink, "wb", buffering=0), pytest.fail)
    writer.write(FRAME)
    assert os.read(result, 1000) == FRAME
    writer.close()
    os.close(result)
