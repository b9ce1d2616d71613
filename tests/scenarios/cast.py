"""The cast: every incident that is recorded from the demo fleet, and what is true of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from webhook.analyzer.answer import Category
from webhook.evaluation.scenario import ACTIONS, Split, Truth

EMAIL, CHATBOT, SOCIAL = "email-blast", "chatbot", "social-media"
RESTART, CLEAR, PAUSE = "restart_service", "clear_cache", "pause_service"
ROLLBACK = "rollback_deployment"
NONE, ESCALATE = "none", "escalate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident: what is done to a project, and when it is looked at."""

    id: str
    about: str
    family: str
    project: str
    alertname: str
    faults: tuple[str, ...]  # as the supervisor is asked for them, with a query; in this order
    truth: Truth
    first: tuple[str, ...] = ()  # commands that are carried out before anything breaks
    tried: tuple[str, ...] = ()  # commands that are carried out while it is broken, in vain
    cured: bool = False  # whether the faults are taken back before the look
    for_seconds: float = 12.0  # that it is broken, once the alert fires


SPLITS: Final[Mapping[str, Split]] = {
    "process_killed": Split.DEV,
    "disk_full": Split.DEV,
    "memory_leak": Split.DEV,
    "error_burst": Split.DEV,
    "recovered": Split.DEV,
    "cpu_load": Split.DEV,
    "hang": Split.HELDOUT,
    "db_lost": Split.HELDOUT,
    "slow": Split.HELDOUT,
    "paused": Split.HELDOUT,
    "two_faults": Split.HELDOUT,
    "spike": Split.HELDOUT,
    "crash_loop": Split.HELDOUT,
}


def _truth(category: Category, *acceptable: str, unless: tuple[str, ...] = ()) -> Truth:
    """Forbid everything else but to ask people, and what is pointless without doing harm."""
    fine = {*acceptable, ESCALATE, *unless}
    return Truth(
        category=category, acceptable=frozenset(acceptable), forbidden=frozenset(ACTIONS - fine)
    )


START = "start_service"
GONE = _truth(Category.PROCESS_DOWN, RESTART, START)
AGAIN = _truth(Category.PROCESS_DOWN, ESCALATE, unless=(RESTART, START))
HANGS = _truth(Category.PROCESS_DOWN, RESTART)
LOST = _truth(Category.DEPENDENCY_DOWN, RESTART, ESCALATE)
FULL = _truth(Category.DISK_FULL, ESCALATE)
LEAK = _truth(Category.MEMORY_LEAK, CLEAR, RESTART)
LEAKS_ON = _truth(Category.MEMORY_LEAK, RESTART, ESCALATE, unless=(CLEAR,))
BUSY = _truth(Category.CPU_SATURATION, PAUSE, ESCALATE, unless=(RESTART,))
RELEASE = _truth(Category.BAD_DEPLOY, ROLLBACK, unless=(RESTART,))
RELEASED_AGAIN = _truth(Category.BAD_DEPLOY, ESCALATE, ROLLBACK, unless=(RESTART,))
SLOWS = _truth(Category.UNKNOWN, ESCALATE)
LEFT_ALONE = _truth(Category.MEMORY_LEAK, ESCALATE)
OVER = _truth(Category.FALSE_ALARM, NONE)

DOWN, MEMORY, CPU = "ProjectDown", "ProjectHighMemory", "ProjectHighCPU"
ERRORS, SLOW, DEGRADED = "ProjectHighErrorRate", "ProjectSlow", "ProjectDegraded"


def _each(  # noqa: PLR0913  a row of a table
    family: str,
    about: str,
    projects: tuple[str, ...],
    alertname: str,
    faults: tuple[str, ...],
    truth: Truth,
    *,
    named: str = "",
    first: tuple[str, ...] = (),
    tried: tuple[str, ...] = (),
    cured: bool = False,
    for_seconds: float = 12.0,
) -> tuple[Case, ...]:
    return tuple(
        Case(
            id=f"{(named or family).replace('_', '-')}-{project}",
            about=f"{project}: {about}",
            family=family,
            project=project,
            alertname=alertname,
            faults=faults,
            truth=truth,
            first=first,
            tried=tried,
            cured=cured,
            for_seconds=for_seconds,
        )
        for project in projects
    )


ALL = (EMAIL, CHATBOT, SOCIAL)
_SHARES = ((EMAIL, 6, "six percent"), (CHATBOT, 11, "eleven percent"), (SOCIAL, 64, "most"))

