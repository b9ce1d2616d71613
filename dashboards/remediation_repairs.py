"""Repairs: what was done, whether it helped, how long it took, and what comes back."""

from typing import Final

from dashboards import alarm, links, state
from dashboards.events import count, events
from dashboards.layout import Band, Section, band
from dashboards.limits import BLUE, Step
from dashboards.look import About, Column, Look, Order
from dashboards.panels import Panel, bargauge, now, query, rows, table, timeseries

_PROJECT: Final = Column(
    of="project",
    title="Project",
    look=Look(links=(links.of_cell("The project", links.PROJECT, "Project"),)),
)
LATEST: Final = 20  # actions


def repairs() -> tuple[Band, ...]:
    """Return what was done, and what came of it."""
    return (
        band(9, (8, _funnel()), (8, _actions()), (8, _recovery())),
        band(9, (8, _states()), (8, _offenders()), (8, _restraints())),
    )


def slowness() -> Section:
    """Return what tells which action is slow."""
    return Section(
        id=110,
        title="How long repairs take, of all projects",
        is_folded=True,
        bands=(band(9, (12, _durations()), (12, _others())),),
    )


def latest() -> Panel:
    """Return the table of what was done last."""
    about = About(
        id=17,
        title="Latest actions",
        unit="dtdhms",
        shows=f"What was last begun on each project, and what came of it: the newest {LATEST}, a"
        " row for each.",
        good="Each `begun` has a `proven` that is younger.",
        act="`failed`: open the project, and the incident, which has what was tried.",
        empty="nothing was done",
    )
    of = 'webhook_action_timestamp_seconds{project=~"$project"}'
    expr = f"time() - topk({LATEST}, max by (project, action, result) ({of}))"
    columns = (
        _PROJECT,
        Column(of="action", title="Action"),
        Column(of="result", title="Came of it", look=Look(words=state.OF_ACTIONS), width=95),
        Column(of="A", title="Ago", unit="dtdhms", width=90),
    )
    return table(about, [rows(expr)], columns, order=[Order("Ago", is_rising=True)])


def _increase(counter: str) -> str:
    return f"sum(increase({counter}[$__range]))"


_FUNNEL: Final = (
    ("alerts that came", _increase('webhook_alerts_total{meaning!~"watchdog|ours"}')),
    ("of them new", _increase('webhook_alerts_total{meaning="opened"}')),
    ("weighed", _increase("analyzer_decisions_total")),
    ("questions", _increase("webhook_approvals_answered_total")),
    ("approved", _increase('webhook_approvals_answered_total{answer="approved"}')),
    ("actions begun", _increase("webhook_actions_total")),
    ("failed", _increase("webhook_actions_failed_total")),
    ("healed, proven", _increase("webhook_recovery_seconds_count")),
)


def _funnel() -> Panel:
    about = About(
        id=8,
        title="From alert to proof",
        unit="short",
        shows="How many got how far in the range that is shown: alerts, answers that were weighed,"
        " questions that got an end, actions. Alertmanager repeats itself, so more alerts come than"
        " are new. Healed is what was so without people: they neither did it, nor had been told."
        " Of all projects.",
        good="Nearly as many are healed as actions were begun.",
        act="Look at what holds repairs back where alerts come and nothing is begun.",
        empty="the webhook does not answer",
    )
    look = Look(steps=(Step(BLUE),), decimals=0, low=0)
    return bargauge(about, [now(expr, name) for name, expr in _FUNNEL], look)


def _actions() -> Panel:
    about = About(
        id=9,
        title="Actions",
        unit="short",
        shows="How many actions were begun, by name, and how many failed: each bar is a minute or"
        " more. Of all projects.",
        good="Few, and none that failed.",
        act="Where one repeats, repair the cause: a restart does not last.",
        empty="no action in this range",
    )
    queries = [
        count("webhook_actions_total", "action", "{{action}}"),
        count("webhook_actions_failed_total", "action", "{{action}}, failed"),
    ]
    return events(about, queries)


