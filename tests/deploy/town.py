"""The services of docker-compose.yml as processes: the same commands, files and names, no engine.

Each container is a folder with what it mounts, and addresses of its own on loopback, which stand
for the names that it has in the networks. So all is as in the file but what only an engine does:
the networks' walls, the users, the read-only file systems and the limits.
"""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.demo.binaries import Binaries
from tests.deploy.compose import ROOT, RUNNING, SERVICES, Service, lay_out, names
from tests.waiting import until

NEEDS_GRAFANA = {"grafana"}  # of which there is no program here
WITHIN = 60  # seconds until all are healthy, on a busy machine
GRACE = 10  # seconds to end


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One service: its folder, which it takes for /, and the addresses that names stand for."""

    name: str
    service: Service
    root: Path
    own: str  # what 127.0.0.1 is to it
    known: Mapping[str, str]  # names in the networks -> addresses
    binaries: Binaries

    def written(self, text: str) -> str:
        """Return *text* with paths below the folder, and addresses instead of names."""
        text = re.sub(
            r"(?<![\w/.:-])/(etc|run|data|prometheus|alertmanager)\b", rf"{self.root}/\1", text
        )
        text = re.sub(r"\b(127\.0\.0\.1|0\.0\.0\.0)(?=:\d)", self.own, text)
        every = "|".join(map(re.escape, self.known))
        return re.sub(rf"(?<![\w.-])({every})(?=:\d)", lambda name: self.known[name[0]], text)

    def command(self, words: list[str]) -> list[str]:
        """Return a command of the file as it is run here."""
        programs = {
            "python": [sys.executable],
            "promtool": [str(self.binaries.promtool)],
            "amtool": [str(self.binaries.amtool)],
        }
        first, *rest = words
        return [*programs.get(first, [first]), *map(self.written, rest)]

    @property
    def main(self) -> list[str]:
        """Return the command that it runs, with the entrypoint of its image."""
        entrypoints = {
            "prom/prometheus": str(self.binaries.prometheus),
            "prom/alertmanager": str(self.binaries.alertmanager),
        }
        image = self.service["image"].partition(":")[0]
        words = list(self.service["command"])
        return self.command([entrypoints[image], *words] if image in entrypoints else words)

    @property
    def environment(self) -> dict[str, str]:
        """Return what its processes find in the environment."""
        said: Mapping[str, Any] = self.service.get("environment", {})
        python = {
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        }
        return {**python, **{name: self.written(str(value)) for name, value in said.items()}}

    def fill(self, made: Path) -> None:
        """Lay out everything that it mounts; *made* is the folder of the secrets."""
        lay_out(self.service, self.root, made)
        for path in (self.root / "etc").rglob("*.yml"):
            path.write_text(self.written(path.read_text(encoding="utf-8")), encoding="utf-8")

    async def healthy(self) -> bool:
        """Tell what its own health check says."""
        check = self.command(self.service["healthcheck"]["test"][1:])
        process = await asyncio.create_subprocess_exec(
            *check, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return await process.wait() == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """All containers, while they run."""

    containers: Mapping[str, Container]
    addresses: Mapping[str, str]
    secrets: Path

    def url(self, name: str, port: int) -> str:
        """Return where the one that goes by *name* is reached."""
        return f"http://{self.addresses[name]}:{port}"

    def secret(self, name: str) -> str:
        """Return a secret that was made for it."""
        return (self.secrets / name).read_text(encoding="utf-8").strip()

    async def well(self) -> None:
        """Wait until each is healthy by its own check."""
        for each in self.containers.values():
            await until(each.healthy, within=WITHIN, what=f"{each.name} healthy")


def addresses() -> dict[str, str]:
    """Return an address on loopback for each name in a network, and for each service's own."""
    block = 100 + os.getpid() % 100  # two checkouts are tested at once
    found: dict[str, str] = {}
    for place, service in enumerate(RUNNING, start=1):
        aliases = sorted(set[str]().union(*names(service).values()) - {service})
        for at, name in enumerate([service, *aliases], start=1):
            found[name] = f"127.{block}.{place}.{at}"
    return found


@contextlib.contextmanager
def standing(folder: Path, binaries: Binaries) -> Iterator[Town]:
    """Run everything for the length of the block; nothing that was started lives on."""
    made = folder / "secrets"
    made.mkdir()
    subprocess.run([sys.executable, "-m", "deploy.keys", str(made)], cwd=ROOT, check=True)  # noqa: S603  our own
    known = addresses()
    containers = {
        name: Container(
            name=name,
            service=SERVICES[name],
            root=folder / name,
            own=known[name],
            known=known,
            binaries=binaries,
        )
        for name in RUNNING.keys() - NEEDS_GRAFANA
    }
    with ExitStack() as stack:
        for each in containers.values():
            each.fill(made)
            stack.callback(_end, _start(each))
        yield Town(containers=containers, addresses=known, secrets=made)


def _start(container: Container) -> "subprocess.Popen[bytes]":
    with (container.root / "output").open("wb") as output:
        return subprocess.Popen(  # noqa: S603  the commands of our own file
            container.main,
            cwd=ROOT,
            env=container.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
