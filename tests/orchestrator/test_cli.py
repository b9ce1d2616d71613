"""The command line: what it says, what it refuses, and the status that it ends with."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orchestrator.cli import main
from orchestrator.demo.fault import FAULTS, By, Outcome
from orchestrator.demo.stack import PORTS, PROJECTS
from orchestrator.version import VERSION
from tests.conftest import FreePort
from tests.waiting import until

COMMAND = str(Path(sys.executable).with_name("orchestrator"))
CHECKOUT = Path(__file__).parents[2]
UNREPAIRED = [name for name, each in FAULTS.items() if each.outcome is Outcome.NO_PLAYBOOK_YET]


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def _process(
    *arguments: str, cwd: Path = CHECKOUT, env: dict[str, str] | None = None
) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  our own command, no shell
        [COMMAND, *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(*arguments: str, **how: Any) -> tuple[int, str, str]:  # noqa: ANN401  those of _process
    with _process(*arguments, **how) as process:
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.fixture
def ports(free_port: FreePort) -> dict[str, int]:
    """Choose a free port for every program."""
    return {name: free_port() for name in PORTS}


def _options(ports: dict[str, int]) -> list[str]:
    return [part for name, port in ports.items() for part in ("--port", f"{name}={port}")]


def test_help_names_every_command() -> None:
    said = _invoke("--help")
    commands = re.findall(r"(?m)^  ([\w-]+) ", said.output.partition("Commands:")[2])
    assert (said.exit_code, commands) == (0, sorted(main.commands))


def test_help_of_the_demo_names_every_option() -> None:
    assert re.findall(r"(?m)^  (--[a-z]+)", _invoke("demo", "--help").output) == [
        "--fault",
        "--project",
        "--for",
        "--mode",
        "--json",
        "--keep",
        "--fast",
        "--port",
        "--help",
    ]


@pytest.mark.parametrize("name", [*FAULTS, *PROJECTS, "observe", "act"])
def test_help_of_the_demo_names_every_choice(name: str) -> None:
    assert re.search(rf"[\[|]\s*{name}\s*[|\]]", _invoke("demo", "--help").output)


def test_every_example_of_the_help_is_accepted() -> None:
    said = _invoke("demo", "--help").output
    examples = re.findall(r"(?m)^ *orchestrator (demo.*?)(?: >.*)?$", said.partition("Examples")[2])
    outcomes = [_invoke(*shlex.split(each), "--help").exit_code for each in examples]
    assert outcomes == [0, 0, 0, 0]


@pytest.mark.parametrize("how", [[COMMAND], [sys.executable, "-m", "orchestrator"]])
def test_both_names_of_the_command_are_the_same(how: list[str]) -> None:
    done = subprocess.run([*how, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  ours
    assert (done.returncode, done.stdout) == (0, f"orchestrator, version {VERSION}\n")


FORM = "write it like 500ms, 5s, 1m30s, 2h or 30d"
SPAN = "longer than 0s and at most 1d, please"
NAMES = ", ".join(PORTS)
WRONG = [
    (["--fault", "fire"], "'--fault': 'fire' is not one of"),
    (["--project", "crm"], "'--project': 'crm' is not one of"),
    (["--mode", "dare"], "'--mode': 'dare' is not one of 'observe', 'act'."),
    (["--for", "soon"], f"'--for': 'soon' is not a duration; {FORM}"),
    (["--for", "10"], f"'--for': '10' is not a duration; {FORM}"),
    (["--for", "0s"], f"'--for': {SPAN}"),
    (["--for", "25h"], f"'--for': {SPAN}"),
    (["--for", "9999999999d"], "'--for': '9999999999d' is too long a time"),
    (["--port", "9090"], f"'--port': '9090' has no port; choose from {NAMES}"),
    (["--port", "grafana=3000"], f"'--port': 'grafana' has no port; choose from {NAMES}"),
    (["--port", "webhook"], "'--port': '' is not a port; write webhook=18080"),
    (["--port", "webhook=0"], "'--port': '0' is not a port; write webhook=18080"),
    (["--port", "webhook=65536"], "'--port': '65536' is not a port; write webhook=18080"),
    (["--port", "webhook=-1"], "'--port': '-1' is not a port; write webhook=18080"),
    (["--port", "webhook=٣"], "'--port': '٣' is not a port; write webhook=18080"),
    *(
        (["--fault", name, "--for", "10s"], f"--for: {name} does not end by itself")
        for name, each in FAULTS.items()
        if each.by is By.SUPERVISOR
    ),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_a_wrong_option_is_status_2_and_told(arguments: list[str], said: str) -> None:
    done = _invoke("demo", *arguments)
    error = f"Error: Invalid value for {said}"
    assert (done.exit_code, done.stdout, error in done.stderr) == (2, "", True)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["more"], ["--fault"]])
def test_what_the_demo_does_not_know_is_status_2(arguments: list[str]) -> None:
    assert _invoke("demo", *arguments).exit_code == 2


def test_an_unknown_command_is_status_2() -> None:
    assert _invoke("dmeo").exit_code == 2


TOLD = {"slow": "ProjectSlow and ProjectDegraded"}


def _no_playbook(fault: str) -> str:
    return (
        f"{fault}: people get {TOLD[fault]}, and no playbook repairs it yet."
        " There is one for process_killed, hang, db_lost, disk_full, memory_leak, cpu_load,"
        " error_burst.\n"
    )


@pytest.mark.parametrize("fault", UNREPAIRED)
def test_a_fault_without_a_playbook_is_status_3_and_names_its_alerts_and_those_that_have_one(
    fault: str,
) -> None:
    done = _invoke("demo", "--fault", fault)
    assert (done.exit_code, done.stdout, done.stderr) == (3, _no_playbook(fault), "")


@pytest.mark.parametrize("fault", UNREPAIRED)
def test_json_of_a_fault_without_a_playbook_is_all_of_standard_output(fault: str) -> None:
    done = _invoke("demo", "--fault", fault, "--project", "chatbot", "--json")
    assert (done.exit_code, json.loads(done.stdout), done.stderr) == (
        3,
        {
            "project": "chatbot",
            "fault": fault,
            "injected_at": None,
            "detected_s": None,
            "acted_s": None,
            "recovered_s": None,
            "resolved_s": None,
            "actions": [],
            "escalated": False,
            "downtime_s": None,
            "events": [],
            "versions": {"prometheus": None, "alertmanager": None},
        },
        _no_playbook(fault),
    )


def test_a_fault_without_a_playbook_starts_nothing_and_asks_for_no_checkout(tmp_path: Path) -> None:
    said = _run("demo", "--fault", "slow", cwd=tmp_path, env={"TMPDIR": str(tmp_path)})
    assert (said, list(tmp_path.iterdir())) == ((3, _no_playbook("slow"), ""), [])


def test_outside_of_a_checkout_nothing_is_fetched_or_written(
    tmp_path: Path, ports: dict[str, int]
) -> None:
    environment = {"TMPDIR": str(tmp_path), "TOOLS": "download"}
    said = _run("demo", *_options(ports), cwd=tmp_path, env=environment)
    error = (
        f"Error: the demo runs in a checkout of orchestrator, and {tmp_path} has no exporter and"
        " no webhook and no rules; cd to the checkout first\n"
    )
    assert (said, list(tmp_path.iterdir())) == ((1, "", error), [])


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_port_that_is_taken_is_named_before_anything_starts(
    tmp_path: Path, ports: dict[str, int], more: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", ports["webhook"])):
        said = _run("demo", *_options(ports), *more, env={"TMPDIR": str(tmp_path)})
    error = (
        f"Error: taken by another program: port {ports['webhook']} (webhook);"
        " end it, or choose another with --port NAME=PORT\n"
    )
    assert (said, list(tmp_path.iterdir())) == ((1, "", error), [])


def test_two_programs_on_one_port_are_refused(tmp_path: Path, ports: dict[str, int]) -> None:
    chosen = ports | {"exporter": ports["webhook"]}
    said = _run("demo", *_options(chosen), env={"TMPDIR": str(tmp_path)})
    error = "Error: exporter and webhook need a port each; choose others with --port\n"
    assert (said, list(tmp_path.iterdir())) == ((1, "", error), [])


def test_a_program_that_is_named_and_not_there_is_an_error(
    tmp_path: Path, ports: dict[str, int]
) -> None:
    environment = {"TMPDIR": str(tmp_path), "PROMETHEUS": "/nowhere/prometheus"}
    said = _run("demo", *_options(ports), env=environment)
    error = "Error: PROMETHEUS=/nowhere/prometheus: no program there\n"
    assert (said, list(tmp_path.iterdir())) == ((1, "", error), [])


IDLE = """#!/bin/sh
[ "$1" = --version ] && exec echo "idle, version 1.2.3"
exec sleep 60
"""


def _running_with(text: str) -> list[str]:
    """Return the commands of all processes that have *text* among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if text in command:
            found.append(command)
    return found


