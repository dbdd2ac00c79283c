"""A client of MCP and its server, which is a process of its own."""

from __future__ import annotations

import sys
from typing import Any

from cases import case, run_all


def serve() -> None:
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("weather")

    @server.tool()
    def get_weather(city: str) -> str:
        """Look the weather up."""
        return f"rain in {city}"

    server.run(transport="stdio")


@case
async def tools() -> Any:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    server = StdioServerParameters(command=sys.executable, args=[__file__, "serve"])
    async with (
        stdio_client(server) as (read, write),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        result = await session.call_tool("get_weather", {"city": "Paris"})
        return result.content[0].text


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        run_all()
