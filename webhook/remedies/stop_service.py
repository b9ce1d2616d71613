"""stop_service: end the process, and leave it ended."""

from webhook.remedy import DOES_NOT_ANSWER, Goal, Look, Remedy, Way


def why_not(look: Look) -> str | None:
    """Refuse for a project that is down: silence afterwards would prove nothing."""
    return None if look.probe.up else DOES_NOT_ANSWER


REMEDY = Remedy(
    name="stop_service",
    done="stop",
    way=Way.CONTROL,
    disruptive=True,
    precondition=why_not,
    goal=Goal.STOPPED,
    undo="start_service",
)