def _healed(share: float, trouble: str) -> str:
    of = f'webhook_recovery_seconds_bucket{{trouble="{trouble}"}}'
    return f"histogram_quantile({share}, sum by (le) (increase({of}[1h])))"


def _recovery() -> Panel:
    about = About(
        id=10,
        title="Time to heal an outage",
        unit="s",
        shows="From the alert that a project is down to the proof that it is up, over the last"
        " hour: half, and 19 of 20, took no longer. Of all projects.",
        good="Below the line, from which on people are told.",
        act="See which action is slow, and whether it is verified too patiently.",
        empty="no outage was healed",
        runbook="RecoverySlow",
    )
    queries = [query(_healed(0.5, "outage"), "p50"), query(_healed(0.95, "outage"), "p95")]
    return timeseries(about, queries, Look(steps=alarm.line("RecoverySlow"), low=0), points=True)


def _others() -> Panel:
    about = About(
        id=20,
        title="Time to heal other trouble",
        unit="s",
        shows="From the alert to the proof of its repair, over the last hour, of what is no"
        " outage; the wait of its rule for the end of it, and for people, is in it.",
        good="A few minutes; no line is drawn, for nobody is called for it.",
        act="See beside which action is slow, and above how long questions waited.",
        empty="nothing else was healed",
        runbook="RecoverySlow",
    )
    queries = [query(_healed(0.5, "other"), "p50"), query(_healed(0.95, "other"), "p95")]
    return timeseries(about, queries, Look(low=0), points=True)


def _durations() -> Panel:
    about = About(
        id=11,
        title="Time of an action, p95",
        unit="s",
        shows="From the intent of an action to its proof, or to the finding that it did not help,"
        " over the last hour.",
        good="Seconds.",
        act="Look into the log of what is slow.",
        empty="no action in this range",
    )
    took = "sum by (le, action) (increase(webhook_action_duration_seconds_bucket[1h]))"
    # Of what was done: the rest of the catalogue has no time, and a row in the legend nevertheless.
    expr = f"histogram_quantile(0.95, {took}) > 0"
    return timeseries(about, [query(expr, "{{action}}")], Look(low=0), points=True)


def _states() -> Panel:
    about = About(
        id=12,
        title="Incidents by state",
        unit="short",
        shows="Incidents that have not ended, by where they stand. Of all projects.",
        good="None, or for seconds.",
        act="`escalated` and `awaiting_approval` wait for you.",
        empty="the webhook does not answer",
    )
    look = Look(low=0, decimals=0, is_stacked=True, links=(links.INCIDENTS,))
    expr = "max by (state) (webhook_incidents_open)"
    return timeseries(about, [query(expr, "{{state}}")], look, legend="list")


def _offenders() -> Panel:
    about = About(
        id=14,
        title="What comes back",
        unit="short",
        shows="Alerts that may be repaired and began most often within a day.",
        good="Each once, or none.",
        act="Repair the cause; the orchestrator only ever repairs the effect.",
        empty="no such alert within a day",
        runbook="ProjectFlapping",
    )
    of = 'ALERTS_FOR_STATE{remediate="true",project=~"$project"}[1d]'
    expr = f"topk(10, 1 + max by (project, alertname) (changes({of})))"
    columns = [
        _PROJECT,
        Column(of="alertname", title="Alert"),
        Column(of="A", title="Times", unit="short", look=Look(decimals=0), width=80),
    ]
    return table(about, [rows(expr)], columns, order="Times")


def _restraints() -> Panel:
    about = About(
        id=25,
        title="Restraints",
        unit="short",
        shows="How many words of people were in force that nothing is to be repaired, by kind."
        " Of all projects.",
        good="0, but for what somebody works on.",
        act="`orchestrator status` tells who said so, and why; lift what was forgotten.",
        empty="the webhook does not answer",
    )
    expr = "max by (kind) (webhook_restraint_active)"
    return timeseries(about, [query(expr, "{{kind}}")], Look(low=0, decimals=0))
