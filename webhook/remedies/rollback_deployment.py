"""rollback_deployment: let a project run the release before this one."""

from datetime import timedelta

from orchestrator import duration
from webhook.remedy import Look, Remedy, Way, not_at_work


def why_not(look: Look) -> str | None:
    """Refuse where no deployment is recent enough to be to blame."""
    lack = not_at_work(look)
    if lack is not None:
        return lack
    if look.deployed_ago is None:
        return "does not tell when it was deployed; there may be nothing to roll back"
    if look.deployed_ago >= look.recent:
        ago = duration.text(look.deployed_ago - look.deployed_ago % timedelta(minutes=1))
        return f"was last deployed {ago} ago; nothing to roll back"
    return None


REMEDY = Remedy(
    name="rollback_deployment",
    done="rollback",
    way=Way.CONTROL,
    disruptive=True,
    precondition=why_not,  # no undo: to roll forward is a deployment, and people make those
)
