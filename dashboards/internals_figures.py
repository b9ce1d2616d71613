"""The figures of internals: whether every link of the chain from probe to repair holds."""

from typing import Final

from dashboards import alarm, limits
from dashboards.layout import Band, band
from dashboards.limits import GREEN, RED
from dashboards.look import About, Look, Sizes, Word
from dashboards.panels import Panel, now, stat

_MANY: Final = Sizes(name=12, value=24)


def figures() -> tuple[Band, ...]:
    """Return the programs, each by its name, and what shows that they hear of each other."""
    return (
        band(3, (12, _answering()), (12, _configured())),
        band(3, (6, _watchdog()), (6, _reconciled()), (6, _waiting()), (6, _failures())),
    )


def _answering() -> Panel:
    about = About(
        id=1,
        title="Programs",
        unit="short",
        shows="Whether all of each kind answer Prometheus.",
        good="All green.",
        act="Start what is red; where Prometheus is red it does not read its own figures.",
        empty="Prometheus scrapes nothing",
        runbook="WebhookAbsent",
    )
    words = (Word("0", "down", RED), Word("1", "up", GREEN))
    return stat(about, [now("min by (job) (up)", "{{job}}")], Look(words=words), sizes=_MANY)


def _watchdog() -> Panel:
    about = About(
        id=2,
        title="Watchdog came",
        unit="dthms",
        shows="How long ago the alert that always fires last reached the webhook.",
        good="About a minute: then alerts arrive.",
        act="Find the link that is broken: rules, Alertmanager, or the way to the webhook.",
        empty="not yet",
        runbook="Watchdog",
    )
    expr = "time() - max(webhook_last_watchdog_timestamp_seconds > 0)"
    return stat(about, [now(expr, "ago")], Look(steps=limits.above(red=alarm.PROVEN_ALIVE)))


def _reconciled() -> Panel:
    about = About(
        id=3,
        title="Compared notes",
        unit="dthms",
        shows="How long ago the webhook last compared what it knows with Alertmanager.",
        good="Less than a minute.",
        act="See whether an Alertmanager answers the webhook.",
        empty="not yet",
        runbook="WebhookNotReconciling",
    )
    expr = "time() - max(webhook_reconcile_last_success_timestamp_seconds > 0)"
    return stat(about, [now(expr, "ago")], Look(steps=alarm.line("WebhookNotReconciling")))


def _waiting() -> Panel:
    about = About(
        id=4,
        title="Work waits",
        unit="s",
        shows="How long the oldest work that is due has waited for the webhook to take it up.",
        good="0.",
        act="See below which stage does not go round, and what the log says of it.",
        empty="the webhook does not answer",
        runbook="WebhookQueueOld",
    )
    look = Look(steps=alarm.line("WebhookQueueOld"), decimals=1)
    return stat(about, [now("max(webhook_queue_age_seconds)", "oldest")], look)


def _failures() -> Panel:
    about = About(
        id=5,
        title="Errors survived",
        unit="short",
        shows="Errors of our own in the time that is shown that a program lived through.",
        good="0.",
        act="The log has each with its traceback; it is a mistake of ours.",
        empty="no program answers",
    )
    queries = [
        now("sum(increase(webhook_stage_failures_total[$__range]))", "webhook"),
        now("sum(increase(exporter_failures_total[$__range]))", "exporter"),
    ]
    sizes = Sizes(name=14, value=28)
    return stat(about, queries, Look(steps=limits.ANY, decimals=0), sizes=sizes)


def _configured() -> Panel:
    about = About(
        id=6,
        title="Configuration",
        unit="short",
        shows="Whether each program goes by the files as they are now.",
        good="All `ok`.",
        act="Mend the mistake that the log tells; until then the former one is in force.",
        empty="no program answers",
        runbook="ExporterReloadFailed",
    )
    words = (Word("0", "refused", RED), Word("1", "ok", GREEN))
    queries = [
        now(f"min({metric}_last_reload_successful)", name)
        for name, metric in (
            ("webhook", "webhook_config"),
            ("tokens", "webhook_token_file"),
            ("exporter", "exporter_config"),
            ("prometheus", "prometheus_config"),
            ("alertmanager", "alertmanager_config"),
        )
    ]
    return stat(about, queries, Look(words=words), sizes=_MANY)
