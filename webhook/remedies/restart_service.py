"""restart_service: end the process, and begin a new one."""

from webhook.remedy import IS_PAUSED, Look, Remedy, Way


def why_not(look: Look) -> str | None:
    """Refuse for a paused project: the new process would work again."""
    return IS_PAUSED if look.paused else None


REMEDY = Remedy(
    name="restart_service",
    done="restart",
    way=Way.CONTROL,
    disruptive=True,
    precondition=why_not,
    failed_event="RESTART_FAILED",
)
