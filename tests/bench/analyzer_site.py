"""The world of the analyzer's benchmark: projects, exporter, Prometheus, and a webhook's parts."""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Final

import aiohttp
import yaml

from orchestrator import clock, config, fetch
from orchestrator.config import Config
from orchestrator.demo.binaries import Binaries
from orchestrator.version import VERSION
from tests.bench import analyzer_fill as fill
from tests.bench import analyzer_history as history
from tests.bench.analyzer_run import Bench, Instant, Watch, WatchedReader, WatchedStore
from tests.bench.api_fill import project
from tests.bench.fleet import host
from tests.bench.process import Program, answering, free_ports, started, until
from webhook.evidence.item import Subject
from webhook.instruments import Instruments
from webhook.stage import Bell
from webhook.stages import Ground
from webhook.store import work

CHECKOUT: Final = Path(__file__).parent.parent.parent
NOBODY: Final = "http://127.0.0.1:1"  # listens there


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everything listens."""

    fleet: int
    exporter: int
    prometheus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything, up and running."""

    bench: Bench
    watch: Watch
    inquiry: Instant
    config: Config

    async def gathered(self, alertname: str, number: int, url: str | None = None) -> float:
        """Return the seconds that it takes to gather what is known of a project for an alert."""
        about = self.config.projects[project(number % len(self.config.projects))]
        now = clock.now()
        subject = Subject(
            project=about.name,
            alertname=alertname,
            severity="warning",
            started_at=now,
            asked_at=now,
            allowed=(),
            tried=(),
            depends_on=(),
            critical=False,
        )
        labels, annotations = fill.texts(number, alertname)
        asked = replace(about, url=url) if url else about
        began = perf_counter()
        await self.inquiry.collected(subject, asked, labels, annotations)
        return perf_counter() - began


@asynccontextmanager
async def opened(folder: Path, tools: Binaries, projects: int) -> AsyncIterator[Site]:
    """Start everything in *folder*, where the database is; raise NotReady."""
    ports = Ports(**dict(zip(Ports.__slots__, free_ports(3), strict=True)))
    path = _written(folder, projects, ports)
    module = [sys.executable, "-m"]
    served = ["tests.bench.analyzer_fleet", "--projects", str(projects)]
    fleet = [*module, *served, "--port", str(ports.fleet)]
    watching = ["exporter", "--config", str(path), "--log-level", "error"]
    exporter = [*module, *watching, "--listen", f"127.0.0.1:{ports.exporter}"]
    async with (
        aiohttp.ClientSession() as session,
        started("fleet", fleet, folder) as targets,
        started("exporter", exporter, folder) as exports,
    ):
        await answering(targets, session, f"http://{host(projects - 1)}:{ports.fleet}/health")
        at = f"127.0.0.1:{ports.exporter}"
        await _known(exports, session, at, projects)
        history.configured(CHECKOUT / "rules", folder, at)
        await history.remembered(session, at, tools.promtool, folder, clock.now())
        command = history.command(tools.prometheus, folder, ports.prometheus)
        async with started("prometheus", command, folder) as prometheus:
            url = f"http://127.0.0.1:{ports.prometheus}"
            await history.firing(prometheus, session, url, fill.ALERTS, projects)
            async with _webhook(folder, config.load(path)) as site:
                yield site


def _written(folder: Path, projects: int, ports: Ports) -> Path:
    """Write orchestrator.yml, and a token for each project, as a fleet has them."""
    (folder / "claude.key").write_text("a key that opens nothing\n", encoding="utf-8")
    entries = []
    for number in range(projects):
        name, url = project(number), f"http://{host(number)}:{ports.fleet}"
        (folder / f"{name}.token").write_text(f"token-of-{name}\n", encoding="utf-8")
        control = {"url": f"{url}/control", "token_file": f"{name}.token"}
        entries.append({"name": name, "url": url, "control": control})
    content = {
        "defaults": {"mode": "act", "metrics_interval": "5s"},
        "projects": entries,
        "playbooks": {name: [action] for name, action in fill.PROPOSED.items()},
        "analyzer": {
            "mode": "always",
            "key_file": "claude.key",
            "url": NOBODY,  # the model of the benchmark needs none
            "runbooks": str(CHECKOUT / "docs" / "runbooks"),
            "calls_per_hour": 1_000,
            "daily_budget_usd": 1_000,
            "monthly_budget_usd": 10_000,
        },
        "prometheus": f"http://127.0.0.1:{ports.prometheus}",
    }
    path = folder / "orchestrator.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


async def _known(
    program: Program, session: aiohttp.ClientSession, exporter: str, projects: int
) -> None:
    """Wait until the exporter has figures of all projects."""

    async def all_known() -> bool:
        try:
            async with session.get(f"http://{exporter}/metrics") as response:
                page = await response.text()
        except aiohttp.ClientError:
            return False
        return page.count("\nproject_memory_usage_ratio{") == projects

    await until(program, all_known)


@asynccontextmanager
async def _webhook(folder: Path, known: Config) -> AsyncIterator[Site]:
    """Open what the stages of a webhook work with, and let the analyst go round."""
    logging.basicConfig(level=logging.ERROR)
    watch = Watch()
    store = WatchedStore(folder / "x.db", watch)
    read = WatchedReader(folder / "x.db", watch)
    try:
        async with (
            aiohttp.ClientSession(trace_configs=[watch.tracing("Prometheus")]) as session,
            fetch.connections(keep=False) as ways,
        ):
            ways.trace_configs.append(watch.tracing("project"))
            ground = Ground(
                config=lambda: known,
                store=store,
                read=read,
                instruments=Instruments(VERSION),
                session=session,
                ways=ways,
                bells={"repair": Bell()},
            )
            epoch = await store(work.boot, at=clock.now())
            inquiry = Instant(ground, watch)
            bench = Bench(ground, inquiry, watch, epoch)
            async with bench.going():
                yield Site(bench=bench, watch=watch, inquiry=inquiry, config=known)
    finally:
        read.close()
        store.close()
