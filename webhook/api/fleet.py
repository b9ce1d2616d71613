"""The fleet: one look at all of it, for `orchestrator status` and the console."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Literal

from orchestrator.config import Config
from orchestrator.version import VERSION
from webhook import budget, prometheus
from webhook.api.desk import Desk
from webhook.api.operation import Answer, Call, Table
from webhook.api.restraints import RestraintShown, shown
from webhook.api.system import STALLED_AFTER, behind_with
from webhook.approval import Approval
from webhook.incident import State
from webhook.restraint import Kind
from webhook.store import fleet, rows
from webhook.store.fleet import Glance, Standing
from webhook.token import READERS

table = Table("fleet")

UNKNOWN = "unknown"
DOWN = "down"
NAMED = 5  # projects of a sentence


class StageShown(Answer):
    """A stage, and how long ago it went round."""

    name: str
    age_seconds: float
    stalled: bool


class WebhookShown(Answer):
    """How the webhook itself is."""

    version: str
    dry_run: bool
    behind: str  # what does not go on as it should; empty when all does
    stages: list[StageShown]
    config_read: bool  # the newest orchestrator.yml is in force; false: it was refused
    queue: int  # incidents that are due and that nobody has taken up
    queue_seconds: float  # how long the first of them has waited
    watchdog_seconds: float | None  # since the alert that always fires came; none: it has not yet


class PrometheusShown(Answer):
    """Whom the states of the projects are from."""

    url: str
    answers: bool


class BudgetShown(Answer):
    """What is spent of one action on one project."""

    project: str
    action: str
    made: int
    left: int
    window_seconds: float
    breaker_open: bool


class ProjectShown(Answer):
    """A project of orchestrator.yml."""

    name: str
    mode: Literal["observe", "act"]
    state: str  # as Prometheus has it: healthy, degraded, paused, down; or unknown
    incident: int | None


class OpenIncident(Answer):
    """An incident that goes on."""

    id: int
    project: str
    state: str
    alerts: list[str]
    opened_at: str | None
    since: str | None
    due_at: str | None  # when it is looked at next
    held: str | None
    held_by: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None


class WaitingApproval(Answer):
    """A question that nobody has answered."""

    id: int
    project: str
    incident: int
    question: str
    expires_at: str | None


class Fleet(Answer):
    """All of it."""

    at: str | None
    needs: list[str]  # what people have to see to; empty when all is well
    webhook: WebhookShown
    prometheus: PrometheusShown
    projects: list[ProjectShown]
    incidents: list[OpenIncident]  # those that people were asked about first; 200 at most
    open: dict[str, int]  # how many there are, by state
    approvals: list[WaitingApproval]
    restraints: list[RestraintShown]
    budgets: list[BudgetShown]


@table.get("/api/v1/fleet", roles=READERS, answer=Fleet)
async def show_fleet(call: Call) -> Answer:
    """Return how the whole fleet and the webhook are.

    Every project with its state, the open incidents, what waits for people, and what they have
    said. The states are Prometheus'; all are `unknown` while it does not answer.
    """
    desk, config, now = call.desk, call.desk.config(), call.desk.now()
    seen = await desk.read(fleet.glance, now=now, window=desk.instruments.window)
    states = await prometheus.states(desk.session, config.prometheus)
    down = DOWN in (states or {}).values()
    newly = await prometheus.newly_down(desk.session, config.prometheus) if down else frozenset()
    own, projects = _webhook(desk, seen, now), _projects(config, seen, states or {})
    return Fleet(
        at=rows.text(now),
        needs=[
            *_needs_webhook(own, seen),
            *_needs_fleet(
                [each for each in projects if each.name not in newly],
                answers=states is not None,
                at_work=_at_work(seen, now),
            ),
            *_needs_incidents(seen),
        ],
        webhook=own,
        prometheus=PrometheusShown(url=config.prometheus, answers=states is not None),
        projects=projects,
        incidents=[_incident(each) for each in seen.incidents],
        open=dict(seen.open),
        approvals=[_approval(each) for each in seen.approvals],
        restraints=[shown(each, now) for each in seen.restraints],
        budgets=_budgets(config, seen, now),
    )


def _webhook(desk: Desk, seen: Glance, now: datetime) -> WebhookShown:
    value = desk.instruments.registry.get_sample_value
    return WebhookShown(
        version=VERSION,
        dry_run=desk.config().dry_run,
        behind=behind_with(desk),
        stages=_stages(desk, now),
        config_read=value("webhook_config_last_reload_successful") != 0,
        queue=seen.queue.many,
        queue_seconds=seen.queue.age(now).total_seconds(),
        watchdog_seconds=_since(value("webhook_last_watchdog_timestamp_seconds"), now),
    )


def _since(stamp: float | None, now: datetime) -> float | None:
    return max(round(now.timestamp() - stamp, 1), 0.0) if stamp else None


def _stages(desk: Desk, now: datetime) -> list[StageShown]:
    [family] = desk.instruments.heartbeat.collect()
    ages = {each.labels["stage"]: now.timestamp() - each.value for each in family.samples}
    return [
        StageShown(name=name, age_seconds=max(round(age, 1), 0.0), stalled=age > STALLED_AFTER)
        for name, age in sorted(ages.items())
    ]


def _needs_webhook(own: WebhookShown, seen: Glance) -> Iterator[str]:
    if own.behind:
        yield f"the webhook: {own.behind}"
    if not own.config_read:
        yield "the newest orchestrator.yml was refused; the one before is in force"
    yield from seen.pages


def _at_work(seen: Glance, now: datetime) -> Callable[[str], bool]:
    """Return what tells whether a project is under maintenance: then it has no alerts either."""
    kept = [each for each in seen.restraints if each.kind is Kind.MAINTENANCE]
    return lambda name: any(each.binds(name, at=now) for each in kept)


def _needs_fleet(
    projects: Iterable[ProjectShown], *, answers: bool, at_work: Callable[[str], bool]
) -> Iterator[str]:
    if not answers:
        yield "Prometheus does not answer: nothing but what is surely down is repaired"
        return
    if unseen := [each.name for each in projects if each.state == UNKNOWN]:
        yield f"Prometheus does not know {_named(unseen)}: nobody sees when it is down"
    for each in projects:
        if each.state == DOWN and each.incident is None and not at_work(each.name):
            yield f"{each.name} is down, and it has no incident: nothing is done about it"


def _named(names: list[str]) -> str:
    beyond = len(names) - NAMED
    return ", ".join([*names[:NAMED], *([f"{beyond} more"] if beyond > 0 else [])])


def _needs_incidents(seen: Glance) -> Iterator[str]:
    escalated = [each for each in seen.incidents if each.incident.state is State.ESCALATED]
    for each in escalated:
        by = f", taken by {each.acknowledged_by}" if each.acknowledged_by else ""
        yield f"incident {each.incident.id} of {each.incident.project} is escalated{by}"
    beyond = seen.open.get(State.ESCALATED, 0) - len(escalated)
    if beyond > 0:
        yield f"{beyond} more incidents are escalated"
    for asked in seen.approvals:
        yield f"approval {asked.id} waits: {asked.question}"


def _projects(config: Config, seen: Glance, states: dict[str, str]) -> list[ProjectShown]:
    return [
        ProjectShown(
            name=name,
            mode=project.mode.value,
            state=states.get(name, UNKNOWN),
            incident=seen.of_projects.get(name),
        )
        for name, project in config.projects.items()
    ]


def _incident(of: Standing) -> OpenIncident:
    known = of.incident
    return OpenIncident(
        id=known.id,
        project=known.project,
        state=known.state,
        alerts=list(of.alerts),
        opened_at=rows.text(known.opened_at),
        since=rows.text(known.since),
        due_at=rows.text(known.due_at),
        held=known.held,
        held_by=known.held_by,
        acknowledged_at=of.acknowledged_at,
        acknowledged_by=of.acknowledged_by,
    )


def _approval(of: Approval) -> WaitingApproval:
    return WaitingApproval(
        id=of.id,
        project=of.project,
        incident=of.incident,
        question=of.question,
        expires_at=rows.text(of.expires_at),
    )


def _budgets(config: Config, seen: Glance, now: datetime) -> list[BudgetShown]:
    found: Iterable[budget.Budget] = budget.spent(config, seen.attempts, now=now)
    return [
        BudgetShown(
            project=each.project,
            action=each.action,
            made=each.made,
            left=each.left,
            window_seconds=each.window.total_seconds(),
            breaker_open=each.tripped,
        )
        for each in found
    ]
