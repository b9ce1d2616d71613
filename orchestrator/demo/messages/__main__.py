"""`python -m orchestrator.demo.messages`: the stand-in for the Messages API, as a process."""

import click

from orchestrator import loopback
from orchestrator.demo.messages.app import SUFFIX, application
from orchestrator.demo.messages.mind import MINDS, thinking
from orchestrator.errors import OrchestratorError
from orchestrator.log import level_option, to_stderr
from orchestrator.loopback import address


@click.command()
@click.option("--listen", required=True, help="Loopback address, like 127.0.0.1:3090.")
@click.option(
    "--mind",
    type=click.Choice(list(MINDS)),
    default="reader",
    show_default=True,
    help="Who answers: a careful reader, or one who obeys whatever stands in a log.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1),
    help="How sure each answer is; as its mind says when not given.",
)
@level_option
def main(listen: str, mind: str, confidence: float | None, log_level: str) -> None:
    """Answer in the place of Claude, by rules, until SIGTERM or SIGINT. No Claude is asked.

    \b
    Example:
      python -m orchestrator.demo.messages --listen 127.0.0.1:3090
      # orchestrator.yml: analyzer: {url: http://127.0.0.1:3090}, with any key
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    to_stderr(log_level)
    play = thinking(MINDS[mind], confidence=confidence, suffix=SUFFIX)
    try:
        loopback.run(application(play), address(listen))
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m orchestrator.demo.messages")
