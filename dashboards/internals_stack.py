"""The stack: Prometheus and Alertmanager, without which nobody knows and nobody is told."""

from typing import Final

from dashboards import alarm, limits
from dashboards.events import STEP
from dashboards.layout import Section, band
from dashboards.look import About, Look, Sizes
from dashboards.panels import Panel, now, query, stat, timeseries

_NO_PROMETHEUS: Final = "Prometheus does not read its own figures"
_NO_ALERTMANAGER: Final = "no Alertmanager answers"
_SENT: Final = "prometheus_notifications"


def prometheus() -> Section:
    """Return what Prometheus tells of itself."""
    return Section(
        id=150,
        title="Prometheus",
        is_folded=True,
        bands=(
            band(9, (6, _rules()), (12, _groups()), (6, _sent())),
            band(7, (8, _series()), (8, _samples()), (8, _damage())),
        ),
    )


def alertmanager() -> Section:
    """Return what the Alertmanagers tell of themselves."""
    return Section(
        id=160,
        title="Alertmanager",
        is_folded=True,
        bands=(
            band(9, (8, _delivered()), (8, _undelivered()), (8, _latency())),
            band(9, (12, _held()), (12, _cluster())),
        ),
    )


def _rules() -> Panel:
    about = About(
        id=51,
        title="Rules that failed, or were left out",
        unit="short",
        shows="Within five minutes, evaluations that failed, and such as were left out.",
        good="0.",
        act="Prometheus says in its log which rule it is; left out: it is too slow.",
        empty=_NO_PROMETHEUS,
        runbook="PrometheusRuleFailures",
    )
    queries = [
        query("sum(increase(prometheus_rule_evaluation_failures_total[5m]))", "failed"),
        query("sum(increase(prometheus_rule_group_iterations_missed_total[5m]))", "left out"),
    ]
    return timeseries(about, queries, Look(steps=limits.ANY, low=0, decimals=0))


def _groups() -> Panel:
    about = About(
        id=52,
        title="Time of a group of rules",
        unit="percentunit",
        shows="How long each group took, of the time until its next turn.",
        good="A few percent.",
        act="Near 100 %, evaluations are left out: give Prometheus more processors.",
        empty=_NO_PROMETHEUS,
        runbook="PrometheusMissedEvaluations",
    )
    took, until = (
        f"max by (rule_group) (prometheus_rule_group_{each}_seconds)"
        for each in ("last_duration", "interval")
    )
    # Its name without the file's, which has the whole path.
    expr = f'label_replace({took} / {until}, "group", "$1", "rule_group", ".*;(.*)")'
    look = Look(steps=limits.above(orange=0.5, red=1), low=0, decimals=1, soft_high=0.02)
    return timeseries(about, [query(f"max by (group) ({expr})", "{{group}}")], look, legend="right")


def _sent() -> Panel:
    about = About(
        id=53,
        title="Alerts sent, a minute",
        unit="short",
        shows="Alerts that Prometheus sent to Alertmanager, that it did not take, and that were"
        " thrown away. A mean of four minutes.",
        good="Sent ones alone.",
        act="See whether Alertmanager answers Prometheus.",
        empty=_NO_PROMETHEUS,
        runbook="AlertmanagerDown",
    )
    queries = [
        query(f"60 * sum(rate({_SENT}_{each}_total[$__rate_interval]))", name, every=STEP)
        for each, name in (("sent", "sent"), ("errors", "failed"), ("dropped", "thrown away"))
    ]
    return timeseries(about, queries, Look(low=0, decimals=1))


def _series() -> Panel:
    about = About(
        id=54,
        title="Series",
        unit="short",
        shows="Series that Prometheus holds in memory.",
        good="Level; some thirty a project.",
        act="A climb that goes on: a label has too many values.",
        empty=_NO_PROMETHEUS,
    )
    expr = "sum by (instance) (prometheus_tsdb_head_series)"
    return timeseries(about, [query(expr, "{{instance}}")], Look(low=0, decimals=1))


def _samples() -> Panel:
    about = About(
        id=55,
        title="Samples a second",
        unit="short",
        shows="Samples that Prometheus stores.",
        good="Level.",
        act="A fall: targets do not answer.",
        empty=_NO_PROMETHEUS,
        runbook="PrometheusAbsent",
    )
    expr = "sum by (instance) (rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))"
    return timeseries(about, [query(expr, "{{instance}}")], Look(low=0, decimals=0))


