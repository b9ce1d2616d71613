"""What is known: a project that a caller names, or what the caller may have meant."""

import difflib
from http import HTTPStatus

from orchestrator.config import Config
from orchestrator.project import Project
from webhook.problem import Problem


def project(config: Config, name: str) -> Project:
    """Return the project of that name; raise Problem (404) with the name that it is most like."""
    found = config.projects.get(name)
    if found is not None:
        return found
    close = difflib.get_close_matches(name, config.projects, n=1)
    instead = f"; did you mean {close[0]}?" if close else ""
    raise Problem(HTTPStatus.NOT_FOUND, f"there is no project {name}{instead}")
