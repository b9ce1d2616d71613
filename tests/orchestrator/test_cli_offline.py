"""What works on a database: each command as a process, as people run it."""

import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestrator.cli import main, offline
from tests.terminal import orchestrator
from tests.waiting import until
from tests.webhook.forgery import written
from webhook.__main__ import main as webhook
from webhook.store import reader, trail

COMMANDS = (("audit", "verify"), ("audit", "export"), ("backup",), ("restore",), ("replay",))


def _found(group: click.Command, names: tuple[str, ...]) -> click.Command:
    for name in names:
        assert isinstance(group, click.Group)
        group = group.commands[name]
    return group


@pytest.mark.parametrize("names", COMMANDS)
def test_the_help_has_every_option_of_the_program_and_no_other(names: tuple[str, ...]) -> None:
    real = [each for each in _found(webhook, names).params if isinstance(each, click.Option)]
    said = CliRunner().invoke(main, [*names, "--help"]).stdout
    assert said.count("Options:") == 1
    listed = said.partition("Options:")[2].partition("Examples:")[0]
    assert re.findall(r"(?m)^ +(--[a-z-]+) ", listed) == [
        name for each in real for name in each.opts
    ]
    assert ("Exit status: 0 " in said, f"  orchestrator {' '.join(names)}" in said) == (True, True)


async def test_an_audit_is_verified_and_exported_where_another_webhook_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "webhook").mkdir()
    (tmp_path / "webhook" / "__init__.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(tmp_path)
    db, out = tmp_path / "x.db", tmp_path / "audit.jsonl"
    head = written(db, 5)
    env = {"ORCHESTRATOR_DB": str(db)}
    verified = await orchestrator("audit", "verify", env=env)
    assert (verified.status, verified.out, verified.err) == (
        0,
        f"5 rows, whole, head {head}\n",
        "",
    )
    exported = await orchestrator("audit", "export", "--out", str(out), env=env)
    assert (exported.status, exported.err) == (0, f"head {head}\n")
    with closing(out.open()) as file:
        assert len(file.readlines()) == 5


async def test_a_database_is_backed_up_and_restored(tmp_path: Path) -> None:
    written(tmp_path / "x.db", 5)
    out, new = str(tmp_path / "b.tar.gz"), str(tmp_path / "new.db")
    made = await orchestrator("backup", out, "--db", str(tmp_path / "x.db"), "--json")
    assert (made.status, made.json["audit"]["rows"]) == (0, 5)
    restored = await orchestrator("restore", out, "--db", new)
    assert (restored.status, restored.err) == (0, "")
    with closing(reader.connect(Path(new))) as db:
        assert trail.head(db).rows == 6


async def test_a_mistake_is_told_of_the_command_that_was_written(tmp_path: Path) -> None:
    made = await orchestrator("backup", env={"ORCHESTRATOR_DB": str(tmp_path / "x.db")})
    usage = "Usage: orchestrator backup [OPTIONS] OUT\nTry 'orchestrator backup --help' for help.\n"
    assert (made.status, made.err) == (2, f"{usage}\nError: Missing argument 'OUT'.\n")


async def test_without_a_configuration_a_replay_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = await orchestrator("replay", "--from-db")
    said = "Error: orchestrator.yml: No such file or directory; --config names another\n"
    assert (ran.status, ran.err) == (2, said)


async def test_a_name_that_looks_like_an_option_stands_behind_two_dashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "x.db", 5)
    for name in ("-b.tar.gz", "--help"):
        made = await orchestrator("backup", "--db", "x.db", "--", name)
        assert (made.status, made.err, (tmp_path / name).exists()) == (0, "", True), name


def test_without_a_webhook_beside_it_says_what_is_needed(tmp_path: Path) -> None:
    @click.command()
    def command() -> None:
        offline.run("audit", "verify", root=tmp_path)

    ran = CliRunner().invoke(command)
    assert (ran.exit_code, ran.stderr) == (
        1,
        (
            f"Error: there is no webhook in {tmp_path}: this command works on its database, and"
            " needs a checkout or an image of orchestrator; see docs/backup.md\n"
        ),
    )


async def test_ctrl_c_is_status_130_and_the_program_has_its_time_to_end(tmp_path: Path) -> None:
    """Both of a terminal's processes get it; the program is one that takes note of it."""
    script = tmp_path / "webhook" / "__main__.py"
    script.parent.mkdir()
    (script.parent / "__init__.py").touch()
    began, ended = tmp_path / "began", tmp_path / "ended"
    script.write_text(
        "import pathlib, time\n"
        "def main(*, prog_name):\n"
        f"    try:\n        pathlib.Path({str(began)!r}).touch()\n"
        "        time.sleep(60)\n"
        f"    except KeyboardInterrupt:\n        pathlib.Path({str(ended)!r}).touch()\n"
    )
    code = (
        "from pathlib import Path; from orchestrator.cli import offline;"
        f" offline.run(root=Path({str(tmp_path)!r}))"
    )
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as process:  # noqa: S603, ASYNC220  ours

        async def begun() -> bool:
            return began.exists()

        await until(begun, within=20, what="the program")
        os.killpg(process.pid, signal.SIGINT)
        status = process.wait(timeout=20)
    assert (status, ended.exists()) == (130, True)
