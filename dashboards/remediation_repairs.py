"""Repairs: what was done, whether it helped, how long it took, and what comes back."""

from typing import Final

from dashboards import alarm, links
from dashboards.layout import Band, Section, band
from dashboards.limits import BLUE, Step, above
from dashboards.look import About, Column, Look
from dashboards.panels import Panel, bargauge, now, query, rows, table, timeseries


def repairs() -> tuple[Band, ...]:
    """Return what was done, and what came of it."""
    return (
        band(8, (8, _funnel()), (8, _actions()), (8, _recovery())),
        band(8, (8, _states()), (8, _offenders()), (8, _told())),
    )


def slowness() -> Section:
    """Return what tells which action is slow."""
    return Section(
        id=110,
        title="How long actions take",
        is_folded=True,
        bands=(band(8, (24, _durations())),),
    )


_FUNNEL: Final = (
    ("alerts that came", 'sum(increase(webhook_alerts_total{meaning!~"watchdog|ours"}[$__range]))'),
    ("of them new", 'sum(increase(webhook_alerts_total{meaning="opened"}[$__range]))'),
    ("answers weighed", "sum(increase(analyzer_decisions_total[$__range]))"),
    ("actions begun", "sum(increase(webhook_actions_total[$__range]))"),
    ("actions that failed", "sum(increase(webhook_actions_failed_total[$__range]))"),
    ("healed, and proven", "sum(increase(webhook_recovery_seconds_count[$__range]))"),
)


def _funnel() -> Panel:
    return bargauge(
        About(
            id=8,
            title="From alert to proof",
            unit="short",
            shows="How many got how far in the range that is shown. Alertmanager repeats itself, so"
            " more alerts come than are new.",
            good="As many are healed as actions were begun.",
            act="Look at what holds repairs back where alerts come and nothing is begun.",
            empty="the webhook does not answer",
        ),
        [now(expr, name) for name, expr in _FUNNEL],
        Look(steps=(Step(BLUE),), decimals=0, low=0),
    )


def _actions() -> Panel:
    return timeseries(
        About(
            id=9,
            title="Actions",
            unit="cpm",
            shows="Actions a minute, by name, and those of them that failed.",
            good="Few, and none that failed.",
            act="Where one repeats, repair the cause: a restart does not last.",
            empty="no action in this range",
        ),
        [
            query(
                "60 * sum by (action) (rate(webhook_actions_total[$__rate_interval]))", "{{action}}"
            ),
            query(
                "60 * sum by (action) (rate(webhook_actions_failed_total[$__rate_interval]))",
                "{{action}}, failed",
            ),
        ],
        Look(low=0),
        style="bars",
    )


def _recovery() -> Panel:
    healed = "sum by (le) (increase(webhook_recovery_seconds_bucket[1h]))"
    return timeseries(
        About(
            id=10,
            title="Time to heal",
            unit="s",
            shows="From an alert to the proof of its repair, over the last hour: half, and 19 of"
            " 20, took no longer.",
            good="Below the line, from which on people are told.",
            act="See which action is slow, and whether it is verified too patiently.",
            empty="nothing healed in this range",
            runbook="RecoverySlow",
        ),
        [
            query(f"histogram_quantile(0.5, {healed})", "p50"),
            query(f"histogram_quantile(0.95, {healed})", "p95"),
        ],
        Look(steps=alarm.line("RecoverySlow"), low=0),
    )


def _durations() -> Panel:
    return timeseries(
        About(
            id=11,
            title="Time of an action, p95",
            unit="s",
            shows="From the intent of an action to its proof, or to the finding that it did not"
            " help, over the last hour.",
            good="Seconds.",
            act="Look into the log of what is slow.",
            empty="no action in this range",
        ),
        [
            query(
                "histogram_quantile(0.95,"
                " sum by (le, action) (increase(webhook_action_duration_seconds_bucket[1h])))",
                "{{action}}",
            )
        ],
        Look(low=0),
    )


def _states() -> Panel:
    return timeseries(
        About(
            id=12,
            title="Incidents by state",
            unit="short",
            shows="Incidents that have not ended, by where they stand.",
            good="None, or for seconds.",
            act="`escalated` and `awaiting_approval` wait for you.",
            empty="the webhook does not answer",
        ),
        [query("max by (state) (webhook_incidents_open)", "{{state}}")],
        Look(low=0, decimals=0, is_stacked=True, links=(links.INCIDENTS,)),
    )


def _told() -> Panel:
    return timeseries(
        About(
            id=13,
            title="What people are told of",
            unit="short",
            shows="Alerts that fire as far as the webhook knows, and what people are told of, by"
            " kind.",
            good="0.",
            act="Take over what is escalated, answer what is asked.",
            empty="the webhook does not answer",
            runbook="EscalationRequired",
        ),
        [
            query("max(webhook_episodes_open)", "alerts that fire"),
            query("max by (kind) (webhook_pages_open)", "{{kind}}"),
        ],
        Look(low=0, decimals=0),
    )


def _offenders() -> Panel:
    return table(
        About(
            id=14,
            title="What comes back",
            unit="short",
            shows="Alerts that may be repaired and began most often within a day.",
            good="Each once, or none.",
            act="Repair the cause; the orchestrator only ever repairs the effect.",
            empty="no such alert within a day",
            runbook="ProjectFlapping",
        ),
        [
            rows(
                "topk(10, 1 + max by (project, alertname) ("
                'changes(ALERTS_FOR_STATE{remediate="true",project=~"$project"}[1d])))'
            )
        ],
        [
            Column(
                of="project",
                title="Project",
                look=Look(links=(links.of_cell("The project", links.PROJECT, "Project"),)),
            ),
            Column(of="alertname", title="Alert"),
            Column(
                of="A",
                title="Times",
                unit="short",
                look=Look(steps=above(orange=3, red=6), decimals=0),
            ),
        ],
        order="Times",
    )
