"""The shards together are the whole fleet, each project is on one, and few move."""

import pytest

from exporter.shard import WHOLE, BadShard, Shard, shard

NAMES = [f"project-{number}" for number in range(2000)]


def _of(count: int) -> dict[str, list[int]]:
    shards = [Shard(number, count) for number in range(1, count + 1)]
    return {name: [each.number for each in shards if each.has(name)] for name in NAMES}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_every_project_is_on_one_shard_and_on_no_other(count: int) -> None:
    assert {len(numbers) for numbers in _of(count).values()} == {1}


@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_shards_are_about_as_large(count: int) -> None:
    fair = len(NAMES) / count
    sizes = [list(_of(count).values()).count([number]) for number in range(1, count + 1)]
    assert [0.8 * fair < size < 1.2 * fair for size in sizes] == [True] * count


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_one_more_shard_takes_its_share_and_nothing_else_moves(count: int) -> None:
    before, after = _of(count), _of(count + 1)
    moved = [name for name in NAMES if before[name] != after[name]]
    assert {after[name][0] for name in moved} == {count + 1}
    assert len(moved) < 1.3 * len(NAMES) / (count + 1)


@pytest.mark.parametrize(("text", "read"), [("1/1", WHOLE), ("2/3", Shard(2, 3))])
def test_a_shard_is_written_as_one_of_how_many(text: str, read: Shard) -> None:
    assert (shard(text), str(read)) == (read, text)


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1", "1/0", "a/b", "-1/2", "1/2/3", "1/1001"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(BadShard) as refused:
        shard(text)
    assert str(refused.value) == f"{text!r} is no shard; write 1/3, 2/3 or 3/3 for three exporters"
