"""Questions that end, and what people then let be healed, are counted once each."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook.make import NOW, SECOND
from tests.webhook.questions import Hook, Street, config, running
from webhook.api.desk import DESK
from webhook.approval import Decision

Hooked = Callable[..., AbstractAsyncContextManager[Hook]]


@pytest.fixture
async def hooked(
    http: aiohttp.ClientSession, serve: Serve, free_port: FreePort, tmp_path: Path
) -> Hooked:
    """Run a webhook beside a street of its own, in which every repair needs a word."""
    url = await serve(Street().app())

    def run(**changes: str) -> AbstractAsyncContextManager[Hook]:
        return running(config(url, **changes), tmp_path / "x.db", free_port, http)

    return run


def _told(hook: Hook, name: str, **labels: str) -> float:
    value = hook.app[DESK].instruments.registry.get_sample_value(name, labels)
    assert value is not None
    return value


def _answered(hook: Hook) -> dict[str, float]:
    name = "webhook_approvals_answered_total"
    found = {each.value: _told(hook, name, answer=each) for each in Decision}
    return {answer: many for answer, many in found.items() if many}


async def test_each_answer_is_counted_and_one_that_comes_too_late_is_not(hooked: Hooked) -> None:
    async with hooked() as hook:
        yes, no, late = await hook.ask("p1", "p2", "p3")
        await hook.decide(yes["id"], "approve")
        await hook.decide(yes["id"], "reject")
        await hook.decide(no["id"], "reject")
        await hook.alert("p3", ended=NOW + 8 * SECOND)
        await hook.until_told("ApprovalWithdrawn", "p3")
        await hook.decide(late["id"], "approve")
        await hook.until_told("ESCALATION_REQUIRED", "p2")
        await hook.until_told("ActionExecuted", "p1")

        async def counted() -> bool:
            return _answered(hook) == {"approved": 1, "rejected": 1, "withdrawn": 1}

        assert await until(counted, within=5, what="three answers")


async def test_a_question_that_nobody_has_answered_is_counted_as_expired(hooked: Hooked) -> None:
    async with hooked(within="500ms") as hook:
        await hook.ask("p1")
        await hook.until_told("ESCALATION_REQUIRED", "p1")

        async def counted() -> bool:
            return _answered(hook) == {"expired": 1}

        assert await until(counted, within=5, what="the expiry")


async def test_a_yes_that_comes_to_nothing_is_one_answer_and_not_two(hooked: Hooked) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        hold = {"kind": "hold", "project": "p1", "for": "1h", "reason": "so"}
        async with hook.http.post(f"{hook.url}/api/v1/restraints", json=hold) as response:
            assert response.status == 201
        await hook.decide(asked["id"], "approve")
        await hook.until_told("ActionWithheld", "p1")
        await hook.alert("p1", ended=NOW + 8 * SECOND)
        await hook.until_told("ApprovalWithdrawn", "p1")
        [other] = await hook.ask("p2")  # by then the first has been told of
        await hook.decide(other["id"], "reject")
        assert _answered(hook) == {"approved": 1, "rejected": 1}


async def test_what_is_healed_after_a_yes_is_the_recovery_of_an_outage(hooked: Hooked) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        await hook.decide(asked["id"], "approve")
        await hook.until_told("ActionExecuted", "p1")
        await hook.alert("p1", ended=NOW + 8 * SECOND)
        await hook.until_told("PROBLEM_RESOLVED", "p1")
        name = "webhook_recovery_seconds_count"

        async def counted() -> bool:
            return _told(hook, name, trouble="outage") == 1

        assert await until(counted, within=5, what="the recovery")
        assert _told(hook, name, trouble="other") == 0
