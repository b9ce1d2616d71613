"""The figures of remediation: whether somebody is waited for, and whether repairs help."""

from dashboards import alarm, limits, links, state
from dashboards.layout import Band, band
from dashboards.look import About, Look
from dashboards.panels import Panel, now, stat


def figures() -> Band:
    """Return them side by side."""
    return band(
        4,
        (3, _waiting()),
        (4, _oldest()),
        (3, _incidents()),
        (4, _paged()),
        (4, _success()),
        (3, _recovered()),
        (3, _mode()),
    )


def _waiting() -> Panel:
    return stat(
        About(
            id=1,
            title="Approvals waiting",
            unit="short",
            shows="Approvals that nobody has given or refused yet. Of all projects.",
            good="0.",
            act="Click, read the question, and answer it: `orchestrator approvals` lists them.",
            empty="the webhook does not answer",
            runbook="WebhookApprovalWaiting",
        ),
        [now("max(webhook_approvals_waiting)")],
        Look(steps=limits.WAITING, decimals=0, links=(links.APPROVALS,)),
    )


def _oldest() -> Panel:
    return stat(
        About(
            id=2,
            title="Oldest question",
            unit="dthms",
            shows="For how long the oldest approval has waited; 0 when none waits. Of all"
            " projects.",
            good="Below ten minutes; from then on people are told once more.",
            act="Answer it; until then nothing is done about its project.",
            empty="the webhook does not answer",
            runbook="WebhookApprovalWaiting",
        ),
        [now("max(webhook_approval_age_seconds)")],
        Look(steps=alarm.line("WebhookApprovalWaiting"), links=(links.APPROVALS,)),
    )


def _incidents() -> Panel:
    return stat(
        About(
            id=3,
            title="Incidents",
            unit="short",
            shows="Projects whose trouble has not ended, in whatever state. Of all projects.",
            good="0.",
            act="Click, and read what was tried: `orchestrator incidents --open` lists them.",
            empty="the webhook does not answer",
        ),
        [now("sum(max by (state) (webhook_incidents_open))")],
        Look(steps=limits.above(orange=1), decimals=0, links=(links.INCIDENTS,)),
    )


def _paged() -> Panel:
    return stat(
        About(
            id=4,
            title="Escalated",
            unit="short",
            shows="What people are called for until it is settled; questions to them are counted"
            " beside. Of all projects.",
            good="0: everything is healed by itself, or well.",
            act="Click, and take over the incidents that say `escalated`.",
            empty="the webhook does not answer",
            runbook="EscalationRequired",
        ),
        [now('sum(max by (kind) (webhook_pages_open{kind!="approval"}))')],
        Look(steps=limits.ANY, decimals=0, links=(links.INCIDENTS,)),
    )


def _success() -> Panel:
    return stat(
        About(
            id=5,
            title="Actions that helped",
            unit="percentunit",
            shows="Of the actions of the range that is shown, those that did not fail. Of all"
            " projects.",
            good="All of them.",
            act="See below which action fails, and in the incidents why.",
            empty="no action in this range",
        ),
        [
            now(
                "1 - sum(increase(webhook_actions_failed_total[$__range]))"
                " / (sum(increase(webhook_actions_total[$__range])) > 0)"
            )
        ],
        Look(steps=limits.HELPED, decimals=0, low=0, high=1),
    )


def _recovered() -> Panel:
    return stat(
        About(
            id=6,
            title="Time to heal, p95",
            unit="s",
            shows="From the alert that a project is down to the proof that it is up: 19 of 20"
            " outages took no longer. Of all projects, in the range that is shown.",
            good="Below 30 seconds.",
            act="See below which action is slow. What is no outage heals more slowly, as its rule"
            " waits for a minute first: it has a curve of its own below.",
            empty="nothing healed in this range",
            runbook="RecoverySlow",
        ),
        [
            now(
                "histogram_quantile(0.95, sum by (le) (increase("
                'webhook_recovery_seconds_bucket{trouble="outage"}[$__range])))'
            )
        ],
        Look(steps=alarm.line("RecoverySlow"), decimals=1),
    )


def _mode() -> Panel:
    return stat(
        About(
            id=7,
            title="Mode",
            unit="short",
            shows="Whether the webhook acts, leaves some projects alone, only decides and records,"
            " by `--dry-run`, or is stopped by the kill switch. Of all projects.",
            good="`acts`, unless you are trying it out.",
            act="`orchestrator status` tells who chose it, and why; see the restraints below.",
            empty="the webhook does not answer",
        ),
        [now(state.REPAIRING)],
        Look(words=state.REPAIRS),
    )
