"""resume_service: let a paused project work again."""

from webhook.remedy import Look, Remedy, Way


def why_not(look: Look) -> str | None:
    """Refuse for a project that does not say that it is paused."""
    return None if look.paused else "is not paused"


REMEDY = Remedy(
    name="resume_service",
    done="resume",
    way=Way.CONTROL,
    disruptive=False,
    precondition=why_not,
    undo="pause_service",
)
