"""A headless Chromium, driven through its own debugging socket."""

import asyncio
import base64
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)
SAYS: Final = b"DevTools listening on ws://"
START: Final = 30  # seconds


class BrowserFailed(Exception):
    """The browser refused a command, or did not come up."""


class Tab:
    """One page of the browser; commands go one at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)

    async def do(self, method: str, **params: object) -> Any:  # noqa: ANN401 - the browser's
        """Send a command, and return what the browser answers."""
        mine = next(self._ids)
        await self._socket.send_json({"id": mine, "method": method, "params": params})
        while (said := await self._socket.receive_json()).get("id") != mine:
            continue  # an event that nobody asked about
        if "error" in said:
            raise BrowserFailed(f"{method}: {said['error']['message']}")
        return said["result"]

    async def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page says
        """Return what a JavaScript expression is, once it has come true if it is a promise."""
        said = await self.do(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        return said["result"].get("value")

    async def size(self, width: int, height: int) -> None:
        """Make the window so large, in pixels."""
        await self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def picture(self) -> bytes:
        """Return a PNG of all that the window shows."""
        said = await self.do("Page.captureScreenshot", format="png")
        return base64.b64decode(said["data"])


@asynccontextmanager
async def tab(binary: str) -> AsyncIterator[Tab]:
    """Start a browser that knows nothing yet; yield its only page."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            binary,
            *FLAGS,
            f"--user-data-dir={folder}",
            "about:blank",
            stdout=DEVNULL,
            stderr=PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(START):
                address = await listening(process)
            async with only_page(address) as page:
                yield page
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()


async def listening(process: asyncio.subprocess.Process) -> str:
    """Return where the debugging socket is, which the browser says when it is there."""
    assert process.stderr is not None
    async for line in process.stderr:
        if line.startswith(SAYS):
            return line.removeprefix(SAYS).split(b"/")[0].decode()
    raise BrowserFailed("it ended before it listened")


@asynccontextmanager
async def only_page(address: str) -> AsyncIterator[Tab]:
    """Connect to the page that the browser opened by itself."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://{address}/json") as answer:
            (page,) = [each for each in await answer.json() if each["type"] == "page"]
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            yield Tab(socket)