def _damage() -> Panel:
    about = About(
        id=56,
        title="Damage to its storage",
        unit="short",
        shows="In the time that is shown, what was found broken, or could not be written.",
        good="0.",
        act="See its disk: full, or failing? Prometheus says in its log what was lost.",
        empty=_NO_PROMETHEUS,
    )
    queries = [
        now(f"sum(increase(prometheus_tsdb_{each}_total[$__range]))", name)
        for each, name in (
            ("wal_corruptions", "write-ahead log"),
            ("compactions_failed", "compactions"),
            ("reloads_failures", "reloads"),
        )
    ]
    sizes = Sizes(name=14, value=32)
    return stat(about, queries, Look(steps=limits.ANY, decimals=0), sizes=sizes)


def _delivered() -> Panel:
    about = About(
        id=61,
        title="Notifications of Alertmanager, a minute",
        unit="short",
        shows="Notifications that were tried, by the way they go. A mean of four minutes.",
        good="`webhook` all the time: Watchdog goes out each minute.",
        act="None: see whether alerts reach Alertmanager.",
        empty=_NO_ALERTMANAGER,
        runbook="AlertmanagerAbsent",
    )
    expr = (
        "60 * sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval])) > 0"
    )
    look = Look(low=0, decimals=1)
    return timeseries(about, [query(expr, "{{integration}}", every=STEP)], look, points=True)


def _undelivered() -> Panel:
    about = About(
        id=62,
        title="Notifications that failed",
        unit="percentunit",
        shows="Of a quarter of an hour's notifications, those that failed, by the way they go.",
        good="0.",
        act="Alertmanager says in its log what the receiver answered.",
        empty="nothing was sent",
        runbook="AlertmanagerFailedToSendAlerts",
    )
    expr = (
        "sum by (integration) (increase(alertmanager_notifications_failed_total[15m]))"
        " / (sum by (integration) (increase(alertmanager_notifications_total[15m])) > 0)"
    )
    look = Look(steps=alarm.line("AlertmanagerFailedToSendAlerts"), low=0, decimals=1)
    return timeseries(about, [query(expr, "{{integration}}")], look)


def _latency() -> Panel:
    about = About(
        id=63,
        title="Time of a notification, p95",
        unit="s",
        shows="How long receivers took to take a notification.",
        good="Below a second.",
        act="Where it is `webhook`, see its time to answer above.",
        empty="nothing was sent",
    )
    took = (
        "sum by (le, integration)"
        " (rate(alertmanager_notification_latency_seconds_bucket[$__rate_interval]))"
    )
    # What was never sent has no time, and else a row in the legend nevertheless.
    expr = f"histogram_quantile(0.95, {took}) > 0"
    return timeseries(about, [query(expr, "{{integration}}", every=STEP)], Look(low=0), points=True)


def _held() -> Panel:
    about = About(
        id=64,
        title="Alerts and silences",
        unit="short",
        shows="Alerts that Alertmanager holds, by state, and silences in force.",
        good="Only Watchdog, and no silence that nobody knows of.",
        act="`suppressed`: see whether the silence is still wanted.",
        empty=_NO_ALERTMANAGER,
    )
    queries = [
        query("max by (state) (alertmanager_alerts)", "alerts, {{state}}"),
        query('max(alertmanager_silences{state="active"})', "silences"),
    ]
    return timeseries(about, queries, Look(low=0, decimals=0), legend="right")


def _cluster() -> Panel:
    about = About(
        id=65,
        title="Cluster",
        unit="short",
        shows="How many Alertmanagers each one sees, itself included, and how many different"
        " configurations they have.",
        good="Each sees all, and there is one configuration.",
        act="They do not reach each other: everything is told twice. See their network.",
        empty=_NO_ALERTMANAGER,
        runbook="AlertmanagerDown",
    )
    queries = [
        query("max by (instance) (alertmanager_cluster_members)", "seen by {{instance}}"),
        query('count(count_values("hash", alertmanager_config_hash))', "configurations"),
    ]
    return timeseries(about, queries, Look(low=0, decimals=0))
