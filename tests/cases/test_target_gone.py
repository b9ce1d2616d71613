"""E15: a target that is taken out while it is down is closed as removed, and comes back so."""

import json
import os
import signal
from pathlib import Path

import pytest
import yaml

from orchestrator.health import State
from orchestrator.project import Mode
from tests.cases.conftest import Begin
from tests.cases.lookout import (
    how_closed,
    until_ended,
    until_held,
    until_told,
)
from tests.cases.mesh import Json, Peer
from tests.cases.rig import Case, down
from tests.e2e.conftest import Live, Start, ports, start
from tests.e2e.people import reconfigure
from tests.waiting import until

__all__ = ["ports", "start"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.long]

FIRES, ENDED = "chatbot", "social-media"
REMOVED = "removed from orchestrator.yml"
LOOKS_BACK = "[2m]"  # of ProjectDown, for an exporter that dies


async def test_e15_a_target_that_is_taken_out_while_it_is_down_is_closed_and_comes_back(
    start: Start,
) -> None:
    """One comes back while its alert fires, and is repaired; the other after "resolved" came."""
    async with start(mode=Mode.OBSERVE) as live:
        entry = await _goes_down_and_out(live, FIRES)
        assert how_closed(live, FIRES) == [REMOVED]
        await _put_back(live, {**entry, "mode": "act"})
        await until_told(live, FIRES, "PROBLEM_RESOLVED")
        commands = [(each["project"], each["action"]) for each in await live.commands()]
        assert commands == [(FIRES, "restart_service")]

        await _looks_back_less(live)
        entry = await _goes_down_and_out(live, ENDED)
        await until_ended(live, ENDED, 1)
        assert how_closed(live, ENDED) == [REMOVED]
        await _put_back(live, entry)
        await until_held(live, ENDED, "mode: observe; would restart_service")
        await live.mend(ENDED, "process_killed")
        await until_told(live, ENDED, "IncidentClosed", times=2)
        assert how_closed(live, ENDED) == [REMOVED, "recovered by itself"]


async def test_e15_a_target_that_is_taken_out_after_its_alert_has_ended_is_closed_as_removed(
    begin: Begin, single: Peer, tmp_path: Path
) -> None:
    """As when the exporter is reloaded first: "resolved" is not believed, and then it is gone."""
    case = await begin([single])
    path, project = tmp_path / "orchestrator.yml", case.first
    config: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["defaults"]["mode"] = "observe"
    await _goes_by(case, path, config)
    project.state, alert = State.DOWN, down(project.name)
    await case.fire(alert)
    await _until_rows(case, "SELECT id FROM incidents WHERE held_by = 'observe'")
    await case.end(alert)
    doubt = f"the alert has ended, and {project.name} does not answer"
    await _until_rows(case, "SELECT id FROM incidents WHERE held = ?", doubt)
    await _goes_by(case, path, {**config, "projects": config["projects"][1:]})
    await case.until_states(project, ["closed"])
    [told] = case.webhook.rows("SELECT data FROM events WHERE name = 'IncidentClosed'")
    assert json.loads(told["data"])["how"] == REMOVED
    await _goes_by(case, path, {**config, "defaults": {"mode": "act"}})
    again = down(project.name)
    await case.fire(again)
    await case.heal(project, again)
    assert project.actions == ["restart_service"]


async def _goes_by(case: Case, path: Path, config: Json) -> None:
    """Change the configuration, and wait until the webhook goes by it."""
    before = await _taken(case)
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(config), encoding="utf-8")
    fresh.replace(path)

    async def taken() -> bool:
        return await _taken(case) > before

    await until(taken, within=10, what="the new configuration")


async def _taken(case: Case) -> float:
    [found] = await case.webhook._samples("webhook_config_last_reload_success_timestamp_seconds")
    return float(found.value)


async def _until_rows(case: Case, query: str, *values: str) -> None:
    async def there() -> bool:
        return bool(case.webhook.rows(query, *values))

    await until(there, within=20, what=query)


async def _goes_down_and_out(live: Live, project: str) -> Json:
    """Let it go down, then take it out for exporter and webhook; return its entry."""
    await live.inject(project, "process_killed")
    await until_held(live, project, "mode: observe; would restart_service")
    taken: list[Json] = []

    def without(config: Json) -> None:
        taken.extend(each for each in config["projects"] if each["name"] == project)
        config["projects"] = [each for each in config["projects"] if each["name"] != project]

    await reconfigure(live, without)
    await _until_exported(live, project, there=False)
    await until_told(live, project, "IncidentClosed")
    return taken[0]


async def _put_back(live: Live, entry: Json) -> None:
    await reconfigure(live, lambda config: config["projects"].append(entry))
    await _until_exported(live, entry["name"], there=True)


async def _until_exported(live: Live, project: str, *, there: bool) -> None:
    """Wait until the exporter shows it, or does not any more."""

    async def exported() -> bool:
        async with live.session.get(f"{live.stack.url('exporter')}/metrics") as response:
            page = await response.text()
        return (f'project_up{{project="{project}"' in page) is there

    await until(exported, within=10, what=f"{project} at the exporter: {there}")


async def _looks_back_less(live: Live) -> None:
    """Let ProjectDown end soon after its target has gone: it takes two minutes as it is shipped."""
    path = live.stack.folder / "availability.yml"
    rules = path.read_text(encoding="utf-8")
    assert LOOKS_BACK in rules
    path.write_text(rules.replace(LOOKS_BACK, "[3s]"), encoding="utf-8")
    pid = await live.pid("prometheus")
    assert pid
    os.kill(pid, signal.SIGHUP)

    async def taken() -> bool:
        groups = (await live.get("prometheus", "/api/v1/rules?type=alert"))["data"]["groups"]
        found = [each["query"] for group in groups for each in group["rules"]]
        return any("project_up[3s]" in query for query in found)

    await until(taken, within=10, what="the shorter rule")
