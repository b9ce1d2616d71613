"""A Prometheus that knows two hours of 50 projects, and goes on to scrape them."""

import asyncio
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from orchestrator.errors import OrchestratorError
from tests.bench.process import Program, until

LENGTH: Final = timedelta(hours=2)  # the longest window, and as long a time before it
STEPS: Final = {"health": 1, "resources": 15}  # seconds between two scrapes, as we ship them
PERIOD: Final = 900.0  # seconds in which a figure goes up and down
SERIES: Final = re.compile(r'([a-z_]+)\{(.*\bproject="[^"]+".*)\} (\S+)')


def samples(page: str, job: str, instance: str, times: Sequence[int]) -> Iterator[str]:
    """Yield the lines of OpenMetrics of what a *page* of the exporter would have been.

    Figures swing a little. What is a whole number stays as it is: a state, or a count.
    """
    for found in filter(None, map(SERIES.fullmatch, page.splitlines())):
        name, labels, value = found[1], found[2].rstrip(","), float(found[3])
        series = f'{name}{{{labels},job="{job}",instance="{instance}"}}'
        swings = not value.is_integer()
        for at in times:
            swing = 1 + 0.02 * math.sin(at / PERIOD) if swings else 1.0
            yield f"{series} {value * swing:.6g} {at}\n"


async def remembered(
    session: aiohttp.ClientSession, exporter: str, promtool: Path, folder: Path, end: datetime
) -> None:
    """Write blocks of history into *folder*/data, of the series that *exporter* shows now."""
    last = int(end.timestamp())
    written = folder / "history.txt"
    with ExitStack() as opened:
        file = opened.enter_context(written.open("w", encoding="utf-8"))
        for part, step in STEPS.items():
            async with session.get(f"http://{exporter}/metrics?collect[]={part}") as response:
                page = await response.text()
            times = range(last - int(LENGTH.total_seconds()), last, step)
            file.writelines(samples(page, f"exporter-{part}", exporter, times))
        file.write("# EOF\n")
    made = await asyncio.create_subprocess_exec(
        *(promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet"),
        *(written, folder / "data"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await made.communicate()
    written.unlink()
    if made.returncode:
        said = complaint.decode(errors="replace").strip()
        raise OrchestratorError(f"promtool could not write the history: {said}")


def configured(rules: Path, folder: Path, exporter: str) -> Path:
    """Write what Prometheus needs: our jobs for the exporter, and our rules, which do not wait."""
    shipped: dict[str, Any] = yaml.safe_load((rules / "prometheus.yml").read_text("utf-8"))
    jobs = [job for job in shipped["scrape_configs"] if job["job_name"].startswith("exporter-")]
    for job in jobs:
        job["static_configs"] = [{"targets": [exporter]}]
    for name in shipped["rule_files"]:
        content = yaml.safe_load((rules / name).read_text("utf-8"))
        (folder / name).write_text(yaml.safe_dump(_impatient(content)), encoding="utf-8")
    path = folder / "prometheus.yml"
    written = {
        "global": shipped["global"],
        "rule_files": shipped["rule_files"],
        "scrape_configs": jobs,
    }
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    return path


def _impatient(content: dict[str, Any]) -> dict[str, Any]:
    for group in content["groups"]:
        group["interval"] = "5s"
        for rule in group["rules"]:
            rule.pop("for", None)
    return content


def command(prometheus: Path, folder: Path, port: int) -> list[str]:
    """Return how to start it on the history of *folder*."""
    return [
        str(prometheus),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]


async def firing(
    program: Program, session: aiohttp.ClientSession, url: str, alerts: Iterable[str], many: int
) -> None:
    """Wait until each of *alerts* fires for *many* projects; raise NotReady."""
    wanted = dict.fromkeys(alerts, many)
    query = {"query": 'count by (alertname) (ALERTS{alertstate="firing"})'}

    async def all_fire() -> bool:
        try:
            async with session.get(f"{url}/api/v1/query", params=query) as response:
                told = (await response.json())["data"]["result"]
        except (aiohttp.ClientError, ValueError, LookupError):
            return False
        found = {each["metric"]["alertname"]: int(each["value"][1]) for each in told}
        return all(found.get(name, 0) >= of for name, of in wanted.items())

    await until(program, all_fire)
