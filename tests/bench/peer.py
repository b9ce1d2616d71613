"""The peer: Debian's blackbox exporter, and a Prometheus that asks the same of the same targets."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import click

from orchestrator.demo import debian
from orchestrator.errors import OrchestratorError
from tests.bench.result import Seen
from tests.bench.setup import SAME, Pace, Setup

_PACKAGE = "prometheus-blackbox-exporter"

# The same as our probe: one GET of 2 s at most, no redirect, 200, a status that means up.
MODULES = {
    "http_2xx": {
        "prober": "http",
        "timeout": "2s",
        "http": {
            "method": "GET",
            "valid_status_codes": [200],
            "preferred_ip_protocol": "ip4",
            "ip_protocol_fallback": False,
            "follow_redirects": False,
            "fail_if_body_not_matches_regexp": ['"status": *"(healthy|degraded|paused)"'],
        },
    }
}


def find(environment: Mapping[str, str], tools: Path) -> Path:
    """Return the blackbox exporter that BLACKBOX_EXPORTER names, else Debian 12's in *tools*.

    It is fetched when it is missing. Raises OrchestratorError.
    """
    named = environment.get("BLACKBOX_EXPORTER")
    if named and (not os.access(named, os.X_OK) or Path(named).is_dir()):
        raise OrchestratorError(f"BLACKBOX_EXPORTER={named}: no program there")
    if named:
        return Path(named).absolute()
    root = (tools / "blackbox").absolute()
    binary = root / "usr/bin" / _PACKAGE
    if not binary.exists():
        click.echo(f"fetching {_PACKAGE} of Debian bookworm into {root} (once) ...", err=True)
        try:
            debian.fetch((_PACKAGE,), suite="bookworm", into=root, then=lambda _: None)
        except (debian.CannotFetch, OSError) as error:
            raise OrchestratorError(
                f"fetching {_PACKAGE} failed: {error}\n"
                "Name one that is here: BLACKBOX_EXPORTER=/path/blackbox_exporter"
            ) from error
    return binary


@dataclass(frozen=True, slots=True)
class Blackbox:
    """The blackbox exporter, which Prometheus asks to ask."""

    name: str = "blackbox"
    pace: Pace = SAME
    ready: str = "/-/healthy"

    def command(self, setup: Setup) -> list[str]:
        """Write what the exporter reads; return how it is started."""
        config = setup.written("blackbox.yml", {"modules": MODULES})
        listen = f"--web.listen-address={setup.exporter}"
        return [str(setup.programs.blackbox), f"--config.file={config}", listen]

    def scraping(self, setup: Setup) -> dict[str, Any]:
        """Return the configuration of the peer's Prometheus.

        The figures come straight from the targets, in Prometheus' own format: this is what its
        users do, and it costs the peer the least.
        """
        probe = {
            "job_name": "probe",
            "scrape_interval": f"{self.pace.health}s",
            "metrics_path": "/probe",
            "params": {"module": ["http_2xx"]},
            "static_configs": [{"targets": [f"http://{each}/health" for each in setup.targets]}],
            "relabel_configs": [
                {"source_labels": ["__address__"], "target_label": "__param_target"},
                {"source_labels": ["__param_target"], "target_label": "instance"},
                {"target_label": "__address__", "replacement": setup.exporter},
            ],
        }
        figures = {
            "job_name": "figures",
            "scrape_interval": f"{self.pace.metrics}s",
            "metrics_path": "/prometheus",
            "static_configs": [{"targets": setup.targets}],
        }
        return {"global": {"scrape_timeout": "5s"}, "scrape_configs": [probe, figures]}

    async def watch(
        self, session: aiohttp.ClientSession, setup: Setup, window: Callable[[], Awaitable[None]]
    ) -> Seen:
        """Let *window* pass; then have Prometheus say what it got in it."""
        await window()
        span = f"[{setup.seconds}s]"
        health = await _value(session, setup, f"sum(count_over_time(probe_success{span}))")
        read = f'sum(count_over_time(up{{job="figures"}}{span}))'
        metrics = await _value(session, setup, read)
        up = await _value(session, setup, "sum(probe_success)")
        return Seen(made={"health": health, "metrics": metrics}, up=int(up))


async def _value(session: aiohttp.ClientSession, setup: Setup, query: str) -> float:
    url = f"http://{setup.prometheus}/api/v1/query"
    async with session.get(url, params={"query": query}) as response:
        found = (await response.json())["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0