async def _listening(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
async def test_a_demo_that_is_interrupted_ends_all_it_started(
    tmp_path: Path, ports: dict[str, int], told: signal.Signals
) -> None:
    idle, files = tmp_path / "idle", tmp_path / "files"
    idle.write_text(IDLE, encoding="utf-8")
    idle.chmod(0o755)
    files.mkdir()
    names = ("PROMETHEUS", "PROMTOOL", "ALERTMANAGER", "AMTOOL")
    environment = {"TMPDIR": str(files), **dict.fromkeys(names, str(idle))}
    with _process("demo", *_options(ports), env=environment) as demo:
        assert demo.stdout is not None
        # Line by line: `communicate` would not see what is read ahead of the last one.
        begun = [demo.stdout.readline() for _ in range(2)]
        await until(partial(_listening, ports["email-blast"]), within=30, what="a project")
        demo.send_signal(told)
        rest, error = demo.communicate(timeout=30)
    assert begun == [
        "starting 3 projects, exporter, webhook, Prometheus 1.2.3 and Alertmanager 1.2.3 ...\n",
        "no ANTHROPIC_API_KEY: a stand-in answers for Claude, by simple rules\n",
    ]
    assert (rest, error, demo.returncode) == (
        "interrupted; everything that was started has ended\n",
        "",
        130,
    )
    assert (_running_with(str(files)), list(files.iterdir())) == ([], [])
