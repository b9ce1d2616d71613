"""A folder with a database, its backup, and the place where that is restored."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tests.webhook.forgery import written
from tests.webhook.make import NOW
from webhook import backup, restore
from webhook.__main__ import main
from webhook.archive import Manifest

ROWS = 40


def silent(_what: str, _done: int, _size: int) -> None:
    """Take no note of how far it is."""


def run(*arguments: object) -> Result:
    """Run `python -m webhook ARGUMENTS` in this process."""
    return CliRunner().invoke(main, [*map(str, arguments)])


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a database, and where its backup goes."""

    folder: Path

    @property
    def db(self) -> Path:
        """Where the database is."""
        return self.folder / "orchestrator.db"

    @property
    def out(self) -> Path:
        """Where its backup goes."""
        return self.folder / "backup.tar.gz"

    @property
    def new(self) -> Path:
        """Where it is restored."""
        return self.folder / "new.db"

    def made(self, *, config: Path | None = None) -> Manifest:
        """Make the backup."""
        return backup.make(self.db, self.out, config=config, at=NOW, told=silent)

    def restored(self, **how: Any) -> restore.Restored:  # noqa: ANN401  those of restore
        """Restore it."""
        given = {"config": None, "force": False, "at": NOW, "told": silent, **how}
        return restore.restore(self.out, self.new, **given)


def begun(folder: Path) -> Place:
    """Write a database with an audit."""
    place = Place(folder)
    written(place.db, ROWS)
    return place
