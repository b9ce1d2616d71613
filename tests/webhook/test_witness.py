"""What Prometheus has kept of the audit, and what that shows."""

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner, Result
from prometheus_client import generate_latest

from orchestrator.demo import binaries
from orchestrator.supervisor.leash import leashed
from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook import forgery
from tests.webhook.forgery import forged, written
from tests.webhook.make import NOW
from webhook import witness
from webhook.__main__ import main
from webhook.audit import Head
from webhook.instruments import Instruments
from webhook.store import history
from webhook.store.database import connect
from webhook.witness import Unheard

ROOT = Path(__file__).parents[2]
ROWS = 60

Json = dict[str, Any]


def _vector(*values: float, instance: str = "a") -> list[Json]:
    return [{"metric": {"instance": instance}, "value": [0, str(each)]} for each in values]


def _matrix(*values: tuple[float, float], instance: str = "a") -> list[Json]:
    told = [[at, str(value)] for at, value in values]
    return [{"metric": {"instance": instance}, "values": told}]


class Prometheus:
    """Answers as it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.rows, self.head = _matrix((10, 5), (20, 7)), _matrix((10, 1), (20, 2))
        self.last = {"rows": _vector(9), "head": _vector(2**48 - 1), "most": _vector(12)}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v1/{kind}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        query = request.query["query"]
        self.asked.append(query)
        return web.json_response({"data": {"result": self._result(request, query)}})

    def _result(self, request: web.Request, query: str) -> object:
        if query == "time()":
            return [0, "1000000000.5"]
        if request.match_info["kind"] == "query_range":
            return self.rows if "rows" in query else self.head
        kind = "most" if "max_over" in query else "rows" if "rows" in query else "head"
        return self.last[kind]


async def test_heads_are_what_stood_on_one_page_and_the_most_rows_ever(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    told = Prometheus()
    found = await witness.heads(http, await serve(told.app()))
    assert found == [
        Head(rows=12, hash=""),
        Head(rows=5, hash="000000000001"),
        Head(rows=7, hash="000000000002"),
        Head(rows=9, hash="f" * 12),
    ]


async def test_what_stood_on_no_page_together_is_no_head(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    told = Prometheus()
    told.head, told.last["head"] = _matrix((11, 1)), _vector(3, instance="b")
    found = await witness.heads(http, await serve(told.app()))
    assert found == [Head(rows=12, hash="")]


async def test_one_webhook_of_several_is_asked_for_by_its_instance(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    told = Prometheus()
    await witness.heads(http, await serve(told.app()), instance='a"} or up{x="')
    named = [each for each in told.asked if each != "time()"]
    assert [each for each in named if r'{instance="a\"} or up{x=\""}' not in each] == []


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response({"status": "error"}, status=400),
        web.json_response({"data": None}),
        web.json_response([]),
        web.Response(text="it works"),
        web.json_response({"data": {"result": [0, "NaN"]}}),
    ],
)
async def test_what_is_no_answer_of_prometheus_is_said_to_be_none(
    serve: Serve, http: aiohttp.ClientSession, answer: web.Response
) -> None:
    async def reply(_: web.Request) -> web.Response:
        return web.Response(
            status=answer.status, text=answer.text, content_type=answer.content_type
        )

    app = web.Application()
    app.router.add_get("/{any:.*}", reply)
    with pytest.raises(Unheard, match="Prometheus gave no answer"):
        await witness.heads(http, await serve(app))


async def test_a_prometheus_that_knows_nothing_proves_nothing(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    told = Prometheus()
    told.rows = told.head = []
    told.last = {"rows": [], "head": [], "most": []}
    with pytest.raises(Unheard, match="knows no webhook_audit_rows of 30 days"):
        await witness.heads(http, await serve(told.app()))


async def test_a_count_without_an_end_is_no_answer(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    told = Prometheus()
    told.last["most"] = _vector(float("inf"))
    with pytest.raises(Unheard, match="Prometheus gave no answer"):
        await witness.heads(http, await serve(told.app()))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "orchestrator.db"
    written(path, ROWS)
    return path


def _page(db: Path) -> bytes:
    """Return what a webhook on this database shows of its audit."""
    instruments = Instruments("1")
    connection = connect(db)
    instruments.show(history.figures(connection, now=NOW, window=instruments.window))
    connection.close()
    return generate_latest(instruments.registry)


@pytest.fixture
async def prometheus(
    db: Path, tmp_path: Path, free_port: FreePort, serve: Serve, http: aiohttp.ClientSession
) -> AsyncIterator[str]:
    """Run a real one that scrapes the audit of *db*; yields its URL once it has."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=_page(db), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/metrics", page)
    target = (await serve(app)).removeprefix("http://")
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 200ms}\nscrape_configs:\n"
        f"  - {{job_name: webhook, static_configs: [{{targets: ['{target}']}}]}}\n"
    )
    where = f"127.0.0.1:{free_port()}"
    argv = [
        str(binaries.find(os.environ, ROOT / ".tools").prometheus),  # noqa: TID251  as the demo does
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={where}",
        "--log.level=error",
    ]
    process = await asyncio.create_subprocess_exec(
        *leashed(argv, os.getpid()), stdout=DEVNULL, stderr=DEVNULL
    )
    query = {"query": "count_over_time(webhook_audit_head[1h]) > 2"}

    async def scraped() -> bool:
        try:
            async with http.get(f"http://{where}/api/v1/query", params=query) as response:
                return response.ok and bool((await response.json())["data"]["result"])
        except aiohttp.ClientError:
            return False

    try:
        await until(scraped, within=30, what="scrapes of the audit")
        yield f"http://{where}"
    finally:
        process.kill()
        await process.wait()


async def _verified(db: Path, prometheus: str) -> Result:
    command = ["audit", "verify", "--json", "--db", str(db), "--prometheus", prometheus]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


@pytest.mark.e2e
async def test_a_real_prometheus_shows_a_cut_tail_and_an_audit_hashed_anew(
    db: Path, prometheus: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    written(other, ROWS)
    whole = await _verified(db, prometheus)
    assert (whole.exit_code, json.loads(whole.stdout)["broken"]) == (0, None)
    forged(other, forgery.rehash, 7)
    anew = json.loads((await _verified(other, prometheus)).stdout)["broken"]
    assert (anew["row"], "of rows 1 to 60 at least one was changed" in anew["what"]) == (60, True)
    forged(db, forgery.cut, 50)
    cut = json.loads((await _verified(db, prometheus)).stdout)["broken"]
    assert cut == {"row": 50, "what": "the end is cut off: had 60 rows, has 49"}
