"""What the benchmark of the API asks: every route that reads, in the ways that cost most."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orchestrator import clock
from tests.bench import api_fill
from tests.bench.api_fill import LASTS, WORDS, Size

APPROVED: Final = 10  # every tenth incident had a question

EXCEPT: Final = {  # routes that read, and are not measured
    "/ws": "a stream",
    "/api/docs": "a constant",
    "/-/healthy": "a constant",
    "/api/v1/requests/{id}": "one row by its number, as others",
    "/api/v1/restraints/{id}": "one row by its number, as others",
    "/api/v1/incidents/{id}/analyses": "a few rows by the number of their incident, as others",
    "/api/v1/analyzer": "sums of the rows of a month, by an index",
    "/api/v1/analyzer/report": "no page: it reckons over every decision, a second for ten thousand",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One way to ask a route; each time about something else."""

    what: str
    route: str  # as the tables have it
    ask: Callable[[random.Random], str]  # the path


def questions(size: Size, end: datetime) -> Iterator[Question]:
    """Yield all of them; *end* is when the newest incident was over."""
    yield from _incidents(size)
    yield from _history(size, end)
    yield from _others(size)


def _incidents(size: Size) -> Iterator[Question]:
    path = "/api/v1/incidents"

    def add(what: str, query: Callable[[random.Random], str]) -> Question:
        return Question(what=what, route=path, ask=lambda luck: f"{path}?{query(luck)}")

    yield add("incidents, the newest", lambda _: "")
    yield add("incidents, 200 of them", lambda _: "limit=200")
    yield add("incidents, somewhere", lambda luck: f"before={luck.randrange(99, size.incidents)}")
    yield add("incidents that go on", lambda _: "state=open")
    yield add("incidents of a project", lambda luck: f"project={_project(luck)}")
    yield add("incidents of none", lambda _: "project=none&state=ended")
    yield add("search, a word of one", lambda luck: f"q=node+{luck.randrange(1, size.incidents)}")
    yield add("search, a word of all", lambda _: "q=node")
    yield add("search, a letter", lambda _: "q=n&before=5000")
    yield add("search, nothing", lambda _: "q=node+nowhere")
    yield add(
        "search, two words in a project",
        lambda luck: f"q={luck.choice(WORDS)}+look&project={_project(luck)}",
    )
    for what, route in (("incident", f"{path}/{{id}}"), ("incident's page", "/incidents/{id}")):
        yield Question(what=what, route=route, ask=_numbered(route, size.incidents))
    yield Question(what="incidents' page", route="/incidents", ask=lambda _: "/incidents?state=all")


def _history(size: Size, end: datetime) -> Iterator[Question]:
    path = "/api/v1/history"

    def add(what: str, query: Callable[[random.Random], str]) -> Question:
        return Question(what=what, route=path, ask=lambda luck: f"{path}?{query(luck)}")

    def span(luck: random.Random, length: timedelta) -> str:
        begin = api_fill.opened(luck.randrange(1, size.incidents), size, end)
        return f"from={clock.written(begin)}&to={clock.written(begin + length)}"

    hour, ever = timedelta(hours=1), timedelta(days=400)
    yield add("history, an hour", lambda luck: span(luck, hour))
    yield add(
        "history, an hour of a project",
        lambda luck: f"{span(luck, hour)}&project={_project(luck)}",
    )
    yield add("history, all of it, 500", lambda luck: f"{span(luck, ever)}&limit=500")
    yield add(
        "history, all of a project, 500",
        lambda luck: f"{span(luck, ever)}&project={_project(luck)}&limit=500",
    )

    def later(luck: random.Random) -> str:
        at = api_fill.opened(luck.randrange(1, size.incidents), size, end) + LASTS / 2
        begin = clock.written(end - ever)
        return f"from={begin}&after={clock.written(at)}-event-{luck.randrange(size.events)}"

    yield add("history, a later page", later)


def _others(size: Size) -> Iterator[Question]:
    def of(path: str, many: int) -> Callable[[random.Random], str]:
        return lambda luck: f"{path}{luck.randrange(many)}"

    approvals = size.incidents // APPROVED
    for what, route, ask in (
        ("events, the first", "/api/v1/events", lambda _: "/api/v1/events"),
        ("events, somewhere", "/api/v1/events", of("/api/v1/events?after=", size.events)),
        ("audit, the first", "/api/v1/audit", lambda _: "/api/v1/audit"),
        ("audit, somewhere", "/api/v1/audit", of("/api/v1/audit?after=", size.audit)),
        ("audit's head", "/api/v1/audit/head", lambda _: "/api/v1/audit/head"),
        ("approvals that wait", "/api/v1/approvals", lambda _: "/api/v1/approvals"),
        ("approvals, all", "/api/v1/approvals", lambda _: "/api/v1/approvals?state=all"),
        ("approval", "/api/v1/approvals/{id}", _numbered("/api/v1/approvals/{id}", approvals)),
        ("approvals' page", "/approvals", lambda _: "/approvals?state=all"),
        ("approval's page", "/approvals/{id}", _numbered("/approvals/{id}", approvals)),
        ("restraints", "/api/v1/restraints", lambda _: "/api/v1/restraints"),
        ("the fleet", "/api/v1/fleet", lambda _: "/api/v1/fleet"),
        ("status", "/status", lambda _: "/status"),
        ("health", "/health", lambda _: "/health"),
        ("ready", "/-/ready", lambda _: "/-/ready"),
        ("metrics", "/metrics", lambda _: "/metrics"),
    ):
        yield Question(what=what, route=route, ask=ask)


def _project(luck: random.Random) -> str:
    return api_fill.project(luck.randrange(api_fill.PROJECTS))


def _numbered(route: str, many: int) -> Callable[[random.Random], str]:
    return lambda luck: route.replace("{id}", str(luck.randrange(1, many + 1)))
