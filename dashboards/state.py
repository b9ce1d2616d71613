"""State: how a project is, as one figure with a word and a color, for every dashboard alike."""

from typing import Final

from dashboards.limits import BLUE, GREEN, ORANGE, PLAIN_TEXT, RED
from dashboards.look import Word

WORDS: Final = (
    Word("0", "healthy", GREEN),
    Word("1", "paused", BLUE),
    Word("2", "degraded", ORANGE),
    Word("3", "down", RED),
    Word("4", "maintenance", BLUE),
    Word("null", "nobody looks", PLAIN_TEXT),
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
HELD: Final = (Word("0", "may be tried", GREEN), Word("1", "held", RED))
REACHED: Final = (Word("0", "down", RED), Word("1", "up", GREEN))


def worst(scope: str) -> str:
    """Return the query of the state of each project in *scope*, matchers with commas between them.

    The worst word wins where two exporters speak of one project, but maintenance is over them all.
    """
    each = " or ".join(
        f'project_state{{{scope}, state="{state}"}} * {figure}'
        for figure, state in enumerate(("healthy", "paused", "degraded", "down"))
    )
    kept = f"orchestrator_project_maintenance == 1 and on (project) project_up{{{scope}}}"
    return f"max by (project) ({each} or ({kept}) * 4)"
