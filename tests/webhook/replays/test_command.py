"""The command, as a process: what it prints, how it ends, and that it prints the same again."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.webhook.replays import day
from webhook.offline.replay import command

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]


def run(
    *arguments: str | Path, seed: str = "0", program: str = "webhook"
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m webhook replay`, or `orchestrator replay`, as a process."""
    return subprocess.run(  # noqa: S603  a program of ours, no shell
        [sys.executable, "-m", program, "replay", *map(str, arguments)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": seed},  # noqa: TID251  a child's
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def called(*arguments: str | Path) -> Result:
    """Call the command in this process, which is quicker."""
    return CliRunner().invoke(command, [str(each) for each in arguments])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write the rules that the day went by."""
    path = tmp_path / "orchestrator.yml"
    path.write_text(day.CONFIG, encoding="utf-8")
    return path


def test_a_recorded_day_of_a_real_stack_is_played_as_it_was() -> None:
    ended = run(HERE / "day.jsonl", "--config", HERE / "day.yml", program="orchestrator")
    last = ended.stdout.splitlines()[-1]
    assert (last, ended.returncode) == ("same: 6, only in replay: 0, only then: 0", 0)


def test_the_same_day_is_told_byte_for_byte_the_same(lived: Path, config: Path) -> None:
    with config.open("a", encoding="utf-8") as rules:
        rules.write("guards: {cooldown: 2m}\n")
    arguments = ("--from-db", "--db", lived, "--config", config, "--json")
    first, second = (run(*arguments, seed=seed) for seed in ("1", "2"))
    assert first.stdout == second.stdout
    assert (json.loads(first.stdout)["only_then"], first.returncode) == (3, 1)


def test_what_is_saved_is_for_its_owner_and_is_played_alike(
    lived: Path, config: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.jsonl"
    saved.write_text("of yesterday, and for everybody")
    saved.chmod(0o644)
    part = ("--from", "2026-11-20T03:00:00Z", "--to", "2026-11-20 04:00", "--config", config)
    first = called("--from-db", "--db", lived, *part, "--save", saved)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    again = called(saved, "--config", config)
    assert again.stdout == first.stdout
    assert again.stdout.splitlines()[-1] == "same: 2, only in replay: 0, only then: 0"


def test_a_recording_that_cannot_be_used_is_told_with_its_line(
    tmp_path: Path, config: Path
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n", encoding="utf-8")
    ended = called(broken, "--config", config)
    said = f"Error: {broken}: line 1: Unable to extract tag using discriminator 'kind'"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", said + "\n")


@pytest.mark.parametrize(
    "beyond", [("--to", "9999-12-31T23:59:59Z"), ("--from", "0001-01-01"), ("--within", "3000000d")]
)
def test_an_instant_beyond_the_calendar_is_told(
    lived: Path, config: Path, beyond: tuple[str, str]
) -> None:
    ended = called("--from-db", "--db", lived, "--config", config, *beyond)
    said = "Error: an instant of it lies at the end of the calendar, or beyond\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", said), ended.exception


def test_what_a_recording_says_does_nothing_to_a_terminal(tmp_path: Path, config: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    line = {"at": "2026-11-20T03:00:00Z", "kind": "begin", "\x1b]0;owned\x07": 1}
    broken.write_text(json.dumps(line), encoding="utf-8")
    ended = called(broken, "--config", config)
    assert (ended.exit_code, ended.stderr.rstrip().isprintable()) == (2, True)


def test_rules_that_cannot_be_used_are_told(config: Path) -> None:
    config.write_text("projects: []\nplaybooks: {ProjectDown: [dance]}\n", encoding="utf-8")
    ended = called(HERE / "day.jsonl", "--config", config)
    assert (ended.exit_code, "playbooks.ProjectDown[0]" in ended.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say what to replay: a FILE, or --from-db"),
        ((HERE / "day.jsonl", "--from-db"), "say what to replay: a FILE, or --from-db"),
        (("--from-db", "--from", "noon"), "'noon' is no instant; write it like 2026-11-21T14:00"),
        (("--from-db", "--within", "soon"), "'soon' is not a duration"),
        (("--from-db", "--db", "/nowhere/x.db"), "/nowhere/x.db: unable to open database file"),
    ],
)
def test_a_wrong_option_is_told(arguments: tuple[str | Path, ...], said: str) -> None:
    ended = called(*arguments, "--config", HERE / "day.yml")
    assert (ended.exit_code, said in ended.stderr) == (2, True)


def test_every_option_is_explained() -> None:
    page = (CHECKOUT / "docs" / "replay.md").read_text(encoding="utf-8")
    options = [name for each in command.params for name in each.opts if name.startswith("--")]
    assert [each for each in options if f"`{each}`" not in page] == []
    assert "--save" in options
