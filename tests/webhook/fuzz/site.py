"""A webhook to be fuzzed: a process of its own, a history behind it, and secrets that it knows."""

import hashlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import event, token
from webhook.store import rows
from webhook.store.database import atomic, connect
from webhook.store.intake import receive
from webhook.token import Caller, Role

CHECKOUT = Path(__file__).parents[3]
STARTS_WITHIN = 30.0  # seconds
CANARY = "canary-that-must-not-sing"
PROJECTS = ("email-blast", "chatbot")
CONFIG = """
projects:
  - name: email-blast
    url: http://127.0.0.1:1
    mode: act
    critical: true
    control: {{url: "http://127.0.0.1:1/control", token_file: control.token}}
    auth: {{header: X-Key, value_file: auth.token}}
    faults: http://127.0.0.1:1/faults/email-blast
  - {{name: chatbot, url: "http://127.0.0.1:1", depends_on: [email-blast]}}
playbooks: {{ProjectDown: [restart_service], ProjectHighCPU: [pause_service]}}
alertmanagers: ["http://127.0.0.1:1"]
prometheus: http://127.0.0.1:1
url: http://127.0.0.1:{port}
"""
REFUSAL, SERVER_FAULT = 400, 500
ALLOWED = {("POST /api/test/anomaly", 502)}  # nobody listens where its faults are
HOSTILE = "<script>\x1b[2J\u202e{{7*7}}\U0001f4a9 'x\" \\ %s ${jndi:x}"  # what an alert may say
_ACTION = (
    "INSERT INTO actions (key, incident, project, name, alertname, attempt, state, created_at,"
    " executed_at, finished_at, detail) VALUES (?, 1, 'email-blast', 'restart_service',"
    " 'ProjectDown', ?, ?, ?, ?, ?, ?)"
)
_APPROVAL = (
    "INSERT INTO approvals (action, incident, project, bound, question, asked_at, expires_at,"
    " decided_at, decision, decided_by, reason)"
    " VALUES (?, 1, 'email-blast', ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Site:
    """A running webhook, the header that opens all of it, and what it must keep to itself."""

    url: str
    admin: dict[str, str]
    secrets: tuple[str, ...]


def _token(role: Role) -> str:
    return f"{CANARY}-{role}"


def _secrets(folder: Path) -> tuple[str, ...]:
    tokens = [_token(role) for role in Role]
    hashes = [hashlib.sha256(each.encode()).hexdigest() for each in tokens]
    return (CANARY, *hashes, str(folder))


def _seed(path: Path) -> None:
    """Write a history with everything in it that can be asked for."""
    db = connect(path)
    with atomic(db):
        for begin in range(30):
            told = make.alert(
                project=(*PROJECTS, "unknown")[begin % 3],
                alertname=("ProjectDown", "ProjectHighCPU", "Elsewhere")[begin % 3],
                fingerprint=f"f{begin}",
                hostile=HOSTILE,
            )
            told["annotations"] = {"summary": HOSTILE, "description": HOSTILE * 3}
            receive(db, make.notification(told), make.body(told), at=NOW + begin * SECOND)
        _people(db)
        rows.publish(db, [event.escalated(make.incident(), HOSTILE, at=NOW)] * 50)
    db.close()


def _people(db: sqlite3.Connection) -> None:
    """Write attempts that people were asked about, each with another answer."""
    began, over = rows.text(NOW), rows.text(NOW + 30 * SECOND)
    answers = (None, "approved", "rejected", "expired", "withdrawn")
    for number, answer in enumerate(answers):
        key = f"key-{number}"
        state = "pending" if answer is None else "failed"
        db.execute(_ACTION, (key, number + 1, state, began, began, over, HOSTILE))
        decided = (over, answer, "ann", HOSTILE) if answer else (None,) * 4
        db.execute(_APPROVAL, (key, "0" * 64, HOSTILE, began, over, *decided))


@contextmanager
def running(folder: Path, port: int) -> Iterator[Site]:
    """Run it until the block ends; what it wrote is in `log`."""
    (folder / "orchestrator.yml").write_text(CONFIG.format(port=port))
    for name in ("control.token", "auth.token"):
        (folder / name).write_text(f"{CANARY}-{name}")
    lines = [token.line(Caller(name=f"my-{role}", role=role), _token(role)) for role in Role]
    (folder / "tokens").write_text("\n".join(lines))
    _seed(folder / "x.db")
    log = (folder / "log").open("wb")
    process = subprocess.Popen(  # noqa: S603  a program of ours, no shell
        [
            *(sys.executable, "-m", "webhook", "--enable-test-endpoints"),
            *("--config", str(folder / "orchestrator.yml"), "--db", str(folder / "x.db")),
            *("--tokens", str(folder / "tokens"), "--listen", f"127.0.0.1:{port}"),
        ],
        cwd=CHECKOUT,
        stderr=log,
    )
    admin = {"Authorization": f"Bearer {_token(Role.ADMIN)}"}
    site = Site(f"http://127.0.0.1:{port}", admin, _secrets(folder))
    try:
        _until_ready(site, process, folder / "log")
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()


def _until_ready(site: Site, process: "subprocess.Popen[bytes]", log: Path) -> None:
    latest = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < latest:
        assert process.poll() is None, log.read_text()
        try:
            if requests.get(f"{site.url}/-/ready", timeout=5).status_code == requests.codes.ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())


def is_sound(answer: Any, label: str, site: Site) -> None:  # noqa: ANN401  requests' or schemathesis'
    """Fail when it tells a secret, is a fault of ours, or refuses without saying why."""
    told = f"{answer.headers} {answer.content.decode('utf-8', 'replace')}"
    assert [each for each in site.secrets if each in told] == []
    assert answer.status_code < SERVER_FAULT or (label, answer.status_code) in ALLOWED, told
    if answer.status_code >= REFUSAL:
        assert "application/problem+json" in str(answer.headers["content-type"])
        problem = answer.json()
        assert (problem["status"], bool(problem["detail"])) == (answer.status_code, True)
