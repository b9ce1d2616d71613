"""The webhook: what comes in, how fast it is answered, and whether every stage goes round."""

from typing import Final

from dashboards import alarm
from dashboards.events import STEP, count, events
from dashboards.layout import Band, Section, band
from dashboards.limits import GREEN, RED, above
from dashboards.look import About, Look, Word
from dashboards.panels import Panel, query, state_timeline, timeseries

_SILENT: Final = "the webhook does not answer"


def receiving() -> tuple[Band, ...]:
    """Return what comes in."""
    return (
        band(9, (8, _notifications()), (8, _alerts()), (8, _answers())),
        band(9, (12, _stages()), (6, _lag()), (6, _queue())),
    )


def working() -> Section:
    """Return what shows that nothing was lost on the way, and nothing changed afterwards."""
    return Section(
        id=110,
        title="The webhook: comparing, stages, audit",
        is_folded=True,
        bands=(
            band(8, (8, _discrepancies()), (8, _refused()), (8, _audit())),
            band(9, (12, _running()), (12, _failing())),
        ),
    )


def _notifications() -> Panel:
    about = About(
        id=11,
        title="Notifications a minute",
        unit="short",
        shows="Notifications of Alertmanager that were stored, by status, as a mean of four"
        " minutes.",
        good="About one `firing`, all the time: Watchdog comes each minute.",
        act="None: see whether Alertmanager reaches the webhook.",
        empty=_SILENT,
        runbook="Watchdog",
    )
    expr = "60 * sum by (status) (rate(webhook_notifications_total[$__rate_interval]))"
    look = Look(low=0, decimals=1)
    return timeseries(about, [query(expr, "{{status}}", every=STEP)], look)


def _alerts() -> Panel:
    about = About(
        id=12,
        title="Alerts by meaning, a minute",
        unit="short",
        shows="Alerts in those notifications, by what each meant; and copies. A mean of four"
        " minutes.",
        good="Mostly `repeated` and `watchdog`: Alertmanager repeats itself.",
        act="`unroutable` names no project: mend the rule that fired.",
        empty=_SILENT,
    )
    each = "60 * sum by (meaning) (rate(webhook_alerts_total[$__rate_interval]))"
    copies = "60 * sum(rate(webhook_duplicate_alerts_total[$__rate_interval]))"
    queries = [query(each, "{{meaning}}", every=STEP), query(copies, "copies", every=STEP)]
    return timeseries(about, queries, Look(low=0, decimals=1), legend="list")


def _answers() -> Panel:
    about = About(
        id=13,
        title="Time to answer",
        unit="s",
        shows="From the last byte of a notification to its answer, on disk by then.",
        good="p99 below a tenth of a second.",
        act="A slow disk, or an event loop that lags: see beside.",
        empty="no notification came",
    )
    took = "sum by (le) (rate(webhook_request_duration_seconds_bucket[$__rate_interval]))"
    queries = [
        query(f"histogram_quantile({share / 100:g}, {took})", f"p{share}", every=STEP)
        for share in (50, 95, 99)
    ]
    return timeseries(about, queries, Look(low=0))


def _stages() -> Panel:
    about = About(
        id=14,
        title="Since a stage went round",
        unit="s",
        shows="For how long each stage has not gone round its loop.",
        good="Below the line, from which on people are told.",
        act="Restart the webhook; nothing is lost, for its database is its queue.",
        empty=_SILENT,
        runbook="WebhookStageStalled",
    )
    expr = "time() - max by (stage) (webhook_stage_heartbeat_timestamp_seconds)"
    look = Look(steps=alarm.line("WebhookStageStalled"), low=0, decimals=0)
    return timeseries(about, [query(expr, "{{stage}}")], look, legend="right")


def _lag() -> Panel:
    about = About(
        id=15,
        title="Lag of the event loop",
        unit="s",
        shows="How much later than asked the webhook went on, and the longest since its start.",
        good="p99 in milliseconds.",
        act="The machine is too busy, or the database too slow.",
        empty=_SILENT,
    )
    lag = "sum by (le) (rate(webhook_event_loop_lag_seconds_bucket[$__rate_interval]))"
    queries = [
        query(f"histogram_quantile(0.99, {lag})", "p99"),
        query("max(webhook_event_loop_lag_max_seconds)", "longest"),
    ]
    return timeseries(about, queries, Look(steps=above(red=1), low=0))


def _queue() -> Panel:
    about = About(
        id=16,
        title="Work that is due",
        unit="short",
        shows="Incidents that are due, and that nobody has taken up.",
        good="0 nearly always.",
        act="A climb: more goes wrong than is taken up; see what the log says.",
        empty=_SILENT,
        runbook="WebhookQueueOld",
    )
    return timeseries(about, [query("max(webhook_queue_length)", "due")], Look(low=0, decimals=0))


def _discrepancies() -> Panel:
    about = About(
        id=17,
        title="Differences from Alertmanager",
        unit="short",
        shows="How often what was found differed when notes were compared, by kind; and tries that"
        " failed. Each bar is a minute or more.",
        good="None, but `silenced` and `unsilenced`, which only show there.",
        act="`appeared` and `gone`: notifications were lost; see Alertmanager's own row.",
        empty="nothing differed",
        runbook="WebhookNotReconciling",
    )
    queries = [
        count("webhook_reconcile_discrepancies_total", "kind", "{{kind}}"),
        count("webhook_reconcile_failures_total", "job", "no answer"),
    ]
    return events(about, queries)


def _refused() -> Panel:
    about = About(
        id=18,
        title="Refused notifications",
        unit="short",
        shows="How many notifications were refused for good, by reason. Each bar is a minute or"
        " more.",
        good="None.",
        act="Whoever sends them is no Alertmanager, or one that is set up otherwise.",
        empty="nothing was refused",
    )
    return events(about, [count("webhook_invalid_total", "reason", "{{reason}}")])


def _audit() -> Panel:
    about = About(
        id=19,
        title="Audit",
        unit="short",
        shows="Within five minutes, how often its newest number and its newest hash changed.",
        good="Never more of the hash than of the number: rows are only ever added.",
        act="Do not touch the database, and follow the runbook.",
        empty=_SILENT,
        runbook="WebhookAuditBroken",
    )
    queries = [
        query("max(changes(webhook_audit_rows[5m]))", "number"),
        query("max(changes(webhook_audit_head[5m]))", "hash"),
    ]
    return timeseries(about, queries, Look(low=0, decimals=0))


def _running() -> Panel:
    about = About(
        id=20,
        title="Stages",
        unit="short",
        shows="Whether each stage runs.",
        good="All of them, all the time.",
        act="Restart the webhook, and read in its log why the stage ended.",
        empty=_SILENT,
        runbook="WebhookStageStalled",
    )
    words = (Word("0", "does not run", RED), Word("1", "runs", GREEN))
    expr = "max by (stage) (webhook_stage_up)"
    return state_timeline(about, [query(expr, "{{stage}}")], Look(words=words))


def _failing() -> Panel:
    about = About(
        id=21,
        title="Errors of stages",
        unit="short",
        shows="How many errors a stage lived through. Each bar is a minute or more.",
        good="None.",
        act="The log has each with its traceback.",
        empty="no stage had an error",
        runbook="WebhookStageStalled",
    )
    return events(about, [count("webhook_stage_failures_total", "stage", "{{stage}}")])
