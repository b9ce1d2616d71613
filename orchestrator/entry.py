"""An entry: one project of the file with its defaults filled in and its files read."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, cast

from orchestrator import gauge, secret, tls
from orchestrator.project import Auth, Control, Gauge, Labels, Paths, Project, Thresholds, Tls
from orchestrator.stamp import Stamp, stamp
from orchestrator.written import (
    WrittenAuth,
    WrittenControl,
    WrittenDefaults,
    WrittenProject,
    WrittenThresholds,
)

Same = TypeVar("Same")


@dataclass(slots=True)
class Surroundings:
    """Where secrets and certificates come from, and what was wrong with them."""

    folder: Path  # where file names begin
    environment: Mapping[str, str]
    mistakes: list[str] = field(default_factory=list)
    read: dict[Path, Stamp] = field(default_factory=dict)  # from before it was read

    def file(self, name: Path) -> Path:
        """Return the path of a file that is about to be read."""
        path = self.folder / name
        self.read.setdefault(path, stamp(path))
        return path

    @contextmanager
    def mistaken(self, path: str) -> Iterator[None]:
        """Note a ValueError of the block as a mistake at *path*."""
        try:
            yield
        except ValueError as error:
            self.mistakes.append(f"{path}: {error}")


def project(
    written: WrittenProject,
    place: str,
    around: Surroundings,
    *,
    defaults: WrittenDefaults,
    thresholds: WrittenThresholds,
) -> Project:
    """Fill in the defaults of *written*, which stands at *place*; mistakes go to *around*."""
    control = written.control or WrittenControl(url=f"{written.url}/control")
    token = control.token_file
    return Project(
        name=written.name,
        url=written.url,
        control=Control(url=control.url, token_file=around.folder / token if token else None),
        mode=written.mode or defaults.mode,
        health_interval=written.health_interval or defaults.health_interval,
        metrics_interval=written.metrics_interval or defaults.metrics_interval,
        timeout=written.timeout or defaults.timeout,
        slow_after=written.slow_after or defaults.slow_after,
        labels=_labels(defaults.labels, written.labels),
        thresholds=_same(_thresholds(thresholds, written.thresholds)),
        metrics=_gauges(written.metrics, place, around),
        critical=written.critical,
        depends_on=written.depends_on,
        slo=written.slo,
        auth=_auth(written.auth, f"{place}.auth", around) if written.auth else None,
        tls=_tls(written, f"{place}.tls", around),
        paths=_same(Paths(**dict(written.paths))),
        faults=written.faults,
    )


def _same(value: Same) -> Same:
    """Return one object for equal values: thousands of projects say mostly the same."""
    return cast(Same, _first(value))


@lru_cache(maxsize=10_000)
def _first(value: object) -> object:
    return value


def _labels(defaults: Mapping[str, str], own: Mapping[str, str]) -> Labels:
    return _same(tuple(sorted({**defaults, **own}.items())))


def _thresholds(general: WrittenThresholds, own: WrittenThresholds) -> Thresholds:
    said = {key: each for part in (general, own) for key, each in part if each is not None}
    return Thresholds(**said)


def _gauges(written: Mapping[str, str], place: str, around: Surroundings) -> tuple[Gauge, ...]:
    made = []
    for name, source in written.items():
        with around.mistaken(f"{place}.metrics.{name}"):
            made.append(_same(gauge.gauge(name, source)))
    return _same(tuple(made))


def _auth(written: WrittenAuth, place: str, around: Surroundings) -> Auth | None:
    if written.username:
        value = _secret(written.password_file, written.password_env, f"{place}.password", around)
        pair = base64.b64encode(f"{written.username}:{value}".encode()).decode()
        return Auth(header="Authorization", value=f"Basic {pair}")
    if written.header:
        value = _secret(written.value_file, written.value_env, f"{place}.value", around)
        return Auth(header=written.header, value=value)
    value = _secret(written.bearer_file, written.bearer_env, f"{place}.bearer", around)
    return Auth(header="Authorization", value=f"Bearer {value}")


def _secret(file: Path | None, variable: str | None, place: str, around: Surroundings) -> str:
    with around.mistaken(f"{place}_file" if file else f"{place}_env"):
        if file:
            return secret.from_file(around.file(file))
        return secret.from_environment(variable or "", around.environment)
    return ""  # a mistake is noted, so nobody will use it


def _tls(project: WrittenProject, place: str, around: Surroundings) -> Tls:
    written = project.tls
    named = {key: getattr(written, key) for key in ("ca_file", "cert_file", "key_file")}
    files = {key: around.file(name) for key, name in named.items() if name}
    made = _same(
        Tls(
            **files,
            server_name=written.server_name,
            verify=not written.insecure_skip_verify,
            stamp=tuple((around.read[path] or (0,))[0] for path in files.values()),
        )
    )
    if files or project.url.startswith("https:"):  # now, and not when it is first asked
        try:
            tls.context(made)
        except tls.BadTls as error:
            around.mistakes.append(f"{place}.{error.key}: {error}")
    return made
