"""The evidence in a request, as a mind finds it there: a head, and items with their ids."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.demo.messages.asked import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece of evidence."""

    id: str
    source: str  # alert, metrics, status, history, logs, runbook
    content: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All texts in it, one a line."""
        return "\n".join(texts(self.content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was sent along."""

    about: Mapping[str, Any]  # what the question is about: project, alert, allowed actions
    items: tuple[Item, ...]
    flags: tuple[str, ...] = ()  # what the program that asks found suspicious itself

    def of(self, *sources: str) -> tuple[Item, ...]:
        """Return the items of *sources*."""
        return tuple(each for each in self.items if each.source in sources)

    @property
    def alertname(self) -> str:
        """The alert that it is about."""
        return str(self.about.get("alert", ""))

    @property
    def allowed(self) -> frozenset[str]:
        """The actions that may be proposed."""
        return frozenset(texts(self.about.get("allowed_actions")))

    @property
    def tried(self) -> frozenset[str]:
        """The actions that were executed already."""
        return frozenset(each.partition(":")[0] for each in texts(self.about.get("tried")))

    def figure(self, name: str) -> tuple[str, float] | None:
        """Return the id and the newest value of the figure *name*; None: it was not measured."""
        for item in self.of("metrics"):
            last = item.content.get("last")
            if item.content.get("question") == name and isinstance(last, int | float):
                return item.id, float(last)
        return None


def read(asked: Asked) -> Evidence:
    """Return the evidence in *asked*: the first JSON object there that has some; else nothing."""
    for found in _objects(asked.text):
        match found:
            case {"about": dict(about), "evidence": list(items), **rest}:
                flags = tuple(texts(rest.get("flags")))
                return Evidence(about=about, items=tuple(_items(items)), flags=flags)
            case _:
                pass
    return Evidence(about={}, items=())


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield found
        at = text.find("{", end)


def _items(raw: list[Any]) -> Iterator[Item]:
    for each in raw:
        match each:
            case {"id": str(number), "source": str(source), "content": dict(content)}:
                yield Item(id=number, source=source, content=content)
            case _:
                pass


def texts(value: object) -> Iterator[str]:
    """Tell every text in *value*, any JSON; of an object its keys, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield key
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)
