"""A webhook that is lost in the middle of its work goes on elsewhere, from its backup."""

import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from orchestrator.health import State
from tests.cases.conftest import Begin
from tests.cases.mesh import Peer
from tests.cases.rig import down
from tests.e2e.situation import start_again
from tests.terminal import ran
from webhook.action import State as ActionState
from webhook.incident import State as IncidentState
from webhook.store import reader, trail

pytestmark = pytest.mark.e2e


async def test_a_lost_webhook_goes_on_from_a_backup_made_while_it_worked(
    begin: Begin, single: Peer, tmp_path: Path
) -> None:
    case = await begin([single], projects=3)
    webhook, program = case.webhook, (sys.executable, "-m", "webhook")
    healed, broken, later = case.projects
    config, db, out = (tmp_path / name for name in ("orchestrator.yml", "orchestrator.db", "b.gz"))

    healed.state, first = State.DOWN, down(healed.name)
    await case.fire(first)
    await case.heal(healed, first)
    broken.state, second = State.DOWN, down(broken.name)
    await case.fire(second)
    await case.until_restarted(broken)  # its proof is not there yet
    kept = ("--db", str(db), "--config", str(config))
    made = await ran(*program, "backup", *kept, str(out))
    later.state, third = State.DOWN, down(later.name)  # of this the backup knows nothing
    await case.fire(third)
    await case.until_restarted(later)
    await webhook.kill()

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    new = ("--db", str(elsewhere / db.name), "--config", str(elsewhere / config.name))
    restored = await ran(*program, "restore", str(out), *new)
    assert (made.status, restored.status, restored.err) == (0, 0, "")
    assert yaml.safe_load((elsewhere / config.name).read_text()) == yaml.safe_load(
        config.read_text()
    )
    webhook._folder = elsewhere
    await start_again(case, elsewhere)
    await case.until_episodes(later, 1)  # taken up by reconciling
    for project, alert in ((broken, second), (later, third)):
        await case.end(alert)
        await case.until_states(project, ["resolved" if project is broken else "closed"])
    assert [len(each.carried_out) for each in case.projects] == [1, 1, 1]
    _all_is_legal(elsewhere / db.name)


def _all_is_legal(path: Path) -> None:
    with closing(reader.connect(path)) as db:
        verdict = trail.verified(db)
        states = {row["state"] for row in db.execute("SELECT state FROM incidents")}
        actions = {row["state"] for row in db.execute("SELECT state FROM actions")}
    assert (verdict.broken, len(verdict.restored)) == (None, 1)
    assert states <= {IncidentState.RESOLVED, IncidentState.CLOSED}
    assert actions <= {ActionState.COMPLETED, ActionState.CANCELLED, ActionState.UNKNOWN}
