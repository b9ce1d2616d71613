"""People: what they are asked and told, how they answer, and how long questions wait."""

from dashboards import alarm, links
from dashboards.events import count, events
from dashboards.layout import Section, band
from dashboards.look import About, Look
from dashboards.panels import Panel, query, timeseries


def people() -> Section:
    """Return what goes to them, and what comes back."""
    return Section(
        id=120,
        title="What people are asked and told, of all projects",
        is_folded=True,
        bands=(band(9, (8, _answers()), (8, _age()), (8, _told())),),
    )


def _answers() -> Panel:
    about = About(
        id=18,
        title="How questions ended",
        unit="short",
        shows="How many questions got a yes or a no, expired, or were withdrawn as their trouble"
        " was over: each bar is a minute or more.",
        good="Mostly `approved`: then it asks for what is right.",
        act="Much `expired`: nobody looks. Much `rejected`: let it ask for less.",
        empty="no question ended",
        runbook="ApprovalRequired",
    )
    return events(about, [count("webhook_approvals_answered_total", "answer", "{{answer}}")])


def _age() -> Panel:
    about = About(
        id=19,
        title="Age of the oldest question",
        unit="s",
        shows="For how long the oldest question had waited, at each time.",
        good="Below the line, from which on people are told once more.",
        act="Answer sooner, or let what is asked each time be done without a question.",
        empty="the webhook does not answer",
        runbook="WebhookApprovalWaiting",
    )
    look = Look(
        steps=alarm.line("WebhookApprovalWaiting"), low=0, soft_high=60, links=(links.APPROVALS,)
    )
    return timeseries(about, [query("max(webhook_approval_age_seconds)", "oldest")], look)


def _told() -> Panel:
    about = About(
        id=13,
        title="What people are told of",
        unit="short",
        shows="Alerts that fire as far as the webhook knows, and what people are told of, by kind.",
        good="0.",
        act="Take over what is escalated, answer what is asked.",
        empty="the webhook does not answer",
        runbook="EscalationRequired",
    )
    queries = [
        query("max(webhook_episodes_open)", "alerts that fire"),
        query("max by (kind) (webhook_pages_open)", "{{kind}}"),
    ]
    return timeseries(about, queries, Look(low=0, decimals=0), legend="list")
