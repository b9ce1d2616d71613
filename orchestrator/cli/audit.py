"""`orchestrator audit`: whether the audit is whole, and the audit for others."""

import click

from orchestrator.cli import offline


@click.group()
def audit() -> None:
    """Prove that the audit is whole, or hand it on."""


@audit.command(cls=offline.AsItIs)
@offline.passed_on
def verify(*, arguments: tuple[str, ...]) -> None:
    """Follow the audit of a database from its first row to its last, and name the first wrong one.

    Nothing is written, and a webhook may go on meanwhile. That the end was cut off, or that rows
    were changed and all that follow hashed anew, is seen only with a head from elsewhere.

    \b
    Options:
      --db FILE             the database  [env var: ORCHESTRATOR_DB]
      --file EXPORT         an export as JSON lines, instead
      --head ROWS:HASH      a head noted elsewhere, or a file of some; again and again
      --prometheus URL      compare with what this Prometheus has kept of 30 days
      --instance NAME       the label of the webhook, where Prometheus has several
      --config FILE         the same, with the Prometheus of this orchestrator.yml
      --json                print one JSON object, and nothing else

    \b
    Examples:
      orchestrator audit verify --db orchestrator.db
      orchestrator audit verify --prometheus http://127.0.0.1:9090
      orchestrator audit verify --file audit.jsonl --head heads.txt

    \b
    Exit status: 0 whole, 1 broken or not to be read, 2 a wrong option, 4 whole as far as can be
    seen, but Prometheus gave no answer.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    offline.run("audit", "verify", *arguments)


@audit.command(cls=offline.AsItIs)
@offline.passed_on
def export(*, arguments: tuple[str, ...]) -> None:
    """Write the audit of a database down, and say its head on standard error.

    \b
    Options:
      --db FILE             the database  [env var: ORCHESTRATOR_DB]
      --format jsonl|csv    jsonl can be verified; csv is for people
      --since WHEN          from there on: 30d, or 2026-11-21T08:00:00Z
      --out FILE            a file for its owner alone, instead of standard output

    \b
    Examples:
      orchestrator audit export --out audit.jsonl 2>>heads.txt
      orchestrator audit export --format csv --since 30d >audit.csv

    \b
    Exit status: 0 written, 1 not to be read or written, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    offline.run("audit", "export", *arguments)
