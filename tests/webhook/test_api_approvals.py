"""People answer a running webhook: each question has one outcome, and each yes one command."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import product
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.questions import NAMES, Hook, Street, config, running
from webhook import app
from webhook.api.desk import DESK

HOSTILE = "<script>alert(1)</script> \N{RIGHT-TO-LEFT OVERRIDE}\x1b[2J 'OR 1=1 --"


Hooked = Callable[..., AbstractAsyncContextManager[Hook]]


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
async def hooked(
    street: Street, http: aiohttp.ClientSession, serve: Serve, free_port: FreePort, tmp_path: Path
) -> Hooked:
    """Run a webhook beside the street, each time on the same database."""
    url = await serve(street.app())

    def run(**changes: str) -> AbstractAsyncContextManager[Hook]:
        return running(config(url, **changes), tmp_path / "x.db", free_port, http)

    return run


async def _outcome(hook: Hook, number: int) -> tuple[object, ...]:
    """Return what the row, the audit and the stream say of one question."""
    [row] = await hook.rows("SELECT decision, decided_by FROM approvals WHERE id = ?", number)
    told = "SELECT count(*) FROM events WHERE name = 'ApprovalDecided' AND data LIKE ?"
    kept = "SELECT count(*) FROM audit WHERE what = 'approval decided' AND data LIKE ?"
    [(events,)] = await hook.rows(told, f'%"approval": {number},%')
    [(entries,)] = await hook.rows(kept, f'%"approval":{number},%')
    return *row, events, entries


async def test_what_is_allowed_is_done_once(hooked: Hooked, street: Street) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        status, said = await hook.decide(asked["id"], "approve", bound=asked["bound"])
        names = await hook.until_told("ActionExecuted", "p1")
        assert (status, said) == (
            200,
            asked
            | {
                "state": "approved",
                "decided_at": said["decided_at"],
                "decided_by": "local",
                "reason": "so",
            },
        )
        assert [name for name in names if name.startswith("A")] == [
            "ApprovalRequested",
            "ApprovalDecided",
            "ActionStarted",
            "ActionExecuted",
        ]
        assert await hook.get(f"/api/v1/approvals/{asked['id']}") == said
        assert await _outcome(hook, asked["id"]) == ("approved", "local", 1, 1)
    assert street.commands == [("p1", asked["key"])]


VERDICTS = ("approve", "reject")


async def test_of_two_clients_at_once_one_has_answered(hooked: Hooked, street: Street) -> None:
    async with hooked() as hook:
        asked = await hook.ask(*NAMES)
        pairs = list(product(VERDICTS, VERDICTS)) * (len(NAMES) // 4)
        said = await asyncio.gather(
            *(
                asyncio.gather(*(hook.decide(each["id"], verdict) for verdict in pair))
                for each, pair in zip(asked, pairs, strict=True)
            )
        )
        assert {tuple(sorted(status for status, _ in pair)) for pair in said} == {(200, 409)}
        won = [next(each["state"] for status, each in pair if status == 200) for pair in said]
        for each, decision in zip(asked, won, strict=True):
            assert await _outcome(hook, each["id"]) == (decision, "local", 1, 1)
        yes = {each["project"] for each, one in zip(asked, won, strict=True) if one == "approved"}
        for name in yes:
            await hook.until_told("ActionExecuted", name)
        for name in set(NAMES) - yes:
            await hook.until_told("ESCALATION_REQUIRED", name)
    keys = {(each["project"], each["key"]) for each in asked if each["project"] in yes}
    assert sorted(street.commands) == sorted(keys)


@pytest.mark.long
@pytest.mark.parametrize("_round", range(20))
async def test_of_two_clients_at_once_one_has_answered_in_many_rounds(
    _round: int, hooked: Hooked, street: Street
) -> None:
    await test_of_two_clients_at_once_one_has_answered(hooked, street)


async def test_twenty_who_say_yes_send_one_command(hooked: Hooked, street: Street) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        said = await asyncio.gather(*(hook.decide(asked["id"], "approve") for _ in range(20)))
        refused = [each["detail"] for status, each in said if status != 200]
        await hook.until_told("ActionExecuted", "p1")
    assert refused == [f"approval {asked['id']} was approved by local already"] * 19
    assert street.commands == [("p1", asked["key"])]


async def test_after_the_expiry_nobody_can_answer(hooked: Hooked, street: Street) -> None:
    async with hooked(within="500ms") as hook:
        [asked] = await hook.ask("p1")

        async def over() -> str | None:
            found = await hook.get(f"/api/v1/approvals/{asked['id']}")
            return None if found["state"] == "waiting" else str(found["state"])

        assert await until(over, within=5, what="the expiry") == "expired"
        status, said = await hook.decide(asked["id"], "approve")
        await hook.until_told("ESCALATION_REQUIRED", "p1")
        again, _ = await hook.decide(asked["id"], "approve")
        assert await _outcome(hook, asked["id"]) == ("expired", None, 0, 0)
    assert (status, again, " expired" in said["detail"]) == (409, 409, True)
    assert street.commands == []


async def test_after_the_end_of_the_alert_nobody_can_answer(hooked: Hooked, street: Street) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        await hook.alert("p1", ended=NOW + 8 * SECOND)
        status, _ = await hook.decide(asked["id"], "approve")
        await hook.until_told("ApprovalWithdrawn", "p1")
        assert await _outcome(hook, asked["id"]) == ("withdrawn", None, 0, 0)
    assert (status, street.commands) == (409, [])


async def test_after_a_change_of_the_configuration_nobody_can_answer(
    hooked: Hooked, street: Street
) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        current = hook.app[DESK].config
        assert isinstance(current, app.Current)
        current.take(replace(current(), guards=make.guarding(approval="always", attempts=1)))
        status, _ = await hook.decide(asked["id"], "approve")
        await hook.until_told("ApprovalWithdrawn", "p1")
        assert await _outcome(hook, asked["id"]) == ("withdrawn", None, 0, 0)
    assert (status, street.commands) == (409, [])


async def test_a_question_outlives_the_webhook_and_so_does_its_answer(
    hooked: Hooked, street: Street
) -> None:
    async with hooked() as hook:
        one, two = await hook.ask("p1", "p2")
        assert (await hook.decide(one["id"], "approve"))[0] == 200
    async with hooked() as hook:
        await hook.until_told("ActionExecuted", "p1")
        again, _ = await hook.decide(one["id"], "reject")
        status, _ = await hook.decide(two["id"], "approve", bound=two["bound"])
        await hook.until_told("ActionExecuted", "p2")
        for each in (one, two):
            assert await _outcome(hook, each["id"]) == ("approved", "local", 1, 1)
    assert (again, status) == (409, 200)
    assert sorted(street.commands) == [("p1", one["key"]), ("p2", two["key"])]


async def test_a_word_on_what_one_did_not_see_is_refused(hooked: Hooked) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        status, said = await hook.decide(asked["id"], "reject", bound="0" * 64)
        still = await hook.get(f"/api/v1/approvals/{asked['id']}")
    detail = f"approval {asked['id']} is not what you looked at; look again"
    assert (status, said["detail"], still["state"]) == (409, detail, "waiting")


async def test_what_was_never_asked_is_not_there(
    http: aiohttp.ClientSession, hooked: Hooked
) -> None:
    async with hooked() as hook:
        status, said = await hook.decide(9, "approve")
        async with http.get(f"{hook.url}/api/v1/approvals/9") as response:
            read = await response.json(content_type=None)
    assert (status, said["detail"]) == (404, "there is no approval 9")
    assert (response.status, read["detail"]) == (404, "there is no approval 9")


async def test_a_word_without_its_reason_is_refused_and_changes_nothing(
    http: aiohttp.ClientSession, hooked: Hooked
) -> None:
    mistaken = [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "so", "bound": "abc"}]
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        url = f"{hook.url}/api/v1/approvals/{asked['id']}/approve"
        for said in mistaken:
            async with http.post(url, json=said) as response:
                assert response.status == 400
        assert await _outcome(hook, asked["id"]) == (None, None, 0, 0)


async def test_a_reason_is_kept_as_it_was_given(hooked: Hooked) -> None:
    async with hooked() as hook:
        [asked] = await hook.ask("p1")
        _, said = await hook.decide(asked["id"], "reject", reason=HOSTILE)
        events = (await hook.get("/api/v1/events"))["events"]
    told = [each["data"] for each in events if each["name"] == "ApprovalDecided"]
    assert (said["reason"], told) == (
        HOSTILE,
        [
            {
                "approval": asked["id"],
                "action": "restart_service",
                "decision": "rejected",
                "by": "local",
                "reason": HOSTILE,
            }
        ],
    )


async def test_questions_are_listed_page_by_page_and_those_that_wait_by_themselves(
    hooked: Hooked,
) -> None:
    async with hooked() as hook:
        asked = await hook.ask("p1", "p2", "p3")
        numbers = sorted((each["id"] for each in asked), reverse=True)
        await hook.decide(numbers[1], "reject")
        first = await hook.get("/api/v1/approvals?state=all&limit=2")
        last = await hook.get(f"/api/v1/approvals?state=all&limit=2&before={first['next']}")
        waiting = await hook.get("/api/v1/approvals")
    shown = [[each["id"] for each in page["approvals"]] for page in (first, last, waiting)]
    assert shown == [numbers[:2], numbers[2:], [numbers[0], numbers[2]]]
    assert (first["next"], last["next"], waiting["next"]) == (numbers[1], None, None)
