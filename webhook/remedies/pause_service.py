"""pause_service: let a project go on answering, and do no work."""

from webhook.remedy import DOES_NOT_ANSWER, Goal, Look, Remedy, Way


def why_not(look: Look) -> str | None:
    """Refuse for a project that is down or paused: what others paused is not ours to resume."""
    if not look.probe.up:
        return DOES_NOT_ANSWER
    return "is paused already" if look.paused else None


REMEDY = Remedy(
    name="pause_service",
    done="pause",
    way=Way.CONTROL,
    disruptive=True,
    precondition=why_not,
    goal=Goal.PAUSED,
    undo="resume_service",
)
