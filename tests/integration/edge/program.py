# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs behind the edge: C(program.py RELEASE PORT ...) answers on each port.

/...            200, "RELEASE PORT"
/slow/SECONDS   the same, later
/fail           500
/cut            counts the request, then closes the connection without an answer
/counted        how many requests were cut here
/ws             echoes the bytes of an upgraded connection
"""

from __future__ import annotations

import asyncio
import sys


class Program:
    """One member."""

    def __init__(self, release: str, port: int) -> None:
        self.release = release
        self.port = port
        self.cut = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection until it closes."""
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split(" ")[1]
        length = [int(h.split(":")[1]) for h in head if h.lower().startswith("content-length:")]
        await reader.readexactly(length[0] if length else 0)
        status, body = "200 OK", f"{self.release} {self.port}"
        if path.startswith("/slow/"):
            await asyncio.sleep(float(path.rsplit("/", 1)[1]))
        elif path == "/fail":
            status = "500 Internal Server Error"
        elif path == "/cut":
            self.cut += 1
            return False
        elif path == "/counted":
            body = str(self.cut)
        elif path == "/ws":
            return await self._echo(reader, writer)
        text = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        writer.write(text.encode())
        return True

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        upgrade = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        )
        writer.write(f"{upgrade}X-Served-By: {self.release} {self.port}\r\n\r\n".encode())
        while data := await reader.read(4096):
            writer.write(data)
        return False


async def main() -> None:
    """Serve until killed."""
    release, *ports = sys.argv[1:]
    for port in ports:
        await asyncio.start_server(Program(release, int(port)).serve, "127.0.0.1", int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
