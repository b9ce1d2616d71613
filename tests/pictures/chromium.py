"""A headless Chromium, driven through its own debugging socket."""

import asyncio
import base64
import os
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
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
)
SAYS: Final = "DevTools listening on ws://"
START: Final = 30  # seconds until it listens
ANSWER: Final = 90  # seconds until a command is done; the longest waits for a whole dashboard
TICK: Final = 0.05  # seconds


class BrowserFailed(Exception):
    """The browser did not come up, refused a command, took too long over it, or is gone."""


class Tab:
    """One page of the browser; commands go one at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)

    async def do(self, method: str, **params: object) -> Any:  # noqa: ANN401 - the browser's
        """Send a command, and return what the browser answers; raises BrowserFailed."""
        try:
            async with asyncio.timeout(ANSWER):
                said = await self._answered(method, params)
        except TimeoutError as reason:
            raise BrowserFailed(f"{method}: no answer within {ANSWER} seconds") from reason
        except (aiohttp.ClientError, aiohttp.WSMessageTypeError, ConnectionError) as reason:
            raise BrowserFailed(f"{method}: the browser is gone") from reason
        if "error" in said:
            raise BrowserFailed(f"{method}: {said['error']['message']}")
        return said["result"]

    async def _answered(self, method: str, params: dict[str, object]) -> Any:  # noqa: ANN401
        mine = next(self._ids)
        await self._socket.send_json({"id": mine, "method": method, "params": params})
        while (said := await self._socket.receive_json()).get("id") != mine:
            continue  # an event that nobody asked about
        return said

    async def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page says
        """Return what a JavaScript expression is, once it has come true if it is a promise.

        Raises BrowserFailed, with what the page says, if the expression throws.
        """
        said = await self.do(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in said:
            raise BrowserFailed(f"{expression}: {thrown(said['exceptionDetails'])}")
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


def thrown(details: dict[str, Any]) -> str:
    """Return in one line what a page threw."""
    exception = details.get("exception", {})
    text = exception.get("description") or exception.get("value") or details["text"]
    return str(text).partition("\n")[0]


@asynccontextmanager
async def tab(binary: str, *, port: int) -> AsyncIterator[Tab]:
    """Start a browser that knows nothing yet, debugged at *port*; yield its only page.

    All that it writes is in a folder of its own, which goes with it. Raises BrowserFailed.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        process = await started(binary, folder, port)
        try:
            async with only_page(process, folder) as page:
                yield page
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def started(binary: str, folder: Path, port: int) -> asyncio.subprocess.Process:
    """Start the browser; what it says goes to a file in *folder*, so that it never waits for us."""
    with output(folder).open("wb") as said:
        return await asyncio.create_subprocess_exec(
            binary,
            *FLAGS,
            f"--remote-debugging-port={port}",
            f"--user-data-dir={folder / 'profile'}",
            "about:blank",
            stdout=DEVNULL,
            stderr=said,
            env={**os.environ, "TMPDIR": str(folder)},  # noqa: TID251  all else it keeps
            start_new_session=True,
        )


def output(folder: Path) -> Path:
    """Return the file of what the browser says."""
    return folder / "output"


@asynccontextmanager
async def only_page(process: asyncio.subprocess.Process, folder: Path) -> AsyncIterator[Tab]:
    """Connect to the page that the browser opened by itself, once it listens."""
    async with AsyncExitStack() as opened:
        try:
            async with asyncio.timeout(START):
                address = await listening(process, folder)
                session = await opened.enter_async_context(aiohttp.ClientSession())
                async with session.get(f"http://{address}/json") as answer:
                    (page,) = [each for each in await answer.json() if each["type"] == "page"]
                url = page["webSocketDebuggerUrl"]
                socket = await opened.enter_async_context(session.ws_connect(url, max_msg_size=0))
        except TimeoutError as reason:
            raise BrowserFailed(f"it did not come up within {START} seconds") from reason
        except (aiohttp.ClientError, ConnectionError) as reason:
            raise BrowserFailed(f"it came up, and was gone: {reason}") from reason
        yield Tab(socket)


async def listening(process: asyncio.subprocess.Process, folder: Path) -> str:
    """Return where the debugging socket is, which the browser says when it is there."""
    while True:
        ended = process.returncode is not None
        for line in output(folder).read_text(errors="replace").splitlines(keepends=True):
            if line.startswith(SAYS) and line.endswith("\n"):
                return line.removeprefix(SAYS).split("/")[0]
        if ended:
            raise BrowserFailed("it ended before it listened")
        await asyncio.sleep(TICK)
