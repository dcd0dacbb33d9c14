"""A server made with the SDK: over the standard streams, or over HTTP at a port of its choice."""

import sys

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("honest")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def learn(ctx: Context) -> str:
    """Learn another tool."""
    server.add_tool(lambda: "of late", name="late", description="A tool that came late.")
    await ctx.notify_tools_changed()
    return "learnt"


if len(sys.argv) > 1:
    server.run("streamable-http", port=int(sys.argv[1]))
else:
    server.run("stdio")
