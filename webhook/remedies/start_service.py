"""start_service: begin a process where none runs."""

from webhook.remedy import Look, Remedy, Way


def why_not(look: Look) -> str | None:
    """Refuse for a project that answers: it runs."""
    return "answers, so it runs already" if look.probe.up else None


REMEDY = Remedy(
    name="start_service",
    done="start",
    way=Way.CONTROL,
    disruptive=False,
    precondition=why_not,
    undo="stop_service",
)
