"""State: how a project is, as one figure with a word and a color, for every dashboard alike."""

from typing import Final

from dashboards.limits import BLUE, GRAY, GREEN, ORANGE, PLAIN_TEXT, RED
from dashboards.look import Word

WORDS: Final = (
    Word("0", "healthy", GREEN),
    Word("1", "paused", BLUE),
    Word("2", "degraded", ORANGE),
    Word("3", "down", RED),
    Word("4", "maintenance", BLUE),
    Word("null", "nobody looks", GRAY),
)
PAGING: Final = (Word("1", "waiting", ORANGE), Word("2", "firing", RED))
SEVERITIES: Final = (
    Word("critical", "critical", RED),
    Word("warning", "warning", ORANGE),
    Word("info", "info", BLUE),
    Word("none", "none", PLAIN_TEXT),
)
OF_INCIDENTS: Final = (
    Word("open", "open", BLUE),
    Word("awaiting_approval", "awaiting approval", ORANGE),
    Word("repairing", "repairing", BLUE),
    Word("verifying", "verifying", BLUE),
    Word("mitigated", "mitigated", ORANGE),
    Word("escalated", "escalated", RED),
)
OF_ACTIONS: Final = (
    Word("begun", "begun", BLUE),
    Word("proven", "proven", GREEN),
    Word("failed", "failed", RED),
    Word("rejected", "rejected", ORANGE),
    Word("expired", "expired", ORANGE),
    Word("cancelled", "cancelled", PLAIN_TEXT),
    Word("shadowed", "dry run", BLUE),
)
REPAIRS: Final = (
    Word("0", "acts", GREEN),
    Word("1", "some held", ORANGE),
    Word("2", "dry run", ORANGE),
    Word("3", "kill switch", RED),
)
# The strongest of what keeps the webhook from acting, a figure of REPAIRS.
REPAIRING: Final = (
    'max(clamp_max(webhook_restraint_active{kind="hold"}, 1) or webhook_dry_run * 2'
    ' or clamp_max(webhook_restraint_active{kind="kill_switch"}, 1) * 3)'
)
HELD: Final = (Word("0", "may be tried", GREEN), Word("1", "held", RED))
REACHED: Final = (Word("0", "down", RED), Word("1", "up", GREEN))


def worst(scope: str) -> str:
    """Return the query of the state of each project in *scope*, matchers with commas between them.

    The worst word wins where two exporters speak of one project, but maintenance is over them all.
    """
    return f"max by (project) ({_words(scope)} or {_kept(scope)})"


def over_time(scope: str) -> str:
    """Return the same for the time between two points of a curve: the worst that was in it.

    Most outages are healed within seconds, and nobody would see them by a look each 15 seconds.
    """
    down = f"(min_over_time(project_up{{{scope}}}[$__interval]) == 0) + 3"
    return f"max by (project) ({_words(scope)} or {down} or {_kept(scope)})"


def uptime(scope: str) -> str:
    """Return the query of the share of the chosen time that each project in *scope* was up.

    A project whose labels were changed is two series; each counts for its time.
    """
    record = f"project:project_up:max{{{scope}}}[$__range]"
    up, seen = (f"sum by (project) ({of}_over_time({record}))" for of in ("sum", "count"))
    return f"{up} / {seen}"


def budget_left(scope: str) -> str:
    """Return the query of the share of the error budget that each project in *scope* has left.

    The least, where labels were changed: the series from before stays for 30 days, and where that
    is the better one, it would hide what is spent since.
    """
    return f"min by (project) (project:error_budget_remaining:ratio30d{{{scope}}})"


def _words(scope: str) -> str:
    return " or ".join(
        f'project_state{{{scope}, state="{state}"}} * {figure}'
        for figure, state in enumerate(("healthy", "paused", "degraded", "down"))
    )


def _kept(scope: str) -> str:
    kept = f"orchestrator_project_maintenance == 1 and on (project) project_up{{{scope}}}"
    return f"({kept}) * 4"
