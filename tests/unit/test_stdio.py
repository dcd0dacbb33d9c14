"""The standard streams where the event loop cannot watch them, as on Windows."""

import asyncio
import os

import pytest

from quillon.stdio import open_reader, open_writer

FRAME = b"Content-Length: 2\r\n\r\n{}"


@pytest.fixture(params=["win32", "linux"], autouse=True)
def platform(request, monkeypatch):
    """What the streams are opened on."""
    monkeypatch.setattr("sys.platform", request.param)


async def test_pipes_are_read_and_written_on_every_system():
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


async def test_a_client_that_never_reads_blocks_nobody_and_is_given_up(monkeypatch):
    monkeypatch.setattr("quillon.stdio._MAX_UNREAD", 1_000_000)
    result, sink = os.pipe()
    told = []
    writer = await open_writer(os.fdopen(sink, "wb", buffering=0), told.append)
    for _ in range(30):
        writer.write(b"x" * 100_000)
    (problem,) = told
    assert problem.startswith("The client has left 1")
    os.close(result)
    writer.close()


async def test_all_of_what_goes_to_a_file_is_there_at_the_end(tmp_path):
    file = tmp_path / "answers"
    writer = await open_writer(file.open("wb", buffering=0), pytest.fail)
    for number in range(1000):
        writer.write(b"%03d\n" % number)
    writer.close()
    writer.close()  # pygls and the session each do
    writer.write(b"more")
    assert file.read_bytes() == b"".join(b"%03d\n" % number for number in range(1000))


async def test_a_full_disk_ends_the_session():
    told = asyncio.Queue()
    full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb", buffering=0)
    writer = await open_writer(full, told.put_nowait)
    writer.write(FRAME)
    async with asyncio.timeout(60):
        assert await told.get() == "The answers cannot be written: No space left on device"
    writer.close()
