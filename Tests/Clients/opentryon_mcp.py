"""A try-on by an agent: an MCP client calls a tool that uses OpenTryOn's adapter for Kling.

Expects GATEWAY, ACCESS_KEY and SECRET_KEY. OpenTryOn's own MCP server is not on PyPI. With the argument `serve`, this
script is a server with a tool of the same name; the client runs it as a process and talks to it over standard input
and output.
"""

import asyncio
import base64
import io
import os
import sys
import tempfile
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from tryon.api import KlingAIVTONAdapter

from pictures import png


def serve():
    server = MCPServer("opentryon")

    @server.tool()
    def vton_kling_ai(source_image: str, reference_image: str) -> Image:
        """Shows the person of the source image with the garment of the reference image."""
        adapter = KlingAIVTONAdapter(os.environ["ACCESS_KEY"], os.environ["SECRET_KEY"], os.environ["GATEWAY"])
        try:
            pictures = adapter.generate_and_decode(source_image=source_image, reference_image=reference_image)
        except Exception as error:
            raise ToolError(str(error)) from error
        made = io.BytesIO()
        pictures[0].save(made, "PNG")
        return Image(data=made.getvalue(), format="png")

    server.run("stdio")


async def agent(folder):
    person, garment, small = (folder / name for name in ("person.png", "garment.png", "small.png"))
    person.write_bytes(png(600, 800))
    garment.write_bytes(png(400, 400))
    small.write_bytes(png(100, 100))
    server = StdioServerParameters(command=sys.executable, args=[__file__, "serve"], env=dict(os.environ))
    async with Client(server) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["vton_kling_ai"]
        made = await client.call_tool(
            "vton_kling_ai", {"source_image": str(person), "reference_image": str(garment)})
        assert not made.is_error, made
        assert base64.b64decode(made.content[0].data).startswith(b"\x89PNG"), made
        refused = await client.call_tool(
            "vton_kling_ai", {"source_image": str(small), "reference_image": str(garment)})
        # The agent gets the gateway's own message, which says what to do.
        assert refused.is_error and "at least 300 x 300" in refused.content[0].text, refused


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(agent(Path(folder)))
