"""What is known: whether a project that a person named is one, where an answer is empty."""

import difflib

from orchestrator.cli.online import Hub


def stranger(hub: Hub, project: str | None) -> str:
    """Return `; no project is called that` and what may have been meant, or nothing."""
    known = [each["name"] for each in hub.get("/api/v1/fleet")["projects"]] if project else []
    if project is None or project in known:
        return ""
    close = difflib.get_close_matches(project, known, n=1)
    instead = f"; did you mean {close[0]}?" if close else ""
    return f"; no project is called {project}{instead}"
