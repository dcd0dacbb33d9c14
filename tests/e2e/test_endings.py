"""However the server ends, what its tools have started ends with it."""

import json
import os
import signal

import pytest

from quillon_testing.chat_turns import QUILLON
from quillon_testing.stdio_server import raw_server
from quillon_testing.tool_servers import alive, until


@pytest.mark.parametrize("how", ["exit", "end of input", "SIGTERM", "SIGHUP", "SIGINT"])
async def test_a_program_of_a_call_ends_with_the_server(tmp_path, how):
    folder, pid, script = tmp_path / "ws", tmp_path / "pid", tmp_path / "script.json"
    folder.mkdir()
    code = f"open({str(pid)!r}, 'w').write(str(__import__('os').getpid()));"
    code += "__import__('time').sleep(900)"
    call = {"name": "run_command", "arguments": {"arguments": ["python3", "-c", code]}}
    reply = f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
    script.write_text(json.dumps({"context": 32768, "steps": [{"reply": reply}]}))
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    async with raw_server(folder, settings=settings) as server:
        workspace = [{"uri": folder.as_uri(), "name": "ws"}]
        await server.initialize(
            rootUri=folder.as_uri(), workspaceFolders=workspace, capabilities=QUILLON
        )
        server.request("quillon/chat", {"text": "go on"})
        asked = await server.until(lambda m: m.get("method") == "quillon/approve")
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"decision": "once"}})
        await until(lambda: pid.exists() and pid.read_text())
        number = int(pid.read_text())
        try:
            if how == "exit":
                await server.leave()
            elif how == "end of input":
                server.process.stdin.close()
            else:
                server.process.send_signal(getattr(signal, how))
            status = await server.process.wait()
            if how in {"SIGTERM", "SIGHUP"}:
                # An editor that ended it so reports any other status as a failure.
                assert status == -getattr(signal, how)
            await until(lambda: not alive(number))
        finally:
            if alive(number):
                os.kill(number, signal.SIGKILL)
