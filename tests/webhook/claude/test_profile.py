"""A profile on disk, which the SDK goes by where nothing else is said: we never do."""

from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.messages import stand_in
from tests.webhook.claude.site import KEY, PACK, Book, client
from tests.webhook.claude.stray import TOKEN, profile


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a home, and nothing in the environment but that."""
    names = ("API_KEY", "AUTH_TOKEN", "BASE_URL", "PROFILE", "CONFIG_DIR")
    for name in names:
        monkeypatch.delenv(f"ANTHROPIC_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


async def test_the_sdk_by_itself_would_go_by_a_profile(serve: Serve, home: Path) -> None:
    import anthropic  # noqa: PLC0415  with a key only

    url, script = await stand_in(serve)
    profile(home, url=url)
    async with anthropic.AsyncAnthropic(max_retries=0) as stray:
        await stray.messages.create(
            model="claude-sonnet-5-5", max_tokens=1, messages=[{"role": "user", "content": "x"}]
        )
    assert [each.headers["Authorization"] for each in script.asked] == [f"Bearer {TOKEN}"]


async def test_a_profile_changes_neither_whom_we_ask_nor_as_whom(serve: Serve, home: Path) -> None:
    elsewhere, stray = await stand_in(serve)
    profile(home, url=elsewhere)
    url, script = await stand_in(serve)
    async with client(url) as site:
        heard = await site.claude.ask(PACK, Book().ledger)
    assert heard.answer is not None
    assert [each.headers["Authorization"] for each in script.asked] == [f"Bearer {KEY}"]
    assert TOKEN not in str(script.asked[0].headers)
    assert stray.asked == []
