"""The story that the dashboards are tried with: everything that they show happens once.

It goes by events and not by seconds, so it is the same at any pace. Read `play` for what happens.
"""

import asyncio
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from orchestrator import clock
from orchestrator.demo.messages import evidence, reader
from orchestrator.demo.messages.asked import Asked
from orchestrator.demo.messages.mind import thinking
from tests.e2e.conftest import Json, Live, names_of
from tests.e2e.dashboards_newcomer import NAME as STEERED
from tests.e2e.dashboards_newcomer import Newcomer
from tests.e2e.dashboards_past import CLIENT
from tests.e2e.people import reconfigure
from tests.messages import Script, failing
from tests.waiting import until

HEALED: Final = "email-blast"
REFUSED: Final = "chatbot"
HOPELESS: Final = "social-media"
LAST: Final = (
    'analyzer_outcomes_total{result="rejected"} > 0',
    'ALERTS{alertname="ProjectErrorBudgetBurnFast", alertstate="firing"}',
    "webhook_reconcile_failures_total > 0",
    "sum(webhook_actions_failed_total offset 26s) > 1",  # the mark of an action is 20 s after it
)
DOLLARS: Final = 0.06  # of a day; six answers have cost as much
FILES: Final = 4  # that a program may open when it may open next to none


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part."""

    live: Live
    newcomer: Newcomer
    patience: float  # seconds that each turn may take
    apart: str  # how far apart Grafana looks for marks: what is newer than that has no before


async def play(cast: Cast) -> None:
    """Play the whole story; return when nothing more happens by itself.

    1. A client gets a name, and a project joins.
    2. At once: an outage and then a leak are healed on Claude's word, after Claude was overloaded;
       a full disk is restarted twice in vain, and people are asked; people refuse the rollback of a
       bad release; a log full of orders makes people decide about a leak, and nobody does.
       Meanwhile somebody posts nonsense to the webhook, and the exporter has no file left to open.
    3. Claude's money is spent, and beside that people configure a second Alertmanager that is
       none. The healed project breaks again, while they hold it back; when they let go, it is
       healed by rules.
    4. People silence what they know of, and work on the project that was healed.

    Last it is waited for what takes its time: the account of Claude's answers, a budget, a round
    of the Alertmanagers, marks.
    """
    await _a_project_joins(cast)
    await asyncio.gather(
        _an_outage_and_a_leak_are_healed(cast),
        _a_full_disk_is_handed_over(cast),
        _a_rollback_is_refused(cast),
        _orders_in_a_log_are_not_obeyed(cast),
        _nonsense_is_refused(cast),
        _the_exporter_has_no_files(cast),
    )
    await asyncio.gather(
        _the_money_is_spent_and_people_hold_a_project(cast), _people_silence_what_they_know(cast)
    )
    await _people_work_on_it(cast)
    for last in LAST:
        await shown(cast, last)


def opinion(asked: Asked) -> Mapping[str, Any]:
    """Return what Claude thinks: what the demo's reader does, but of the full disk.

    There it believes in a restart until two have failed.
    """
    seen = evidence.read(asked)
    said = reader.answer(seen)
    tried = list(evidence.texts(seen.about.get("tried")))
    if seen.about.get("project") != HOPELESS or len(tried) > 1:
        return said
    return {**said, "action": "restart_service", "target_ref": "alert_target", "confidence": 0.91}


def overloaded_at_first(script: Script) -> None:
    """Let Claude be overloaded once, and then think."""
    script.otherwise = thinking(opinion)
    script.then(failing(529, retry_after="0.1"))


async def _a_project_joins(cast: Cast) -> None:
    joins = cast.newcomer.joins()

    def edit(config: Json) -> None:
        for each in config["projects"]:
            if each["name"] in CLIENT:
                each["labels"] = {"client": CLIENT[each["name"]]}
        joins(config)

    await reconfigure(cast.live, edit)
    await shown(cast, f'project_up{{project="{STEERED}"}} == 1')


async def _an_outage_and_a_leak_are_healed(cast: Cast) -> None:
    for times, fault in enumerate(("process_killed", "memory_leak"), start=1):
        await cast.live.inject(HEALED, fault)
        await _happens(cast, HEALED, "PROBLEM_RESOLVED", times=times)


async def _a_full_disk_is_handed_over(cast: Cast) -> None:
    # Seen when Grafana looks: a new configuration of the exporter leaves a gap in it.
    version = f'project_info{{project="{HOPELESS}", version!=""}}'
    await shown(cast, f"max_over_time({version}[1h:{cast.apart}])")
    await cast.live.inject(HOPELESS, "disk_full")
    await _happens(cast, HOPELESS, "ESCALATION_REQUIRED")


async def _a_rollback_is_refused(cast: Cast) -> None:
    release = f'project_deployed_timestamp_seconds{{project="{REFUSED}"}}'
    await shown(cast, f"{release} offset {cast.apart}")
    await cast.live.inject(REFUSED, "error_burst")
    await _happens(cast, REFUSED, "ApprovalRequested")
    asked = (await cast.live.get("webhook", "/api/v1/approvals"))["approvals"]
    number = next(each["id"] for each in asked if each["project"] == REFUSED)
    await _say(cast, f"/api/v1/approvals/{number}/reject", {"reason": "the release is wanted"})
    await _happens(cast, REFUSED, "ESCALATION_REQUIRED")


async def _orders_in_a_log_are_not_obeyed(cast: Cast) -> None:
    cast.newcomer.leaks = True
    await _happens(cast, STEERED, "ApprovalRequested")


async def _nonsense_is_refused(cast: Cast) -> None:
    url = f"{cast.live.stack.url('webhook')}/alerts"
    async with cast.live.session.post(url, data=b"nonsense") as response:
        assert response.status == 400


async def _the_exporter_has_no_files(cast: Cast) -> None:
    """Let the exporter open nothing, until it has seen that it is at fault itself."""
    pid = await cast.live.pid("exporter")
    assert pid is not None

    async def has_seen() -> bool:
        with _no_files(pid):
            await shown(cast, 'up{job="exporter-resources"} == 0')
        await shown(cast, 'up{job="exporter-resources"} == 1')
        return await _is_shown(cast, "exporter_probes_void_total > 0")

    await until(has_seen, within=cast.patience, what="a turn that the exporter threw away")


@contextmanager
def _no_files(pid: int) -> Iterator[None]:
    was = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, was[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, was)


async def _the_money_is_spent_and_people_hold_a_project(cast: Cast) -> None:
    def spent(config: Json) -> None:
        config["analyzer"]["daily_budget_usd"] = DOLLARS
        config["alertmanagers"].append(cast.newcomer.url)

    await reconfigure(cast.live, spent)
    hold = {"kind": "hold", "project": HEALED, "reason": "a look first", "for": "1h"}
    held = await _say(cast, "/api/v1/restraints", hold)
    await cast.live.inject(HEALED, "process_killed")
    await _happens(cast, HEALED, "ActionWithheld")
    await shown(cast, 'webhook_guard_holding{guard="hold"} == 1')
    await _say(cast, f"/api/v1/restraints/{held['id']}/lift", {})
    await _happens(cast, HEALED, "PROBLEM_RESOLVED", times=3)


async def _people_silence_what_they_know(cast: Cast) -> None:
    now = clock.now()
    silence = {
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in {"alertname": "ProjectDown", "project": HOPELESS}.items()
        ],
        "startsAt": clock.written(now),
        "endsAt": clock.written(now + timedelta(hours=1)),
        "createdBy": "ann",
        "comment": "a larger disk is on its way",
    }
    url = f"{cast.live.stack.url('alertmanager')}/api/v2/silences"
    async with cast.live.session.post(url, json=silence) as response:
        response.raise_for_status()
    await shown(cast, 'webhook_reconcile_discrepancies_total{kind="silenced"} > 0')


async def _people_work_on_it(cast: Cast) -> None:
    work = {"kind": "maintenance", "project": HEALED, "reason": "a new disk", "for": "1h"}
    await _say(cast, "/api/v1/restraints", work)
    await shown(cast, f'orchestrator_project_maintenance{{project="{HEALED}"}} == 1')


async def _happens(cast: Cast, project: str, name: str, *, times: int = 1) -> None:
    """Wait until the webhook has told an event of a project so many times."""

    async def has() -> bool:
        return names_of(await cast.live.events(), project).count(name) >= times

    await until(has, within=cast.patience, what=f"{name} of {project}")


async def shown(cast: Cast, query: str) -> None:
    """Wait until Prometheus answers *query* with something."""
    await until(lambda: _is_shown(cast, query), within=cast.patience, what=query)


async def _is_shown(cast: Cast, query: str) -> bool:
    url, asked = f"{cast.live.stack.url('prometheus')}/api/v1/query", {"query": query}
    async with cast.live.session.get(url, params=asked) as response:
        return bool((await response.json())["data"]["result"])


async def _say(cast: Cast, path: str, body: Json) -> Json:
    async with cast.live.session.post(cast.live.stack.url("webhook") + path, json=body) as response:
        assert response.status < 300, await response.text()
        said: Json = await response.json()
    return said
