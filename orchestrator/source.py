"""The source of a configuration: the file, the variable PROJECTS, and the secrets they name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from orchestrator import config
from orchestrator.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a configuration comes from, again and again."""

    path: Path
    projects: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    dry_run: bool = False  # every project is only observed, whatever the file says

    def load(self) -> Config:
        """Read it anew; raise BadConfig."""
        read = config.load(self.path, projects=self.projects, environment=self.environment)
        return read.rehearsed() if self.dry_run else read


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--config` as *path* and `--projects`, which every program has."""
    path = click.option(
        "--config",
        "path",
        envvar="ORCHESTRATOR_CONFIG",
        default=str(config.DEFAULT),
        show_default=True,
        type=click.Path(path_type=Path),
        help="Projects, playbooks and guards.",
    )
    projects = click.option(
        "--projects",
        envvar="PROJECTS",
        default="",
        help="More projects, as name:url,name:url.",
    )
    return path(projects(command))
