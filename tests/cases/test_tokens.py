"""E31: the token of Alertmanager is changed while everything runs, and no alert is lost."""

import hashlib
from pathlib import Path

import pytest

from orchestrator.health import State
from tests.cases import mesh
from tests.cases.conftest import Begin, StartPeer
from tests.cases.mesh import Json
from tests.cases.rig import down

pytestmark = pytest.mark.e2e


def _write(file: Path, text: str) -> None:
    """Replace the file at once, as anything that rotates secrets does."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _tokens(*tokens: str) -> str:
    lines = (
        f"alertmanager-{place} alertmanager {hashlib.sha256(token.encode()).hexdigest()}\n"
        for place, token in enumerate(tokens)
    )
    return "".join(lines)


async def test_e31_a_token_is_rotated_without_a_reload_and_nothing_is_lost(
    begin: Begin, start_peer: StartPeer, tmp_path: Path
) -> None:
    credentials, tokens = tmp_path / "credentials", tmp_path / "tokens"
    _write(credentials, "first")
    _write(tokens, _tokens("first"))

    def with_token(config: Json) -> None:
        mesh.hook(config)["http_config"]["authorization"] = {"credentials_file": str(credentials)}

    case = await begin([start_peer(with_token)], "--tokens", str(tokens))
    before, during, after = case.projects
    for project in case.projects:
        project.state = State.DOWN
    await case.fire(down(before.name))
    await case.until_episodes(before, 1)
    _write(tokens, _tokens("first", "second"))
    _write(credentials, "second")
    await case.fire(down(during.name))
    await case.until_episodes(during, 1)
    _write(tokens, _tokens("second"))
    await case.fire(down(after.name))
    await case.until_episodes(after, 1)
    assert {len(case.webhook.episodes(project.name)) for project in case.projects} == {1}


@pytest.mark.long
async def test_e31_what_a_wrong_token_kept_out_comes_again_once_it_is_right(
    begin: Begin, start_peer: StartPeer, tmp_path: Path
) -> None:
    credentials, tokens = tmp_path / "credentials", tmp_path / "tokens"
    _write(credentials, "old")
    _write(tokens, _tokens("new"))

    def with_token(config: Json) -> None:
        mesh.hook(config)["http_config"]["authorization"] = {"credentials_file": str(credentials)}

    case = await begin([start_peer(with_token)], "--tokens", str(tokens))
    project, alert = case.first, down(case.first.name)
    project.state = State.DOWN
    await case.fire(alert)
    await case.until_arrived(2)  # 401 is not tried again in a flush, but at the next
    assert case.doorway.stored == []
    _write(credentials, "new")
    await case.until_episodes(project, 1)
    await case.until_restarted(project)
    assert project.actions == ["restart_service"]
