"""The sender of a benchmark: many connections, each posting one notification after another."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, count, cycle, islice
from time import perf_counter

END_WITHIN = 60.0  # seconds for what is under way when the time is over

# Much like our own rules make it; 2.3 MB are 3,000 of them. The number stands for @.
_ALERT = (
    '{"status":"firing","labels":{"alertname":"ProjectErrors","client":"acme","group":"outbound",'
    '"project":"project-@","remediate":"REMEDIATE","severity":"warning","team":"messaging"},'
    '"annotations":{"description":"12.4% of the requests to project-@ failed in the last 5 minutes;'
    " its threshold is 5%. Look at its errors first, then at what was deployed last."
    '","runbook_url":"https://runbooks.example/runbooks/ProjectErrors","summary":"Too many requests'
    ' to project-@ fail."},"startsAt":"2026-11-20T22:50:10.745736Z","endsAt":"0001-01-01T00:00:00Z"'
    ',"generatorURL":"http://prometheus.example:9090/graph?g0.expr=max+without+%28instance%2C+job%29'
    "+%28project_error_ratio%29+%3E+on+%28project%29+max+by+%28project%29+%28project_threshold_"
    'ratio%29&g0.tab=1","fingerprint":"@"}'
)
_NUMBERS = _ALERT.count("@")
_AROUND = (
    '{"receiver":"webhook","status":"firing","alerts":[',
    (
        '],"groupLabels":{"alertname":"ProjectErrors"},"commonLabels":{"alertname":"ProjectErrors"},'
        '"commonAnnotations":{},"externalURL":"http://alertmanager.example:9093","version":"4",'
        '"groupKey":"{}/{remediate=\\"true\\"}:{alertname=\\"ProjectErrors\\"}","truncatedAlerts":0}\n'
    ),
)
_HEAD = (
    b"POST /alerts HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: Alertmanager/0.33.1\r\n"
    b"Content-Length: %d\r\nContent-Type: application/json\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent: how many alerts a message carries, over how many connections, and which."""

    alerts: int
    connections: int
    distinct: int | None = None  # so many alerts, again and again; None: no alert comes twice
    remediate: bool = False  # whether each opens an incident, of a project of its own

    @property
    def which(self) -> str:
        """Say which alerts these are, in a word."""
        if self.distinct:
            return "known"
        return "new, to be repaired" if self.remediate else "new"

    def bodies(self) -> Iterator[bytes]:
        """Yield the body of one message after another, without an end."""
        allowed = "true" if self.remediate else "false"
        alert = _ALERT.replace("REMEDIATE", allowed).replace("%", "%%").replace("@", "%016x")
        template = ",".join([alert] * self.alerts).join(_AROUND).encode("ascii")
        numbers = cycle(range(self.distinct)) if self.distinct else count()
        named = chain.from_iterable((number,) * _NUMBERS for number in numbers)
        while True:
            yield template % tuple(islice(named, _NUMBERS * self.alerts))


@dataclass(slots=True)
class Taken:
    """What was answered since the start, or since it was last emptied."""

    seconds: list[float] = field(default_factory=list)  # from the first byte sent to the answer
    statuses: Counter[str] = field(default_factory=Counter)  # since the start
    broken: int = 0  # messages without an answer


class Connection(asyncio.Protocol):
    """One connection of the sender, opened again when the receiver closes it.

    It knows just enough of HTTP/1.1 to be cheap.
    """

    def __init__(self, port: int, bodies: Iterator[bytes], taken: Taken) -> None:
        self._port, self._bodies, self._taken = port, bodies, taken
        self._transport: asyncio.WriteTransport | None = None
        self._began: float | None = None  # None: nothing is under way
        self._unread = b""
        self._last = False
        self._opening: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()

    async def open(self) -> None:
        """Connect; raise OSError."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", self._port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the *transport* to send on."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's own name
        """Count a message that gets no answer."""
        if self._began is not None:
            self._broke()

    def _broke(self) -> None:
        self._taken.broken += 1
        self.ended.set()

    def send(self, began: float) -> None:
        """Post the next message, whose time counts from *began*."""
        assert self._transport is not None
        self._began = began
        body = next(self._bodies)
        self._transport.write(_HEAD % (self._port, len(body)) + body)

    async def _again(self) -> None:
        began = perf_counter()
        try:
            await self.open()
        except OSError:
            self._broke()
        else:
            self.send(began)

    def end(self) -> None:
        """Send nothing more, and close after the answer to what is under way."""
        self._last = True

    def data_received(self, data: bytes) -> None:
        """Note an answer that is complete, and send the next message."""
        assert self._transport is not None
        assert self._began is not None
        answer = self._unread + data
        head, found, body = answer.partition(b"\r\n\r\n")
        head = head.lower()
        if not found or len(body) < _length(head):
            self._unread = answer
            return
        now = perf_counter()
        self._unread = b""
        self._taken.seconds.append(now - self._began)
        self._taken.statuses[head[9:12].decode("ascii", "replace")] += 1
        self._began = None
        if self._last:
            self._transport.close()
            self.ended.set()
        elif b"\r\nconnection: close" in head:
            self._transport.close()
            self._opening = asyncio.create_task(self._again())
        else:
            self.send(now)


def _length(head: bytes) -> int:
    return int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


@asynccontextmanager
async def sending(load: Load, port: int) -> AsyncIterator[Taken]:
    """Post *load* to the receiver at *port* until the block ends and all of it is answered.

    Raises OSError when nobody listens, and TimeoutError when an answer does not come.
    """
    taken, bodies = Taken(), load.bodies()
    connections = [Connection(port, bodies, taken) for _ in range(load.connections)]
    for each in connections:
        await each.open()
    for each in connections:
        each.send(perf_counter())
    try:
        yield taken
    finally:
        for each in connections:
            each.end()
        async with asyncio.timeout(END_WITHIN):
            await asyncio.gather(*(each.ended.wait() for each in connections))
