# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, spoken to over a pipe: no port, no further package."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shlex
import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass, field
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


def chromium() -> str:
    """The program, or an empty string."""
    return shutil.which("chromium") or shutil.which("google-chrome") or ""


@dataclass
class Page:
    """What came of loading one page."""

    picture: Picture
    facts: dict[str, Any]
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Picture:
    """Pixels of a PNG of Chromium (8 bits, RGB or RGBA, not interlaced)."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.width, self.height, _depth, colour = struct.unpack(">IIBB", data[16:26])
        self._size = 4 if colour == 6 else 3
        self._raw = zlib.decompress(_chunks(data))
        self._rows: list[bytearray] = []

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        """Red, green, blue."""
        while len(self._rows) <= y:
            self._rows.append(self._next())
        at = x * self._size
        red, green, blue = self._rows[y][at : at + 3]
        return red, green, blue

    def _next(self) -> bytearray:
        """The next row, undoing its filter; rows are undone from the top, and only when needed."""
        step = self.width * self._size
        start = len(self._rows) * (step + 1)
        row = bytearray(self._raw[start + 1 : start + 1 + step])
        above = self._rows[-1] if self._rows else bytearray(step)
        _FILTERS[self._raw[start]](row, above, self._size)
        return row


def _chunks(data: bytes) -> bytes:
    found, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            found += data[at + 8 : at + 8 + length]
        at += length + 12
    return found


def _none(row: bytearray, above: bytearray, size: int) -> None:
    """The bytes are the pixels."""


def _sub(row: bytearray, above: bytearray, size: int) -> None:
    for i in range(size, len(row)):
        row[i] = (row[i] + row[i - size]) & 255


def _up(row: bytearray, above: bytearray, size: int) -> None:
    for i, byte in enumerate(above):
        row[i] = (row[i] + byte) & 255


def _average(row: bytearray, above: bytearray, size: int) -> None:
    for i in range(len(row)):
        left = row[i - size] if i >= size else 0
        row[i] = (row[i] + (left + above[i]) // 2) & 255


def _paeth(row: bytearray, above: bytearray, size: int) -> None:
    for i in range(len(row)):
        left = row[i - size] if i >= size else 0
        corner = above[i - size] if i >= size else 0
        guess = left + above[i] - corner
        nearest = min((left, above[i], corner), key=lambda byte: abs(guess - byte))
        row[i] = (row[i] + nearest) & 255


_FILTERS = (_none, _sub, _up, _average, _paeth)


class Browser:
    """One process; each page gets a tab of its own."""

    def __init__(self, profile: pathlib.Path) -> None:
        there, self._out = os.pipe()
        self._in, back = os.pipe()
        program = shlex.join([chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"])
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {program} 3<&{there} 4>&{back}"],
            pass_fds=(there, back),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        os.close(back)
        self._number = 0
        self._buffer = b""
        self._events: list[dict[str, Any]] = []

    def close(self) -> None:
        """End the process."""
        self._call("Browser.close")
        self._process.wait(timeout=30)
        os.close(self._out)
        os.close(self._in)

    def show(self, path: pathlib.Path, width: int, *, dark: bool, script: str) -> Page:
        """Load C(path) at C(width), evaluate C(script) in it, take its picture."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._events.clear()
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable", session)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", session, features=[scheme])
        self._size(session, width, 800)
        self._call("Page.navigate", session, url=path.as_uri())
        self._wait("Page.loadEventFired")
        answer = self._call("Runtime.evaluate", session, expression=script, returnByValue=True)
        facts: dict[str, Any] = answer["result"]["value"]
        self._size(session, width, int(facts["height"]))
        picture = self._call("Page.captureScreenshot", session, format="png")["data"]
        page = Page(Picture(base64.b64decode(picture)), facts, *self._seen())
        self._call("Target.closeTarget", targetId=target)
        return page

    def _size(self, session: str, width: int, height: int) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            session,
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def _seen(self) -> tuple[list[str], list[str]]:
        requests, complaints = [], []
        for event in self._events:
            if event["method"] == "Network.requestWillBeSent":
                requests.append(event["params"]["request"]["url"])
            elif event["method"] == "Log.entryAdded":
                complaints.append(event["params"]["entry"]["text"])
            elif event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                complaints.append(json.dumps(event["params"]))
        return requests, complaints

    def _call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _wait(self, method: str) -> None:
        while not any(event.get("method") == method for event in self._events):
            self._events.append(self._read())

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._in, 1 << 20)
            if not data:
                raise RuntimeError("Chromium ended")
            self._buffer += data
        message, _zero, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer
