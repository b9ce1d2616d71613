"""A webhook as a process, and around it whom it asks: a project that talks, and Prometheus."""

import asyncio
import gzip
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.supervisor.leash import leashed
from tests.waiting import until
from tests.webhook import make

ROOT = Path(__file__).parents[2]
DOWN: Mapping[str, Any] = {"name": "email-blast", "url": "http://127.0.0.1:1"}
NOTHING: Mapping[str, str] = {}
TOKEN = "canary-control-0123456789abcdef"  # noqa: S105  of its control


@dataclass(frozen=True, slots=True)
class Live:
    """A webhook that runs."""

    process: asyncio.subprocess.Process
    url: str
    folder: Path
    http: aiohttp.ClientSession

    async def decided(self) -> str:
        """Wait until an answer was decided on; return who has answered."""

        async def found() -> str | None:
            rows = self.rows("SELECT analyzer FROM analyses WHERE decision IS NOT NULL")
            return str(rows[0][0]) if rows else None

        return await until(found, within=30, what="a decision")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask its database."""
        with closing(sqlite3.connect(self.folder / "x.db", timeout=5)) as db:
            return db.execute(query).fetchall()

    async def page(self) -> str:
        """Return its metrics as they are served."""
        async with self.http.get(f"{self.url}/metrics") as response:
            return await response.text()

    async def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric over all that have these labels."""
        families = text_string_to_metric_families(await self.page())
        samples = [each for family in families for each in family.samples if each.name == name]
        return sum(each.value for each in samples if labels.items() <= each.labels.items())

    async def kept(self) -> bytes:
        """Return all that is kept or shown of what it has seen, bodies unpacked."""
        files = [*self.folder.glob("x.db*"), self.folder / "log"]
        written = [each.read_bytes() for each in files]
        bodies = self.rows("SELECT evidence, request, reply FROM analyses")
        packed = [gzip.decompress(each) for row in bodies for each in row if each]
        return b"\n".join([*written, *packed, (await self.page()).encode()])


def project(url: str, folder: Path) -> dict[str, Any]:
    """Return the setting of email-blast at *url*, with a control that has a token."""
    (folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    control = {"url": f"{url}/control", "token_file": "token"}
    return {"name": "email-blast", "url": url, "control": control}


@asynccontextmanager
async def running(
    folder: Path,
    port: int,
    http: aiohttp.ClientSession,
    *,
    analyzer: Mapping[str, Any],
    project: Mapping[str, Any] = DOWN,
    prometheus: str = make.NOBODY[0],
    alert: str = "ProjectDown",
    env: Mapping[str, str] = NOTHING,
) -> AsyncIterator[Live]:
    """Run a webhook without any playbook, and post *alert* of its project to it."""
    written = {
        "defaults": {"mode": "act"},
        "projects": [dict(project)],
        "analyzer": dict(analyzer),
        "alertmanagers": list(make.NOBODY),
        "prometheus": prometheus,
    }
    config = folder / "orchestrator.yml"
    config.write_text(yaml.safe_dump(written), encoding="utf-8")
    command = [sys.executable, "-m", "webhook", f"--config={config}", f"--db={folder / 'x.db'}"]
    clean = {name: text for name, text in os.environ.items() if "ANTHROPIC" not in name}  # noqa: TID251  a child's
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *leashed([*command, f"--listen=127.0.0.1:{port}"], os.getpid()),
            cwd=ROOT,
            env={**clean, **env},
            stdout=log,
            stderr=log,
        )
    live = Live(process, f"http://127.0.0.1:{port}", folder, http)
    try:
        await until(lambda: _posted(live, alert), within=30, what="the webhook")
        yield live
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _posted(live: Live, alert: str) -> bool:
    headers = {"Content-Type": "application/json"}
    body = make.body(make.alert(alertname=alert))
    try:
        async with live.http.post(f"{live.url}/alerts", data=body, headers=headers) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def talking(lines: Sequence[str]) -> web.Application:
    """Be a project that is well, and has these errors in its log."""

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "healthy", "version": "1"})

    async def logs(_: web.Request) -> web.Response:
        said = [{"ts": "", "level": "error", "message": each} for each in lines]
        return web.json_response(said)

    app = web.Application()
    app.add_routes([web.get("/health", health), web.get("/logs", logs)])
    return app


def witness(alertname: str) -> web.Application:
    """Be a Prometheus in which an alert of email-blast fires; it has no figures."""
    rule = {
        "type": "alerting",
        "name": alertname,
        "query": "holds",
        "annotations": {"settle": "100ms"},
        "alerts": [{"state": "firing", "labels": {"project": "email-blast"}}],
    }

    async def rules(_: web.Request) -> web.Response:
        return _answer({"groups": [{"name": "all", "rules": [rule]}]})

    async def query(request: web.Request) -> web.Response:
        series = [{"metric": {"project": "email-blast"}, "value": [0, "1"]}]
        holds = request.query["query"] == "holds"
        return _answer({"resultType": "vector", "result": series if holds else []})

    async def over_time(_: web.Request) -> web.Response:
        return _answer({"resultType": "matrix", "result": []})

    app = web.Application()
    app.router.add_get("/api/v1/rules", rules)
    app.router.add_route("*", "/api/v1/query", query)
    app.router.add_route("*", "/api/v1/query_range", over_time)
    return app


def _answer(data: Mapping[str, Any]) -> web.Response:
    return web.json_response({"status": "success", "data": data})
