"""The values that files of ours are made of, each refused with a sentence when it is none."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator import duration, strict

LONGEST = timedelta(days=36_500)  # else no instant is that far from now
STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _duration(raw: object) -> timedelta:
    if not isinstance(raw, str):
        raise ValueError(f"{raw!r} is not a duration; {duration.FORM}")  # noqa: TRY004  pydantic's
    length = duration.parse(raw)
    if length > LONGEST:
        raise ValueError(f"must be {duration.text(LONGEST)} at most")
    return length


def _positive(length: timedelta) -> timedelta:
    if length <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return length


def _base_url(raw: str) -> str:
    if {"?", "#"} & set(raw):
        if "@" in raw:
            raise ValueError(strict.HAS_LOGIN)
        raise ValueError(f"{raw!r} is not a URL like http://127.0.0.1:3010")
    return strict.url(raw)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Length = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Url = Annotated[str, AfterValidator(_base_url)]
Name = Annotated[str, AfterValidator(strict.name)]
Count = Annotated[int, Field(strict=True, ge=1, le=100)]  # else `true` would be 1
Ratio = Annotated[float, Field(strict=True, gt=0, le=1)]
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]


class Written(BaseModel):
    """What every mapping of the file has in common: no key that is not known."""

    model_config = STRICT
