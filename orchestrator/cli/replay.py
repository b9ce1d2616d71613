"""`orchestrator replay`: what another configuration would have done with what happened."""

import click

from orchestrator.cli import offline


@click.command(cls=offline.AsItIs)
@offline.passed_on
def replay(*, arguments: tuple[str, ...]) -> None:
    """Run recorded notifications against a configuration, on a clock that does not wait.

    Shows what would have been done beside what was: each action, each question to people, each
    escalation. Nothing is sent to anybody, and a webhook may go on meanwhile.

    \b
    Options:
      FILE                  a recording, as --save writes it; or else
      --from-db             what the database has recorded
      --db FILE             the database  [env var: ORCHESTRATOR_DB]
      --config FILE         the configuration to go by  [env var: ORCHESTRATOR_CONFIG]
      --projects LIST       more projects, as for the webhook  [env var: PROJECTS]
      --from WHEN           compare from there on: 2026-11-20, or 2026-11-20T14:00:00Z
      --to WHEN             compare until then
      --within LENGTH       the same thing no further away is the same; 15s
      --save FILE           write the recording into this file, too
      --json                print one JSON object, and nothing else

    \b
    Examples:
      orchestrator replay --from-db --config new.yml
      orchestrator replay --from-db --from 2026-11-20 --to 2026-11-21 --save day.jsonl
      orchestrator replay day.jsonl --config new.yml --json

    \b
    Exit status: 0 the same, or nothing to compare with; 1 different; 2 a wrong option, or a file
    that cannot be used.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    offline.run("replay", *arguments)
