"""Prometheus as a witness: what it says of one alert about one project, right now."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp

from orchestrator import duration
from webhook.verification import Standing

ANSWER_WITHIN = aiohttp.ClientTimeout(total=5)
SETTLE = timedelta(seconds=5)  # for a rule without the annotation `settle`

NO_ANSWER = (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time that is looked back on, and how closely."""

    begin: datetime
    end: datetime
    step: timedelta


async def standing(
    session: aiohttp.ClientSession, url: str, alertname: str, project: str
) -> Standing | None:
    """Ask the rule itself, then evaluate its expression anew; None when there is no clear answer.

    The rule's own text is asked, never that of the alert: anybody may post alerts.
    """
    try:
        rules = await _rules(session, url, alertname)
        holds = [await _holds(session, url, rule["query"], project) for rule in rules]
        return Standing(
            firing=any(_fires(rule, project) for rule in rules),
            holds=any(holds),
            settle=max(map(_settle, rules), default=SETTLE),
            known=bool(rules),
        )
    except NO_ANSWER as error:
        logger.warning("prometheus gave no answer", extra={"url": url, "error": repr(error)})
        return None


async def deployed_ago(session: aiohttp.ClientSession, url: str, project: str) -> timedelta | None:
    """Return how long ago *project* was deployed, by Prometheus' clock; None when nobody knows."""
    query = f'time() - max(project_deployed_timestamp_seconds{{project="{project}"}})'
    try:
        ago = await _value(session, url, query)
        return None if ago is None else timedelta(seconds=max(ago, 0.0))
    except (*NO_ANSWER, OverflowError) as error:
        logger.warning("prometheus gave no answer", extra={"url": url, "error": repr(error)})
        return None


async def read_within(
    session: aiohttp.ClientSession, url: str, project: str, length: timedelta
) -> bool | None:
    """Tell whether the exporter read figures of *project* within the last *length*.

    True also where it reads none at all: then no alert is about them. That is only to be told by a
    Prometheus that knows the project; one that comes back empty knows nothing. None without an
    answer.
    """
    series = f'project_reads_total{{project="{project}"}}'
    seconds = max(round(length.total_seconds()), 1)
    try:
        rose = await _value(session, url, f"sum(increase({series}[{seconds}s]))")
        if rose is None:  # one sample is no increase; is there any?
            return not await _ever(session, url, series) and await _ever(
                session, url, f'project_up{{project="{project}"}}'
            )
    except NO_ANSWER as error:
        logger.warning("prometheus gave no answer", extra={"url": url, "error": repr(error)})
        return None
    return rose > 0


# Whether it is down is scraped every second, its state less often: what is newer counts.
STATES: Final = """\
max by (project, state) (project_state{state!="down"}) == 1
unless on (project) max by (project) (project_up) == 0
or on (project) label_replace(max by (project) (project_up) == 0, "state", "down", "", "")
or on (project) label_replace(max by (project) (project_up) == 1, "state", "healthy", "", "")
or on (project) max by (project, state) (project_state) == 1
"""


async def states(session: aiohttp.ClientSession, url: str) -> dict[str, str] | None:
    """Return the state of each project that the exporter knows of; None without an answer."""
    try:
        found = await _data(session, f"{url}/api/v1/query", {"query": STATES})
        named = [series["metric"] for series in found["result"]]
        return {str(each["project"]): str(each["state"]) for each in named}
    except NO_ANSWER as error:
        logger.warning("prometheus gave no answer", extra={"url": url, "error": repr(error)})
        return None


# Between its first bad scrape and its incident a project is down, and nothing is amiss yet.
NEWLY: Final = """\
max by (project) (project_up) == 0
and on (project) (
  max by (project) (max_over_time(project_up[30s])) > 0
  or on (project) max by (project) (project_up) unless on (project) project_up offset 30s
)
"""


async def newly_down(session: aiohttp.ClientSession, url: str) -> frozenset[str]:
    """Return the projects that are down for less than half a minute; none without an answer."""
    try:
        found = await _data(session, f"{url}/api/v1/query", {"query": NEWLY})
        return frozenset(str(series["metric"]["project"]) for series in found["result"])
    except NO_ANSWER as error:
        logger.warning("prometheus gave no answer", extra={"url": url, "error": repr(error)})
        return frozenset()


async def over_time(
    session: aiohttp.ClientSession, url: str, query: str, *, over: Stretch
) -> tuple[tuple[float, float], ...]:
    """Return the points of the first series of *query*, oldest first: seconds since 1970, value.

    Raises one of NO_ANSWER when there is no clear answer.
    """
    asked = {
        "query": query,
        "start": str(over.begin.timestamp()),
        "end": str(over.end.timestamp()),
        "step": str(over.step.total_seconds()),
    }
    found = (await _data(session, f"{url}/api/v1/query_range", asked))["result"]
    points = found[0]["values"] if found else ()
    return tuple((float(at), float(value)) for at, value in points)


async def _ever(session: aiohttp.ClientSession, url: str, series: str) -> bool:
    """Tell whether there was a sample within a day."""
    return await _value(session, url, f"count(last_over_time({series}[1d]))") is not None


async def _value(session: aiohttp.ClientSession, url: str, query: str) -> float | None:
    found = (await _data(session, f"{url}/api/v1/query", {"query": query}))["result"]
    return float(found[0]["value"][1]) if found else None


async def _rules(session: aiohttp.ClientSession, url: str, alertname: str) -> list[dict[str, Any]]:
    found = await _data(session, f"{url}/api/v1/rules", {"type": "alert"})
    return [
        rule for group in found["groups"] for rule in group["rules"] if rule["name"] == alertname
    ]


async def _holds(session: aiohttp.ClientSession, url: str, query: str, project: str) -> bool:
    found = await _data(session, f"{url}/api/v1/query", {"query": query})
    return any(series["metric"].get("project") == project for series in found["result"])


async def _data(session: aiohttp.ClientSession, url: str, query: dict[str, str]) -> dict[str, Any]:
    async with session.get(url, params=query, timeout=ANSWER_WITHIN) as response:
        response.raise_for_status()
        data: dict[str, Any] = (await response.json())["data"]
        return data


def _fires(rule: dict[str, Any], project: str) -> bool:
    return any(
        alert["state"] == "firing" and alert["labels"].get("project") == project
        for alert in rule["alerts"]
    )


def _settle(rule: dict[str, Any]) -> timedelta:
    text = rule.get("annotations", {}).get("settle")
    return SETTLE if text is None else duration.parse(text)
