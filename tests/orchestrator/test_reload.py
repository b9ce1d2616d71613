"""A changed configuration is taken whole and soon; a mistaken one changes nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from orchestrator.config import BadConfig, Config
from orchestrator.reload import Reload, Told
from orchestrator.source import Source
from tests.waiting import until

WITHIN = 10.0
ENTRY = "projects: [{{name: {name}, url: 'http://127.0.0.1:3010'{more}}}]"


@dataclass
class Desk:
    """A reload that is followed, and what it handed on."""

    file: Path
    reload: Reload
    told: list[str]  # how each reading went, the first one included
    taken: list[Config] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)  # the next takings

    def write(self, name: str, more: str = "") -> None:
        """Replace the file as editors do: by another one of its name."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(ENTRY.format(name=name, more=more), encoding="utf-8")
        fresh.replace(self.file)

    def is_good(self) -> bool:
        """Return what was told last."""
        return self.told[-1] == "good"

    async def until_taken(self, count: int) -> list[list[str]]:
        """Wait for so many configurations; return the names in each."""

        async def there() -> bool:
            return len(self.taken) >= count

        await until(there, within=WITHIN, what=f"{count} configurations")
        return [list(config.projects) for config in self.taken]


@asynccontextmanager
async def _followed(folder: Path) -> AsyncIterator[Desk]:
    file = folder / "o.yml"
    file.write_text(ENTRY.format(name="first", more=""), encoding="utf-8")
    source = Source(path=file)
    told: list[str] = []
    taken: list[Config] = []
    fails: list[Exception] = []
    hears = Told(
        good=partial(told.append, "good"),
        refused=partial(told.append, "refused"),
        failed=partial(told.append, "failed"),
    )

    def take(config: Config) -> None:
        if fails:
            raise fails.pop()
        taken.append(config)

    reload = Reload(source, source.load(), take, hears)
    task = asyncio.create_task(reload.follow())
    try:
        yield Desk(file, reload, told, taken, fails)
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_file_that_is_replaced_is_taken(tmp_path: Path) -> None:
    async with _followed(tmp_path) as desk:
        desk.write("second")
        assert (await desk.until_taken(1), desk.is_good()) == ([["second"]], True)


async def test_a_file_that_is_written_over_is_taken(tmp_path: Path) -> None:
    async with _followed(tmp_path) as desk:
        desk.file.write_text(ENTRY.format(name="another", more=""), encoding="utf-8")
        assert await desk.until_taken(1) == [["another"]]


@pytest.mark.parametrize("how", ["signal", "request"])
async def test_it_is_read_again_when_somebody_asks_also_unchanged(tmp_path: Path, how: str) -> None:
    async with _followed(tmp_path) as desk:
        await asyncio.sleep(0)  # until the signal is listened to
        if how == "signal":
            os.kill(os.getpid(), signal.SIGHUP)
        else:
            await desk.reload.now()
        assert await desk.until_taken(1) == [["first"]]


async def test_a_secret_that_is_replaced_is_taken(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("one", encoding="utf-8")
    async with _followed(tmp_path) as desk:
        desk.write("first", ", auth: {bearer_file: token}")
        await desk.until_taken(1)
        secret.write_text("second", encoding="utf-8")
        await desk.until_taken(2)
        auths = [config.projects["first"].auth for config in desk.taken]
        assert [auth.value for auth in auths if auth] == ["Bearer one", "Bearer second"]


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_text("projects: 3")])
async def test_a_mistake_leaves_everything_as_it_was_and_is_told(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    async with _followed(tmp_path) as desk:
        spoil(desk.file)

        async def refused() -> bool:
            return not desk.is_good()

        await until(refused, within=WITHIN, what="the refusal")
        assert desk.taken == []


async def test_a_mistake_that_is_mended_is_taken(tmp_path: Path) -> None:
    async with _followed(tmp_path) as desk:
        desk.file.write_text("projects: 3", encoding="utf-8")
        with pytest.raises(BadConfig):
            await desk.reload.now()
        desk.write("mended")
        assert (await desk.until_taken(1), desk.is_good()) == ([["mended"]], True)


async def test_who_asks_gets_the_mistake(tmp_path: Path) -> None:
    async with _followed(tmp_path) as desk:
        desk.write("first", ", timout: 2s")
        with pytest.raises(BadConfig) as refused:
            await desk.reload.now()
        assert refused.value.mistakes == ["projects[0].timout: unknown key, did you mean timeout?"]


async def test_a_secret_that_was_missing_is_taken_when_it_has_come(tmp_path: Path) -> None:
    async with _followed(tmp_path) as desk:
        desk.write("late", ", auth: {bearer_file: token}")

        async def refused() -> bool:
            return not desk.is_good()

        await until(refused, within=WITHIN, what="the refusal")
        (tmp_path / "token").write_text("here", encoding="utf-8")
        assert (await desk.until_taken(1), desk.is_good()) == ([["late"]], True)


@pytest.mark.parametrize("odd", ["!!bool maybe", "!!int ''", "!!timestamp nope", "{? [a] : b}"])
async def test_what_no_decoder_foresaw_is_a_mistake_like_any_other(
    tmp_path: Path, odd: str
) -> None:
    async with _followed(tmp_path) as desk:
        desk.file.write_text(f"x: {odd}", encoding="utf-8")

        async def refused() -> bool:
            return not desk.is_good()

        await until(refused, within=WITHIN, what="the refusal")
        desk.write("mended")
        assert (await desk.until_taken(1), desk.is_good()) == ([["mended"]], True)


async def test_a_configuration_that_cannot_be_taken_is_told_and_the_next_one_is(
    tmp_path: Path,
) -> None:
    async with _followed(tmp_path) as desk:
        desk.fails.append(RuntimeError("no room"))
        with pytest.raises(BadConfig) as refused:
            await desk.reload.now()
        desk.write("next")
        assert (refused.value.mistakes, await desk.until_taken(1), desk.told) == (
            ["cannot be taken: RuntimeError('no room')"],
            [["next"]],
            ["good", "failed", "refused", "good"],
        )


async def test_a_configuration_that_its_taker_refuses_is_looked_at_again_when_it_changes(
    tmp_path: Path,
) -> None:
    async with _followed(tmp_path) as desk:
        desk.fails.append(BadConfig("o.yml", ["playbooks.A[0]: 'dance' is no action"]))
        desk.write("second")

        async def refused() -> bool:
            return not desk.is_good()

        await until(refused, within=WITHIN, what="the refusal")
        desk.write("third")
        assert (await desk.until_taken(1), desk.told) == (
            [["third"]],
            ["good", "refused", "good"],
        )
