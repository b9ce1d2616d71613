"""`python -m deploy.mounted [--check]`: the files of rules/, with the addresses of containers.

In rules/ everything is on one machine. In containers everything has an address of its own, so that
callers have to be known; there are two Alertmanagers, and a Grafana. Nothing else differs.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from orchestrator.errors import OrchestratorError

ROOT = Path(__file__).resolve().parents[1]
MADE = (
    "# Made from rules/{name} by `python -m deploy.mounted`; change that one, and make it anew.\n"
)

_SECRETS = "/run/secrets"
_ALERTMANAGERS = "[alertmanager-1:9093, alertmanager-2:9093]"
_PASSWORD = (
    f"    basic_auth: {{username: prometheus, password_file: {_SECRETS}/exporter.password}}\n"
)
_SCRAPER = f"    authorization: {{credentials_file: {_SECRETS}/prometheus.token}}\n"
_GRAFANA = f"""
  - job_name: grafana
    basic_auth: {{username: prometheus, password_file: {_SECRETS}/scraper.password}}
    static_configs:
      - targets: [grafana:3000]
"""
_POSTER = f"          authorization: {{credentials_file: {_SECRETS}/alertmanager.token}}\n"
_NO_REDIRECT = "          follow_redirects: false  # else"  # the first receiver's, with its reason


class Unlike(OrchestratorError):
    """A file of rules/ does not have what was to be replaced in it."""

    def __init__(self, text: str, times: int) -> None:
        super().__init__(f"{text!r} stands {times} times in the file; see deploy/mounted.py")


@dataclass(frozen=True, slots=True)
class Put:
    """*new* instead of *old*, which has to stand there exactly *times*."""

    old: str
    new: str
    times: int = 1


PROMETHEUS = (
    Put(
        "# The addresses are those of a machine that runs everything itself;"
        " change the targets to yours.\n",
        "",
    ),
    Put("[127.0.0.1:9093]", _ALERTMANAGERS, times=2),
    Put("[127.0.0.1:4010]", "[exporter:4010]", times=2),
    Put("[127.0.0.1:4001]", "[webhook:4001]"),
    Put("job_name: exporter-health\n", f"job_name: exporter-health\n{_PASSWORD}"),
    Put("job_name: exporter-resources\n", f"job_name: exporter-resources\n{_PASSWORD}"),
    Put("job_name: webhook\n", f"job_name: webhook\n{_SCRAPER}"),
)
ALERTMANAGER = (
    Put("http://127.0.0.1:4001/alerts", "http://webhook:4001/alerts"),
    Put(_NO_REDIRECT, f"{_POSTER}{_NO_REDIRECT}"),
)


def replaced(text: str, puts: tuple[Put, ...]) -> str:
    """Carry out *puts* on *text*; raise Unlike when it is not as they expect."""
    for put in puts:
        if (times := text.count(put.old)) != put.times:
            raise Unlike(put.old, times)
        text = text.replace(put.old, put.new)
    return text


def prometheus(text: str) -> str:
    """Return Prometheus' configuration for containers; the rules are in a folder beside its own."""
    begin, files, rest = text.partition("rule_files:\n")
    names, gap, rest = rest.partition("\n\n")
    below = names.replace("  - ", "  - ../rules/")
    return replaced(f"{begin}{files}{below}{gap}{rest}", PROMETHEUS) + _GRAFANA


def alertmanager(text: str) -> str:
    """Return Alertmanager's configuration for containers."""
    return replaced(text, ALERTMANAGER)


MOUNTED: Mapping[str, Callable[[str], str]] = {
    "prometheus": prometheus,
    "alertmanager": alertmanager,
}


def files(root: Path) -> dict[Path, str]:
    """Return what has to stand in each file of deploy/ that comes from rules/; raise Unlike."""
    made = {}
    for folder, change in MOUNTED.items():
        name = f"{folder}.yml"
        text = (root / "rules" / name).read_text(encoding="utf-8")
        made[root / "deploy" / folder / name] = MADE.format(name=name) + change(text)
    return made


def drifted(root: Path) -> list[Path]:
    """Return the files that are not as they have to be."""
    return [
        path
        for path, text in files(root).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; the status is 1 when a file differs.")
def main(*, check: bool) -> None:
    """Write the configurations that the containers of Prometheus and Alertmanager mount."""
    if not check:
        for path, text in files(ROOT).items():
            path.write_text(text, encoding="utf-8")
        return
    for path in (old := drifted(ROOT)):
        click.echo(f"{path.relative_to(ROOT)}: not what rules/ makes: python -m deploy.mounted")
    sys.exit(bool(old))


if __name__ == "__main__":
    main(prog_name="python -m deploy.mounted")
