"""The webhook: what comes in, how fast it is answered, and whether every stage goes round."""

from typing import Final

from dashboards import alarm
from dashboards.layout import Band, Section, band
from dashboards.limits import GREEN, RED, above
from dashboards.look import About, Look, Word
from dashboards.panels import Panel, query, state_timeline, timeseries

_SILENT: Final = "the webhook does not answer"


def receiving() -> tuple[Band, ...]:
    """Return what comes in."""
    return (
        band(8, (8, _notifications()), (8, _alerts()), (8, _answers())),
        band(8, (8, _stages()), (8, _lag()), (8, _queue())),
    )


def working() -> Section:
    """Return what shows that nothing was lost on the way, and nothing changed afterwards."""
    return Section(
        id=110,
        title="The webhook: comparing, stages, audit",
        is_folded=True,
        bands=(
            band(8, (8, _discrepancies()), (8, _refused()), (8, _audit())),
            band(8, (12, _running()), (12, _failing())),
        ),
    )


def _notifications() -> Panel:
    about = About(
        id=11,
        title="Notifications",
        unit="cpm",
        shows="Notifications of Alertmanager that were stored, a minute.",
        good="One at least: Watchdog comes each minute.",
        act="None: see whether Alertmanager reaches the webhook.",
        empty=_SILENT,
        runbook="Watchdog",
    )
    expr = "60 * sum by (status) (rate(webhook_notifications_total[$__rate_interval]))"
    return timeseries(about, [query(expr, "{{status}}")], Look(low=0))


def _alerts() -> Panel:
    about = About(
        id=12,
        title="Alerts by meaning",
        unit="cpm",
        shows="Alerts a minute in those notifications, by what each meant; and copies.",
        good="Mostly `repeated` and `watchdog`: Alertmanager repeats itself.",
        act="`unroutable` names no project: mend the rule that fired.",
        empty=_SILENT,
    )
    queries = [
        query(
            "60 * sum by (meaning) (rate(webhook_alerts_total[$__rate_interval]))", "{{meaning}}"
        ),
        query("60 * sum(rate(webhook_duplicate_alerts_total[$__rate_interval]))", "copies"),
    ]
    return timeseries(about, queries, Look(low=0))


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
        query(f"histogram_quantile({share / 100:g}, {took})", f"p{share}") for share in (50, 95, 99)
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
    look = Look(steps=alarm.line("WebhookStageStalled"), low=0)
    return timeseries(about, [query(expr, "{{stage}}")], look)


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
        unit="cpm",
        shows="What was found to differ when notes were compared, a minute; and failed tries.",
        good="None, but `silenced` and `unsilenced`, which only show there.",
        act="`appeared` and `gone`: notifications were lost; see Alertmanager's own row.",
        empty=_SILENT,
        runbook="WebhookNotReconciling",
    )
    each = "60 * sum by (kind) (rate(webhook_reconcile_discrepancies_total[$__rate_interval]))"
    failed = "60 * sum(rate(webhook_reconcile_failures_total[$__rate_interval]))"
    queries = [query(each, "{{kind}}"), query(failed, "no answer")]
    return timeseries(about, queries, Look(low=0))


def _refused() -> Panel:
    about = About(
        id=18,
        title="Refused notifications",
        unit="cpm",
        shows="Notifications a minute that were refused for good, by reason.",
        good="None.",
        act="Whoever sends them is no Alertmanager, or one that is set up otherwise.",
        empty="nothing was refused",
    )
    expr = "60 * sum by (reason) (rate(webhook_invalid_total[$__rate_interval]))"
    return timeseries(about, [query(expr, "{{reason}}")], Look(low=0))


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
        unit="cpm",
        shows="Errors a minute that a stage lived through.",
        good="None.",
        act="The log has each with its traceback.",
        empty=_SILENT,
        runbook="WebhookStageStalled",
    )
    expr = "60 * sum by (stage) (rate(webhook_stage_failures_total[$__rate_interval]))"
    return timeseries(about, [query(expr, "{{stage}}")], Look(low=0))
