"""E29: a webhook that is killed around a command has it done once, or asks people; never twice."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from orchestrator.health import State
from tests.cases import sudden
from tests.cases.conftest import Begin
from tests.cases.mesh import Json, Peer
from tests.cases.rig import Alert, Case, down
from tests.e2e.situation import first_broken, start_again
from tests.waiting import until

pytestmark = pytest.mark.e2e

RESTART, HEAL = "restart_service", "command:heal"
SCRIPT = """
import os, sys, time, urllib.request
runs, hold, control = sys.argv[1:]
key = os.environ["ORCHESTRATOR_ACTION_KEY"]
with open(runs, "a") as file:
    file.write(key + "\\n")
while os.path.exists(hold):
    time.sleep(0.01)
asked = urllib.request.Request(control, b'{"action": "heal"}', {"Idempotency-Key": key})
urllib.request.urlopen(asked).read()
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A case whose webhook is to die, and what its command leaves behind."""

    case: Case
    folder: Path

    @property
    def runs(self) -> list[str]:
        """The key under which the command ran, once for each run."""
        ran = self.folder / "runs"
        return ran.read_text(encoding="utf-8").splitlines() if ran.exists() else []

    @property
    def hold(self) -> Path:
        """While it exists, the command comes to no end."""
        return self.folder / "hold"

    async def starts(self, *steps: str, repeatable: bool = False, dies: str = "") -> None:
        """Start the webhook again, with this playbook; it dies at the moment so named."""
        await self.case.webhook.kill()
        path = self.folder / "orchestrator.yml"
        config: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
        script = self.folder / "heal.py"
        script.write_text(SCRIPT, encoding="utf-8")
        control = config["projects"][0]["url"].replace(self.case.first.name, "{project}/control")
        argv = [sys.executable, str(script), str(self.folder / "runs"), str(self.hold), control]
        config["commands"] = {"heal": {"argv": argv, "repeatable": repeatable}}
        config["playbooks"] = {"ProjectDown": list(steps)}
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        await start_again(self.case, self.folder, *(("tests.cases.sudden", dies) if dies else ()))

    async def goes_down(self) -> Alert:
        """Let the first project go down."""
        self.case.first.state = State.DOWN
        alert = down(self.case.first.name)
        await self.case.fire(alert)
        return alert

    async def dies_and_is_back(self) -> None:
        """Wait until the webhook is dead, and start it as it should be."""
        process = self.case.webhook._process
        assert process
        async with asyncio.timeout(30):
            await process.wait()
        await start_again(self.case, self.folder)

    async def until_asked(self) -> None:
        """Wait until people are asked."""
        await self.case.until_states(self.case.first, ["escalated"])

    def actions(self) -> list[tuple[str, int, str]]:
        """Return what was tried, as it is stored: name, number of the attempt, state."""
        rows = self.case.webhook.rows("SELECT * FROM actions ORDER BY created_at")
        return [(row["name"], row["attempt"], row["state"]) for row in rows]

    def keys(self) -> list[str]:
        """Return the keys of what was tried."""
        return [row["key"] for row in self.case.webhook.rows("SELECT key FROM actions")]


@pytest.fixture
async def scene(begin: Begin, single: Peer, tmp_path: Path) -> Scene:
    """Begin a case on one Alertmanager."""
    return Scene(await begin([single]), tmp_path)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(sudden.INTENT, marks=pytest.mark.long),
        pytest.param(sudden.TAKEN, marks=pytest.mark.long),
        sudden.DONE,
    ],
)
async def test_e29_a_restart_is_done_once_whenever_the_webhook_is_killed(
    scene: Scene, moment: str
) -> None:
    case, project = scene.case, scene.case.first
    await scene.starts(RESTART, dies=moment)
    alert = await scene.goes_down()
    await scene.dies_and_is_back()
    await case.heal(project, alert)
    assert scene.actions() == [(RESTART, 1, "completed")]
    assert project.carried_out == {scene.keys()[0]: RESTART}
    assert first_broken(scene.folder) is None


@pytest.mark.long
@pytest.mark.parametrize("repeatable", [False, True])
async def test_e29_a_command_that_nobody_has_taken_up_is_run_once(
    scene: Scene, *, repeatable: bool
) -> None:
    await scene.starts(HEAL, repeatable=repeatable, dies=sudden.INTENT)
    alert = await scene.goes_down()
    await scene.dies_and_is_back()
    await scene.case.heal(scene.case.first, alert)
    assert (scene.actions(), scene.runs) == ([(HEAL, 1, "completed")], scene.keys())


@pytest.mark.long
@pytest.mark.parametrize(("moment", "ran"), [(sudden.TAKEN, 0), (sudden.DONE, 1)])
async def test_e29_a_command_that_may_have_run_is_not_run_again_and_people_are_asked(
    scene: Scene, moment: str, ran: int
) -> None:
    """The next step of the playbook is not taken either."""
    await scene.starts(HEAL, RESTART, dies=moment)
    await scene.goes_down()
    await scene.dies_and_is_back()
    await scene.until_asked()
    _asked_about_a_command(scene, ran)


@pytest.mark.long
async def test_e29_a_command_that_was_cut_off_is_not_run_again_and_people_are_asked(
    scene: Scene,
) -> None:
    await _cut_off(scene, repeatable=False)
    await scene.until_asked()
    _asked_about_a_command(scene, 1)


@pytest.mark.long
async def test_e29_a_command_that_may_be_repeated_is_run_again_where_it_is_still_needed(
    scene: Scene,
) -> None:
    alert = await _cut_off(scene, repeatable=True)
    await scene.case.heal(scene.case.first, alert)
    assert (scene.actions(), scene.runs) == ([(HEAL, 1, "completed")], scene.keys() * 2)


@pytest.mark.long
async def test_e29_a_command_that_may_be_repeated_is_not_where_it_has_helped(scene: Scene) -> None:
    await scene.starts(HEAL, repeatable=True, dies=sudden.DONE)
    alert = await scene.goes_down()
    await scene.dies_and_is_back()
    await scene.case.heal(scene.case.first, alert)
    assert (scene.actions(), scene.runs) == ([(HEAL, 1, "completed")], scene.keys())


async def _cut_off(scene: Scene, *, repeatable: bool) -> Alert:
    """Kill the webhook while its command runs, and start it again."""
    scene.hold.touch()
    await scene.starts(HEAL, RESTART, repeatable=repeatable)
    alert = await scene.goes_down()

    async def runs() -> bool:
        return bool(scene.runs)

    await until(runs, within=20, what="a run of the command")
    await scene.case.webhook.kill()
    scene.hold.unlink()
    await start_again(scene.case, scene.folder)
    return alert


def _asked_about_a_command(scene: Scene, ran: int) -> None:
    why = f"{HEAL} was cut off; whether it was done is not known"
    pages = scene.case.webhook.rows("SELECT kind, reason, ended_at FROM pages")
    assert [(row["kind"], row["reason"], row["ended_at"]) for row in pages] == [
        ("escalation", why, None)
    ]
    assert scene.actions() == [(HEAL, 1, "unknown")]
    assert scene.runs == scene.keys() * ran
    assert RESTART not in scene.case.first.actions
