"""The sender of a benchmark: keep-alive connections, each posting one notification after another."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, count, cycle, islice
from time import perf_counter

END_WITHIN = 60.0  # seconds for what is under way when the time is over

_ALERT = (
    b'{"status":"firing","labels":{"alertname":"ProjectErrors","client":"acme","group":"outbound",'
    b'"project":"project-%012x","remediate":"REMEDIATE","severity":"warning","team":"messaging"},'
    b'"annotations":{"description":"12.4%% of the requests to project-%012x failed in the last'
    b" 5 minutes; its threshold is 5%%. Look at its errors first, then at what was deployed"
    b' last.","runbook_url":"https://runbooks.example/runbooks/ProjectErrors","summary":"Too many'
    b' requests to project-%012x fail."},"startsAt":"2026-11-20T22:50:10.745736Z",'
    b'"endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus.example:9090/graph?g0.expr='
    b"max+without+%%28instance%%2C+job%%29+%%28project_error_ratio%%29+%%3E+on+%%28project%%29+"
    b'max+by+%%28project%%29+%%28project_threshold_ratio%%29&g0.tab=1","fingerprint":"%016x"}'
)
_NUMBERS = 4  # how often an alert names its number
_BEGIN = (
    b'{"receiver":"webhook","status":"firing","alerts":[',
    b'],"groupLabels":{"alertname":"ProjectErrors"},"commonLabels":{"alertname":"ProjectErrors"},'
    b'"commonAnnotations":{},"externalURL":"http://alertmanager.example:9093","version":"4",'
    b'"groupKey":"{}/{remediate=\\"true\\"}:{alertname=\\"ProjectErrors\\"}","truncatedAlerts":0}\n',
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

    def bodies(self, first: int = 0) -> Iterator[bytes]:
        """Yield the bodies of one message after another, from the alert number *first* on."""
        allowed = b"true" if self.remediate else b"false"
        alerts = b",".join([_ALERT.replace(b"REMEDIATE", allowed)] * self.alerts)
        template = alerts.join(_BEGIN)
        numbers = count(first) if self.distinct is None else cycle(range(self.distinct))
        repeated = chain.from_iterable((number,) * _NUMBERS for number in numbers)
        while True:
            yield template % tuple(islice(repeated, _NUMBERS * self.alerts))


@dataclass(slots=True)
class Taken:
    """What was answered since the start, or since it was last emptied."""

    seconds: list[float] = field(default_factory=list)  # from the first byte sent to the answer
    statuses: Counter[str] = field(default_factory=Counter)
    broken: int = 0  # connections that the receiver closed


class Connection(asyncio.Protocol):
    """One connection of the sender. Knows just enough of HTTP/1.1 to be cheap."""

    def __init__(self, port: int, bodies: Iterator[bytes], taken: Taken) -> None:
        self._port, self._bodies, self._taken = port, bodies, taken
        self._transport: asyncio.WriteTransport | None = None
        self._began = 0.0
        self._unread = b""
        self._last = False
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the *transport* to send on."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's name
        """Note a connection that we have not ended ourselves."""
        self._taken.broken += not self._last
        self.closed.set()

    def send(self) -> None:
        """Post the next message."""
        assert self._transport is not None
        body = next(self._bodies)
        self._began = perf_counter()
        self._transport.write(_HEAD % (self._port, len(body)) + body)

    def end(self) -> None:
        """Send nothing more, and close after the answer to what is under way."""
        self._last = True

    def data_received(self, data: bytes) -> None:
        """Note an answer that is complete, and send the next message."""
        assert self._transport is not None
        answer = self._unread + data if self._unread else data
        head, found, body = answer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            self._unread = answer
            return
        self._unread = b""
        self._taken.seconds.append(perf_counter() - self._began)
        self._taken.statuses[head[9:12].decode("ascii", "replace")] += 1
        if self._last:
            self._transport.close()
        else:
            self.send()


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.split(b"\r\n", 1)[0] or 0)


@asynccontextmanager
async def sending(load: Load, port: int) -> AsyncIterator[Taken]:
    """Post *load* to the receiver at *port* until the block ends and all is answered."""
    loop = asyncio.get_running_loop()
    taken, bodies = Taken(), load.bodies()
    connections = [
        (await loop.create_connection(lambda: Connection(port, bodies, taken), "127.0.0.1", port))[1]
        for _ in range(load.connections)
    ]
    for each in connections:
        each.send()
    try:
        yield taken
    finally:
        for each in connections:
            each.end()
        async with asyncio.timeout(END_WITHIN):
            await asyncio.gather(*(each.closed.wait() for each in connections))
