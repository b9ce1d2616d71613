"""What needs the network: compose itself reads the file, and the image's steps are carried out."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.demo import debian
from tests.deploy.compose import ROOT, text

pytestmark = pytest.mark.long

PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def _run(
    *command: str | Path, cwd: Path, within: int = 60, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  programs that were found or fetched, no shell
        command,
        cwd=cwd,
        env={**os.environ, **environment},  # noqa: TID251  the child needs the whole of it
        capture_output=True,
        text=True,
        check=False,
        timeout=within,
    )


@pytest.fixture(scope="session")
def compose() -> Path:
    """Return Debian unstable's `docker-compose`, which reads a file without an engine."""
    into = ROOT / ".tools/compose"
    if not (into / PLUGIN).exists():
        debian.fetch(["docker-compose"], suite="unstable", into=into, then=lambda _: None)
    return into / PLUGIN


def _config(compose: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    example = ROOT / ".env.example"
    return _run(compose, "--env-file", example, *words, "config", "-q", cwd=folder)


@pytest.mark.parametrize("words", [(), ("--profile", "*")], ids=["the demo", "every profile"])
def test_compose_takes_the_file_as_it_is(compose: Path, words: tuple[str, ...]) -> None:
    done = _config(compose, ROOT, *words)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_compose_takes_it_without_the_demo_fleet(compose: Path) -> None:
    done = _run(compose, "config", "-q", cwd=ROOT, CONFIG="./deploy/compose", COMPOSE_PROFILES="")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_compose_refuses_a_key_that_there_is_not(compose: Path, tmp_path: Path) -> None:
    wrong = text().replace("    healthcheck:", "    healthchek:", 1)
    (tmp_path / "docker-compose.yml").write_text(wrong, encoding="utf-8")
    done = _config(compose, tmp_path)
    assert done.returncode != 0
    assert "healthchek" in done.stderr


def test_without_an_env_file_compose_says_what_to_do(compose: Path, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text(text(), encoding="utf-8")
    done = _run(compose, "config", "-q", cwd=tmp_path)
    assert done.returncode != 0
    assert "copy .env.example to .env first" in done.stderr


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Carry out the copies and the `pip` of the Dockerfile in a clean environment."""
    folder = tmp_path_factory.mktemp("image")
    app = folder / "app"
    app.mkdir()
    _run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    for step in re.findall(r"^(COPY|RUN) (.+)$", DOCKERFILE, re.MULTILINE):
        if step[0] == "COPY":
            _copy(step[1].split(), app)
        elif step[1].startswith("pip "):
            words = step[1].partition("&&")[0].split()
            done = _run(folder / "venv/bin" / words[0], *words[1:], cwd=app, within=600)
            assert done.returncode == 0, done.stderr
    yield folder
    shutil.rmtree(folder)  # hundreds of megabytes


def _copy(words: list[str], app: Path) -> None:
    *sources, target = words
    for source in sources:
        to = app / target / Path(source).name if target.endswith("/") else app / target
        to.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, to)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "words",
    [
        ["python", "-m", "exporter", "--version"],
        ["python", "-m", "webhook", "--version"],
        ["python", "-m", "orchestrator.supervisor", "--help"],
        ["python", "-m", "orchestrator.demo.project", "--help"],
        ["python", "-m", "deploy.door", "--help"],
        ["python", "-m", "deploy.keys", "--help"],
        ["python", "-m", "deploy.healthy", "--help"],
        ["python", "-m", "deploy.fault", "--help"],
        ["orchestrator", "--version"],
    ],
    ids=" ".join,
)
def test_every_program_of_the_image_is_in_it(image: Path, words: list[str]) -> None:
    done = _run(image / "venv/bin" / words[0], *words[1:], cwd=image / "app", PYTHONPATH="")
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(900)
def test_the_image_has_the_runbooks_that_the_analyzer_reads(image: Path) -> None:
    code = "from orchestrator.analyzing import RUNBOOKS; print(len([*RUNBOOKS.glob('*.md')]))"
    done = _run(image / "venv/bin/python", "-c", code, cwd=image / "app", PYTHONPATH="")
    assert int(done.stdout) == len([*(ROOT / "docs/runbooks").glob("*.md")])