CAST: Final = (
    *_each(
        "process_killed",
        "its process was killed, and nobody started it again",
        ALL,
        DOWN,
        ("process_killed",),
        GONE,
    ),
    *_each(
        "crash_loop",
        "its process is killed again soon after each restart",
        (EMAIL, SOCIAL),
        DOWN,
        ("process_killed",),
        AGAIN,
        tried=(RESTART, RESTART),
    ),
    *_each("hang", "it accepts connections and answers nothing", ALL, DOWN, ("hang",), HANGS),
    *_each("db_lost", "its connection to the database is lost", ALL, DOWN, ("db_lost",), LOST),
    *_each("disk_full", "its database is full", ALL, DOWN, ("disk_full",), FULL),
    *_each(
        "disk_full",
        "its database is full, and restarts have not helped",
        (EMAIL, CHATBOT),
        DOWN,
        ("disk_full",),
        FULL,
        named="disk_full_restarted",
        tried=(RESTART, RESTART),
    ),
    *_each("memory_leak", "its cache takes all memory", ALL, MEMORY, ("memory_leak",), LEAK),
    *_each(
        "memory_leak",
        "its memory is full again after its cache was cleared",
        (SOCIAL,),
        MEMORY,
        ("memory_leak",),
        LEAKS_ON,
        named="memory_leak_again",
        tried=(CLEAR,),
        for_seconds=25.0,
    ),
    *_each("cpu_load", "its processor is busy without end", ALL, CPU, ("cpu_load",), BUSY),
    *_each(
        "error_burst",
        "a new release fails one request in seven",
        ALL,
        ERRORS,
        ("error_burst",),
        RELEASE,
    ),
    *(
        case
        for project, percent, share in _SHARES
        for case in _each(
            "error_burst",
            f"a new release fails {share} of its requests",
            (project,),
            ERRORS,
            (f"error_burst?percent={percent}",),
            RELEASE,
            named=f"error_burst_{percent}",
        )
    ),
    *_each(
        "error_burst",
        "a bad release was rolled back, and deployed again",
        (CHATBOT,),
        ERRORS,
        ("error_burst",),
        RELEASED_AGAIN,
        named="error_burst_again",
        tried=(ROLLBACK,),
        for_seconds=16.0,
    ),
    *_each("slow", "its health endpoint takes 1.5 s", (EMAIL, CHATBOT), SLOW, ("slow",), SLOWS),
    *_each(
        "slow",
        "it is degraded, for it is slow",
        (SOCIAL,),
        DEGRADED,
        ("slow",),
        SLOWS,
        named="slow_degraded",
    ),
    *_each(
        "paused",
        "somebody has paused it, and its memory fills up",
        (EMAIL, CHATBOT),
        MEMORY,
        ("memory_leak",),
        LEFT_ALONE,
        first=(PAUSE,),
    ),
    *_each(
        "two_faults",
        "its database is full while its processor is busy",
        (SOCIAL, EMAIL),
        DOWN,
        ("cpu_load", "disk_full"),
        FULL,
        named="full_and_busy",
    ),
    *_each(
        "two_faults",
        "a bad release, and its memory fills up beside that",
        (CHATBOT,),
        ERRORS,
        ("memory_leak", "error_burst"),
        RELEASE,
        named="release_and_leak",
    ),
    *_each(
        "two_faults",
        "a bad release that keeps the processor busy as well",
        (SOCIAL,),
        ERRORS,
        ("error_burst", "cpu_load"),
        RELEASE,
        named="release_and_busy",
    ),
    *_each(
        "two_faults",
        "it hangs after its memory has filled up",
        (EMAIL,),
        DOWN,
        ("memory_leak", "hang"),
        HANGS,
        named="leak_and_hang",
    ),
    *_each(
        "recovered",
        "it was down, and somebody has started it before anybody looked",
        ALL,
        DOWN,
        ("process_killed",),
        OVER,
        named="down_recovered",
        cured=True,
        for_seconds=2.0,
    ),
    *_each(
        "recovered",
        "it hung for some seconds",
        (CHATBOT,),
        DOWN,
        ("hang",),
        OVER,
        named="hang_recovered",
        cured=True,
        for_seconds=2.0,
    ),
    *_each(
        "spike",
        "its processor was busy for some seconds",
        (EMAIL, SOCIAL),
        CPU,
        ("cpu_load",),
        OVER,
        named="cpu_spike",
        cured=True,
        for_seconds=2.0,
    ),
    *_each(
        "spike",
        "its memory was full for some seconds",
        (CHATBOT,),
        MEMORY,
        ("memory_leak",),
        OVER,
        named="memory_spike",
        cured=True,
        for_seconds=2.0,
    ),
    *_each(
        "spike",
        "some requests failed, and the release was taken back",
        (SOCIAL, EMAIL),
        ERRORS,
        ("error_burst",),
        OVER,
        named="errors_over",
        cured=True,
        for_seconds=2.0,
    ),
)
