"""The webhook as a process, and what it knows: its database, read only, and its metrics."""

import asyncio
import json
import os
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from orchestrator import clock
from orchestrator.supervisor.leash import leashed
from tests.cases.mesh import ROOT
from tests.waiting import until

Json = dict[str, Any]

GUARDS = {"cooldown": "1s"}
PROOF = {"recover_within": "2s", "prove_within": "60s", "every": "100ms"}


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode as it is stored. Its labels and when it was last told take no part in `==`."""

    started: datetime
    first_started: datetime
    ended: datetime | None
    labels: Json = field(compare=False)
    seen: str = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the webhook is told of the world; projects are all below one address."""

    projects: Iterable[str]
    fleet: str
    prometheus: str
    alertmanagers: Iterable[str]
    guards: Json = field(default_factory=dict)

    def written(self) -> str:
        """Return the text of orchestrator.yml."""
        projects = [{"name": name, "url": f"{self.fleet}/{name}"} for name in self.projects]
        content = {
            "defaults": {"mode": "act"},
            "projects": projects,
            "playbooks": {"ProjectDown": ["restart_service"]},
            "guards": {**GUARDS, **self.guards},
            "verification": PROOF,
            "alertmanagers": list(self.alertmanagers),
            "prometheus": self.prometheus,
        }
        return yaml.safe_dump(content)


class Webhook:
    """A running `python -m webhook`."""

    def __init__(self, folder: Path, port: int, http: aiohttp.ClientSession) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder, self._port, self._http = folder, port, http
        self._process: Process | None = None

    async def start(self, setting: Setting, *options: str) -> None:
        """Start it and wait until it serves."""
        config = self._folder / "orchestrator.yml"
        config.write_text(setting.written(), encoding="utf-8")
        argv = [sys.executable, "-m", "webhook", f"--config={config}", f"--db={self._db}"]
        listen = f"--listen=127.0.0.1:{self._port}"
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *leashed([*argv, listen, *options], os.getpid()),
                cwd=ROOT,
                stdout=DEVNULL,
                stderr=log,
            )
        await until(self._serves, within=30, what="the webhook")
        await until(self._has_looked, within=30, what="its first look at Alertmanager")

    async def kill(self) -> None:
        """End it as a crash does."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def post(self, body: bytes) -> int:
        """Post a notification to it; return the status of the answer."""
        headers = {"Content-Type": "application/json"}
        async with self._http.post(f"{self.url}/alerts", data=body, headers=headers) as response:
            return response.status

    async def meanings(self) -> dict[str, int]:
        """Return how many alerts meant what, by `webhook_alerts_total`."""
        found = await self._samples("webhook_alerts_total")
        return {sample.labels["meaning"]: int(sample.value) for sample in found if sample.value}

    def episodes(self, project: str) -> list[Episode]:
        """Return the episodes of a project, the oldest first."""
        return [
            Episode(
                started=clock.read(row["started_at"]),
                first_started=clock.read(row["first_started_at"]),
                ended=clock.read(row["ended_at"]) if row["ended_at"] else None,
                labels=json.loads(row["labels"]),
                seen=row["seen_at"],
            )
            for row in self.rows("SELECT * FROM episodes WHERE project = ? ORDER BY id", project)
        ]

    def incidents(self, project: str) -> list[str]:
        """Return the states of a project's incidents, the oldest first."""
        rows = self.rows("SELECT state FROM incidents WHERE project = ? ORDER BY id", project)
        return [row["state"] for row in rows]

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Read the database beside the running webhook."""
        uri = f"file:{self._db}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
            db.row_factory = sqlite3.Row
            return db.execute(query, values).fetchall()

    @property
    def _log(self) -> Path:
        return self._folder / "webhook.log"

    @property
    def _db(self) -> Path:
        return self._folder / "orchestrator.db"

    async def _samples(self, name: str) -> list[Sample]:
        async with self._http.get(f"{self.url}/metrics") as response:
            page = await response.text() if response.ok else ""
        families = text_string_to_metric_families(page)
        return [each for family in families for each in family.samples if each.name == name]

    async def _has_looked(self) -> bool:
        """Tell whether it has reconciled at its start; later, it might find what a test posts."""
        found = await self._samples("webhook_reconcile_last_success_timestamp_seconds")
        return all(sample.value > 0 for sample in found)

    async def _serves(self) -> bool:
        if self._process and self._process.returncode is not None:
            raise AssertionError(self._log.read_text(encoding="utf-8"))
        try:
            async with self._http.get(f"{self.url}/-/healthy") as response:
                return response.ok
        except aiohttp.ClientError:
            return False
