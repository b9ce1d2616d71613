"""The doctor in a stack of real programs: it finds nothing, until something is taken away."""

import pytest

from tests.e2e.conftest import Live, Start
from tests.terminal import Ran, orchestrator
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long]


async def _visit(live: Live) -> Ran:
    folder = live.stack.folder
    return await orchestrator(
        "doctor",
        "--json",
        *("--config", str(folder / "orchestrator.yml")),
        *("--db", str(folder / "orchestrator.db")),
        at=live.stack.url("webhook"),
    )


def _failing(ran: Ran) -> list[tuple[str, str]]:
    found = ran.json["findings"]
    return [(each["about"], each["said"]) for each in found if each["mark"] == "FAIL"]


async def test_a_stack_that_is_up_is_well_and_a_project_that_falls_is_named(start: Start) -> None:
    async with start() as live:

        async def well() -> bool:
            ran = await _visit(live)
            return (ran.status, _failing(ran)) == (0, [])

        await until(well, within=60, what="a doctor without findings")
        await live.inject("chatbot", "hang")
        [(about, said)] = [
            each for each in _failing(await _visit(live)) if "it does not answer in time" in each[1]
        ]
        assert (about, said.split()[0]) == ("project", "chatbot")
