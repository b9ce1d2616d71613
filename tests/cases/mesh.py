"""Real Alertmanagers on the routing that we ship, readdressed."""

import io
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from orchestrator.supervisor.leash import leashed

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "rules/alertmanager.yml"
QUICK = ("--cluster.gossip-interval=20ms", "--cluster.settle-timeout=400ms")

Json = dict[str, Any]
Edit = Callable[[Json], None]


def repairs(config: Json) -> Json:
    """Return the route of what may be repaired."""
    found: Json = next(
        route
        for route in config["route"]["routes"]
        if route["receiver"] == "webhook" and 'remediate="true"' in route["matchers"]
    )
    return found


def receiver(config: Json, name: str = "webhook") -> Json:
    """Return a receiver."""
    found: Json = next(each for each in config["receivers"] if each["name"] == name)
    return found


def hook(config: Json) -> Json:
    """Return how the webhook is called."""
    found: Json = receiver(config)["webhook_configs"][0]
    return found


def routing(url: str, *edits: Edit) -> str:
    """Return rules/alertmanager.yml with the webhook at *url* and a short group_interval."""
    content: Json = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    hook(content)["url"] = url
    repairs(content)["group_interval"] = "1s"
    for edit in edits:
        edit(content)
    return yaml.safe_dump(content, sort_keys=False)


@dataclass(slots=True)
class Peer:
    """One Alertmanager: alone, or in a cluster with others."""

    binary: Path
    folder: Path  # its configuration and what it keeps
    port: int
    cluster: tuple[int, ...] = ()  # its own port for gossip, then those of the others
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        """Where its configuration is."""
        return self.folder / "alertmanager.yml"

    def start(self) -> None:
        """Start it, on what it kept when it ran before."""
        own, *others = (f"127.0.0.1:{port}" for port in self.cluster) if self.cluster else ("",)
        argv = [
            str(self.binary),
            f"--config.file={self.config}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--web.external-url={self.url}",
            f"--cluster.listen-address={own}",
            *(f"--cluster.peer={other}" for other in others),
            *(("--cluster.peer-timeout=2s", *QUICK) if others else ()),
        ]
        self.process = subprocess.Popen(  # noqa: S603  our own argument list
            leashed(argv, os.getpid()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process:
            self.process.kill()
            self.process.wait()

    async def ready(self, http: aiohttp.ClientSession) -> bool:
        """Tell whether it serves, and knows its cluster."""
        try:
            async with http.get(f"{self.url}/api/v2/status") as response:
                cluster = (await response.json())["cluster"]
        except aiohttp.ClientError:
            return False
        return len(cluster.get("peers") or ()) == len(self.cluster) and (
            not self.cluster or cluster["status"] == "ready"
        )

    async def post(self, http: aiohttp.ClientSession, alerts: Iterable[Mapping[str, Any]]) -> None:
        """Post alerts as Prometheus does."""
        body = io.BytesIO(json.dumps(list(alerts)).encode())  # aiohttp wants a large one so
        headers = {"Content-Type": "application/json"}
        url = f"{self.url}/api/v2/alerts"
        async with http.post(url, data=body, headers=headers) as response:
            response.raise_for_status()

    async def reload(self, http: aiohttp.ClientSession, config: str) -> None:
        """Let it run on another configuration."""
        self.config.write_text(config, encoding="utf-8")
        async with http.post(f"{self.url}/-/reload") as response:
            response.raise_for_status()
