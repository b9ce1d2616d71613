"""`orchestrator backup` and `orchestrator restore`: the database in one file, and back."""

import click

from orchestrator.cli import offline


@click.command(cls=offline.AsItIs)
@offline.passed_on
def backup(*, arguments: tuple[str, ...]) -> None:
    """Back the database up into a file, also while a webhook works on it.

    It is the database as it was at one instant, with orchestrator.yml, for its owner alone. Files
    with secrets are not in it: keep them elsewhere.

    \b
    Options:
      OUT                   the file; one that is there is never written over
      --db FILE             the database  [env var: ORCHESTRATOR_DB]
      --config FILE         goes into the backup, too  [env var: ORCHESTRATOR_CONFIG]
      --json                print one JSON object, and nothing else

    \b
    Examples:
      orchestrator backup --db orchestrator.db backup.tar.gz
      orchestrator backup "/backup/$(date +%F).tar.gz"

    \b
    Exit status: 0 made, 1 not made, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    offline.run("backup", *arguments)


@click.command(cls=offline.AsItIs)
@offline.passed_on
def restore(*, arguments: tuple[str, ...]) -> None:
    """Make the database what a backup holds, after the whole backup was checked.

    It is refused while a webhook works on the database. What stands there is moved aside with
    --force, and never deleted. docs/backup.md says what a restored database has forgotten.

    \b
    Options:
      SOURCE                the backup
      --db FILE             the database  [env var: ORCHESTRATOR_DB]
      --config FILE         where orchestrator.yml is put; else it stays in the backup
      --force               move aside what stands there
      --json                print one JSON object, and nothing else

    \b
    Examples:
      orchestrator restore backup.tar.gz --db orchestrator.db
      orchestrator restore backup.tar.gz --db orchestrator.db --config orchestrator.yml --force

    \b
    Exit status: 0 restored, 1 refused, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    offline.run("restore", *arguments)
