"""The build of the image: what is let into it, and what its steps leave behind."""

import re
from fnmatch import fnmatch

import pytest

from tests.deploy.compose import ROOT

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
LINES = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def _is_let_in(path: str) -> bool:
    """Tell what .dockerignore says: the last line that fits it, or a folder that it is in."""
    parts = path.split("/")
    above = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    let_in = True
    for line in LINES:
        pattern = line.removeprefix("!").removeprefix("**/")
        tried = [*above, *parts] if "**/" in line else above
        if any(fnmatch(each, pattern) for each in tried):
            let_in = line.startswith("!")
    return let_in


def _copied() -> list[str]:
    steps = re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
    return [source for step in steps for source in step.split()[:-1]]


@pytest.mark.parametrize("source", _copied())
def test_what_is_copied_is_there_and_let_into_the_build(source: str) -> None:
    assert (ROOT / source).exists()
    assert _is_let_in(source)


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".git/config", ".venv/bin/python", ".tools/unstable/usr", "orchestrator.yml"),
        *("deploy/secrets/admin.token", "deploy/compose/orchestrator.yml", "docs/compose.md"),
        *("tests/deploy/test_context.py", "dashboards/panels.py", "rules/slo.yml", "webhook.db"),
        *("tests/pictures/take.py", "docs/pictures/x.png"),
        *("webhook/__pycache__/app.cpython-312.pyc", "orchestrator/__pycache__"),
    ],
)
def test_what_an_image_has_no_business_with_is_not_let_into_the_build(path: str) -> None:
    assert not _is_let_in(path)


def test_whoever_runs_it_can_read_what_was_copied_from_a_private_checkout() -> None:
    *_, last = re.findall(r"^RUN (.+)$", DOCKERFILE, re.MULTILINE)
    assert last.endswith("&& chmod -R a+rX .")
    assert DOCKERFILE.index("chmod -R a+rX .") > DOCKERFILE.rindex("COPY ")


def test_it_runs_as_nobody_in_particular() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
