"""Approvals: the questions to people, and their answers."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from orchestrator import clock
from webhook import asking
from webhook.api.operation import Answer, Body, Call, Older, Reason, Table
from webhook.api.pages import HTML, address, older, render
from webhook.approval import Decision, Word
from webhook.case import Case
from webhook.problem import Problem
from webhook.store import approvals, decision, work
from webhook.token import OPERATORS, READERS

SHOWN = 10  # attempts on a page

table = Table("approvals")


class Approval(Answer):
    """A question to people about one action, and what came of it."""

    id: int
    incident: int
    project: str
    action: str
    key: str  # of the action, as it travels with the command
    attempt: int
    alertname: str
    question: str
    bound: str  # the hash of what it is about; who says yes sends it along
    asked_at: str
    expires_at: str
    state: Literal["waiting", "approved", "rejected", "expired", "withdrawn"]
    decided_at: str | None
    decided_by: str | None
    reason: str | None


class Approvals(Answer):
    """A page; `next` is the `before` of the next one, and null on the last."""

    approvals: list[Approval]
    next: int | None


class Asked(Older):
    """Which questions."""

    state: Annotated[
        Literal["waiting", "all"], Field(description="those that nobody has answered, or all")
    ] = "waiting"


class Verdict(Body):
    """What a person has to say beside yes or no."""

    reason: Reason
    bound: Annotated[
        str | None,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="the `bound` of the question as the caller saw it; another one is refused",
        ),
    ] = None


@table.get("/api/v1/approvals", roles=READERS, query=Asked, answer=Approvals)
async def list_approvals(call: Call) -> Approvals:
    """Return the questions to people, newest first."""
    return await _listed(call)


async def _listed(call: Call) -> Approvals:
    asked = call.asked(Asked)
    found = await call.desk.read(
        approvals.listed,
        waiting=asked.state == "waiting",
        before=asked.before,
        limit=asked.limit + 1,  # whether there are older ones
        now=call.desk.now(),
    )
    listed = [Approval.model_validate(each) for each in found]
    some = listed[: asked.limit]
    return Approvals(approvals=some, next=some[-1].id if len(listed) > len(some) else None)


@table.get("/api/v1/approvals/{id}", roles=READERS, answer=Approval)
async def get_approval(call: Call) -> Approval:
    """Return one question."""
    return await _found(call)


@table.post(
    "/api/v1/approvals/{id}/approve",
    roles=OPERATORS,
    body=Verdict,
    answer=Approval,
    refuses=(HTTPStatus.CONFLICT,),
)
async def approve(call: Call) -> Approval:
    """Allow the action that is asked about.

    Refused with 409, and nothing is done, when somebody was faster, the question has expired, or
    what it is about is not so any more: its alert has ended, a worse one fires, or the project or
    its configuration is another. All is looked at once more before the command goes out.
    """
    return await _decide(call, Decision.APPROVED)


@table.post(
    "/api/v1/approvals/{id}/reject",
    roles=OPERATORS,
    body=Verdict,
    answer=Approval,
    refuses=(HTTPStatus.CONFLICT,),
)
async def reject(call: Call) -> Approval:
    """Forbid the action that is asked about; people are asked to repair the project instead."""
    return await _decide(call, Decision.REJECTED)


async def _decide(call: Call, said: Decision) -> Approval:
    desk, verdict = call.desk, call.said(Verdict)
    word = Word(decision=said, by=call.caller.name, reason=verdict.reason, bound=verdict.bound)

    def moot(case: Case) -> str | None:
        return asking.moot(case, desk.config())  # the one in force by then

    refused = await desk.store(decision.decide, call.number(), word, moot=moot, at=desk.now())
    desk.news()  # of a refused one, too: it may have to be withdrawn
    if refused is not None:
        status = HTTPStatus.NOT_FOUND if refused.unknown else HTTPStatus.CONFLICT
        raise Problem(status, refused.reason)
    desk.instruments.answered(said)
    return await _found(call)


async def _found(call: Call) -> Approval:
    found = await call.desk.read(approvals.shown, call.number(), now=call.desk.now())
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no approval {call.number()}")
    return Approval.model_validate(found)


@table.get("/approvals", roles=READERS, query=Asked, produces=HTML)
async def show_approvals(call: Call) -> web.Response:
    """Return a page that lists the questions to people, newest first."""
    asked, found = call.asked(Asked), await _listed(call)
    return render(
        call,
        "approvals.html",
        asked=asked,
        found=found,
        views={state: address("/approvals", state=state) for state in ("waiting", "all")},
        older=older(call, asked, found.next),
    )


@table.get("/approvals/{id}", roles=READERS, produces=HTML)
async def show_approval(call: Call) -> web.Response:
    """Return a page that shows one question, and how to answer it."""
    asked = await _found(call)
    case = await call.desk.read(work.look, asked.incident)
    return render(
        call,
        "approval.html",
        asked=asked,
        left=max(clock.read(asked.expires_at) - call.desk.now(), timedelta(0)),
        episodes=case.episodes if case else (),
        attempts=case.attempts[-SHOWN:] if case else (),
    )
