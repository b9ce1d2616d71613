"""Our side: the exporter of this checkout, and a Prometheus with the scrape jobs that we ship."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import aiohttp
import yaml

from tests.bench import page
from tests.bench.page import Page
from tests.bench.result import Loop, Scrape, Seen
from tests.bench.setup import Pace, Setup

_OUTSIDE = 3  # scrapes of ours in a window; they count as cost of our side
_UP = "project_up{"


@dataclass(frozen=True, slots=True)
class Ours:
    """Our exporter at one pace."""

    name: str
    pace: Pace
    ready: str = "/-/healthy"

    def command(self, setup: Setup) -> list[str]:
        """Write what the exporter reads; return how it is started."""
        config = {
            "defaults": {
                "health_interval": f"{self.pace.health}s",
                "metrics_interval": f"{self.pace.metrics}s",
            },
            "projects": [
                {"name": f"p{place}", "url": f"http://{target}", **self._paths()}
                for place, target in enumerate(setup.targets)
            ],
        }
        path = setup.written("orchestrator.yml", config)
        python = [sys.executable, "-m", "exporter"]
        return [*python, "--config", str(path), "--listen", setup.exporter]

    def _paths(self) -> dict[str, Any]:
        return {} if self.pace.status else {"paths": {"status": None}}

    def scraping(self, setup: Setup) -> dict[str, Any]:
        """Return the jobs of rules/prometheus.yml that scrape the exporter, as they are."""
        text = (setup.checkout / "rules/prometheus.yml").read_text(encoding="utf-8")
        shipped = yaml.safe_load(text)
        jobs = [
            {**job, "static_configs": [{"targets": [setup.exporter]}]}
            for job in shipped["scrape_configs"]
            if job["job_name"].startswith("exporter-")
        ]
        return {"global": shipped["global"], "scrape_configs": jobs}

    async def watch(
        self, session: aiohttp.ClientSession, setup: Setup, window: Callable[[], Awaitable[None]]
    ) -> Seen:
        """Let *window* pass, scraping a few times; return what the exporter counted in it."""
        outside: list[tuple[float, str]] = []
        for part in ("health", "resources"):  # no part has a series before it was scraped once
            await _scraped(session, setup, part)
        before = page.parse((await _scraped(session, setup, "resources"))[1], prefix="exporter_")
        judged(before, before, outside)  # a metric that is missing is better known at once
        scrapes = asyncio.create_task(_scrape_some(session, setup, outside))
        try:
            await window()
            await scrapes
        finally:
            scrapes.cancel()
            await asyncio.gather(scrapes, return_exceptions=True)
        text = (await _scraped(session, setup, "resources"))[1]
        return judged(before, page.parse(text, prefix="exporter_"), outside)


def judged(before: Page, after: Page, outside: list[tuple[float, str]]) -> Seen:
    """Return what happened between two readings of the page; raise Missing."""

    def counted(name: str, label: str) -> dict[str, float]:
        earlier = page.counter(before, name, label)
        later = page.counter(after, name, label)
        return {key: value - earlier.get(key, 0) for key, value in later.items()}

    lag = _between(before, after, "exporter_tick_lag_seconds")
    worst = page.gauge(after, "exporter_tick_lag_max_seconds")
    last = outside[-1][1] if outside else ""
    return Seen(
        made=counted("exporter_probes_total", "endpoint"),
        up=sum(
            line.startswith(_UP) and line.endswith((" 1", " 1.0")) for line in last.splitlines()
        ),
        loop=Loop(
            lag_p50=lag.quantile(0.5),
            lag_p99=min(lag.quantile(0.99), worst),  # what is spread over a bucket may exceed it
            lag_max=worst,
            due=counted("exporter_probes_due_total", "endpoint"),
            skipped=counted("exporter_probes_skipped_total", "endpoint"),
            void=counted("exporter_probes_void_total", "reason"),
            health=_scrape(before, after, "health"),
            resources=_scrape(before, after, "resources"),
            wall=median(seconds for seconds, _ in outside) if outside else 0.0,
            page_bytes=len(last.encode()),
        ),
    )


def _scrape(before: Page, after: Page, part: str) -> Scrape:
    found = _between(before, after, "exporter_scrape_seconds", part=part)
    return Scrape(mean=found.mean, slowest=found.slowest)


def _between(before: Page, after: Page, name: str, **labels: str) -> page.Histogram:
    return page.histogram(after, name, **labels).since(page.histogram(before, name, **labels))


async def _scrape_some(
    session: aiohttp.ClientSession, setup: Setup, outside: list[tuple[float, str]]
) -> None:
    for _ in range(_OUTSIDE):
        await asyncio.sleep(setup.seconds / (_OUTSIDE + 1))
        outside.append(await _scraped(session, setup, "health", "resources"))


async def _scraped(session: aiohttp.ClientSession, setup: Setup, *parts: str) -> tuple[float, str]:
    began = perf_counter()
    url = f"http://{setup.exporter}/metrics"
    async with session.get(url, params=[("collect[]", part) for part in parts]) as response:
        response.raise_for_status()
        body = await response.read()
    return perf_counter() - began, body.decode()
