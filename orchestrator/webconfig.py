"""web.yml: who may call a listener of ours, and through which TLS, as Prometheus' exporters say it.

Every key of the format is honoured or refused. `http2` is taken with either value: we answer in
HTTP/1.1, which every client of HTTP/2 falls back to.
"""

import hashlib
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator import strict
from orchestrator.errors import OrchestratorError

Stamp = tuple[int, ...]  # what a file looks like from outside; empty when there is none


class BadWebConfig(OrchestratorError):
    """The web configuration cannot be used; every mistake is listed with its path."""

    def __init__(self, path: Path, mistakes: list[str], files: Mapping[Path, Stamp]) -> None:
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in mistakes))
        self.mistakes = mistakes
        self.files = files  # what was read, as it was before


class Context(ssl.SSLContext):
    """Carry *trust*, a digest of whose certificates let a client in; empty for any client."""

    trust = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A pair of certificate and key, loaded, and which clients it talks to."""

    context: Context = field(repr=False)
    client_required: bool
    client_sans: frozenset[str]  # empty: any name that the CA vouches for


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """The whole of web.yml, checked; `files` are those it was read from, as they were before."""

    tls: Tls | None
    headers: Mapping[str, str]
    users: Mapping[str, str] = field(repr=False)  # bcrypt hashes by name
    files: Mapping[Path, Stamp] = field(compare=False)

    @property
    def authenticates(self) -> bool:
        """Tell whether every caller is known by password or certificate."""
        return bool(self.users) or (self.tls is not None and self.tls.client_required)


def load(path: Path) -> WebConfig:
    """Read *path* and the files it names; raise BadWebConfig, naming every mistake."""
    files = {path: stamp(path)}
    try:
        written = strict.parse(strict.text(path), _File)
        tls = written.tls_server_config
        named = tls.files(path.parent) if tls else {}
        files |= {file: stamp(file) for file in named.values()}
        return WebConfig(
            tls=_loaded(tls, named) if tls else None,
            headers=written.http_server_config.headers,
            users=written.basic_auth_users,
            files=files,
        )
    except strict.Mistaken as error:
        raise BadWebConfig(path, _unquoted(error), files) from None  # the cause quotes hashes


def stamp(file: Path) -> Stamp:
    """Look at *file* from outside: another stamp means another content, or other rights to it."""
    try:
        seen = file.stat()
    except (OSError, ValueError):
        return ()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_NOBODY, _REQUIRED = "NoClientCert", "RequireAndVerifyClientCert"
_VERIFIED = {
    _NOBODY: ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    _REQUIRED: ssl.CERT_REQUIRED,
}
_UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
_CIPHERS = {
    f"TLS_ECDHE_{key}_WITH_{theirs}": f"ECDHE-{key}-{ours}"
    for key in ("ECDSA", "RSA")
    for theirs, ours in {
        "AES_128_CBC_SHA": "AES128-SHA",
        "AES_256_CBC_SHA": "AES256-SHA",
        "AES_128_GCM_SHA256": "AES128-GCM-SHA256",
        "AES_256_GCM_SHA384": "AES256-GCM-SHA384",
        "CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305",
    }.items()
}
_HEADERS: dict[str, tuple[str, ...]] = {  # with the values to choose from, where they are fixed
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_COSTS = range(4, 17)  # 16 is seconds for a login, and each step doubles it


def _known(raw: object, known: Mapping[str, object]) -> str:
    if not isinstance(raw, str) or raw not in known:
        raise ValueError(f"{raw!r} is unknown; known here: {', '.join(known)}")
    return raw


def _version(raw: object) -> str:
    if raw in ("TLS10", "TLS11"):
        raise ValueError(f"{raw!r} is no longer spoken by Python's OpenSSL; write TLS12 or TLS13")
    return _known(raw, _VERSIONS)


def _client_auth(raw: object) -> str:
    if raw in _UNVERIFIED:
        raise ValueError(
            f"{raw!r} asks for a certificate without verifying it, which Python's ssl cannot;"
            f" write VerifyClientCertIfGiven or {_REQUIRED}"
        )
    return _known(raw, _VERIFIED)


def _cipher(raw: object) -> str:
    return _CIPHERS[_known(raw, _CIPHERS)]


def _headers(raw: dict[str, str]) -> dict[str, str]:
    for name, value in raw.items():
        choice = _HEADERS[_known(name, _HEADERS)]
        if choice and value not in choice:
            raise ValueError(f"{name!r} must be {' or '.join(choice)}")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{name!r} must be a line of ASCII")
    return {name: value for name, value in raw.items() if value}  # blank: not set


def _hash(raw: str) -> str:
    form = _BCRYPT.fullmatch(raw)
    if not form:  # nor is it told what it is: a password, perhaps
        raise ValueError("is not a bcrypt hash; make one with: htpasswd -nBC 10 '' | tr -d ':\\n'")
    if int(form[1]) not in _COSTS:
        raise ValueError(f"a bcrypt cost of {form[1]}; from {_COSTS[0]} to {_COSTS[-1]} is usable")
    return raw


def _users(raw: dict[str, str]) -> dict[str, str]:
    if any(":" in name for name in raw):
        raise ValueError("a name must not contain a colon: Basic authentication ends it there")
    return raw


def _refused(why: str) -> BeforeValidator:
    def refuse(_: object) -> None:
        raise ValueError(why)

    return BeforeValidator(refuse)


def _inline(key: str) -> BeforeValidator:
    return _refused(f"is taken from a file only; write it to one and name that with {key}")


_Version = Annotated[str, BeforeValidator(_version)]
_Flag = Annotated[bool, Field(strict=True)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Tls(_Written):
    cert_file: Path
    key_file: Path
    client_auth_type: Annotated[str, BeforeValidator(_client_auth)] = _NOBODY
    client_ca_file: Path | None = None
    client_allowed_sans: Annotated[tuple[str, ...], AfterValidator(strict.some)] | None = None
    min_version: _Version = "TLS12"
    max_version: _Version = "TLS13"
    cipher_suites: tuple[Annotated[str, BeforeValidator(_cipher)], ...] = ()
    prefer_server_cipher_suites: _Flag = True
    cert: Annotated[None, _inline("cert_file")] = None
    key: Annotated[None, _inline("key_file")] = None
    client_ca: Annotated[None, _inline("client_ca_file")] = None
    curve_preferences: Annotated[
        None, _refused("has no like in Python's ssl; leave it out for OpenSSL's own order")
    ] = None

    def files(self, folder: Path) -> dict[str, Path]:
        """Return the files that are named, by key."""
        named = {"cert_file": self.cert_file, "key_file": self.key_file}
        if self.client_ca_file:
            named["client_ca_file"] = self.client_ca_file
        return {key: folder / file for key, file in named.items()}


class _Http(_Written):
    http2: _Flag = True
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = {}


class _File(_Written):
    tls_server_config: _Tls | None = None
    http_server_config: _Http = _Http()
    basic_auth_users: Annotated[
        dict[str, Annotated[str, AfterValidator(_hash)]], AfterValidator(_users)
    ] = Field(default={}, repr=False)
    rate_limit: Annotated[
        None, _refused("we limit no rate; leave it out, and limit it in a proxy in front")
    ] = None


def _unquoted(error: strict.Mistaken) -> list[str]:
    """Return the mistakes without the lines that YAML quotes: they may hold hashes."""
    cause = error.__cause__
    if isinstance(cause, yaml.MarkedYAMLError) and cause.problem_mark:
        mark = cause.problem_mark
        return [f"line {mark.line + 1}, column {mark.column + 1}: {cause.problem}"]
    return error.mistakes


def _loaded(written: _Tls, files: Mapping[str, Path]) -> Tls:
    mistakes = [*_contradictions(written), *_unreadable(files)]
    if mistakes:
        raise strict.Mistaken([f"tls_server_config.{mistake}" for mistake in mistakes])
    return Tls(
        context=_context(written, files),
        client_required=written.client_auth_type == _REQUIRED,
        client_sans=frozenset(written.client_allowed_sans or ()),
    )


def _contradictions(written: _Tls) -> Iterator[str]:
    policy, verified = written.client_auth_type, written.client_auth_type != _NOBODY
    if verified and not written.client_ca_file:
        yield f"client_ca_file: is missing; {policy} needs it"
    if written.client_ca_file and not verified:
        yield f"client_auth_type: {policy} makes no use of client_ca_file; {_REQUIRED} does"
    if written.client_allowed_sans and policy != _REQUIRED:
        yield f"client_allowed_sans: needs client_auth_type {_REQUIRED}"
    if written.min_version > written.max_version:
        yield f"min_version: {written.min_version} is above max_version {written.max_version}"


def _unreadable(files: Mapping[str, Path]) -> Iterator[str]:
    for key, file in files.items():
        try:
            file.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: no path at all
            yield f"{key}: {file}: {getattr(error, 'strerror', error)}"


def _context(written: _Tls, files: Mapping[str, Path]) -> Context:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[written.min_version]
    context.maximum_version = _VERSIONS[written.max_version]
    context.verify_mode = _VERIFIED[written.client_auth_type]
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an intermediate CA will do, as in Go
    if not written.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if written.cipher_suites:
        context.set_ciphers(":".join(written.cipher_suites))
    if ca := files.get("client_ca_file"):
        with _usable(f"client_ca_file: {ca}: not certificates"):
            context.load_verify_locations(ca)
            if context.verify_mode == ssl.CERT_REQUIRED:
                context.trust = hashlib.sha256(ca.read_bytes()).digest()
    with _usable("key_file: no pair with cert_file"):  # without a password it asks the terminal
        context.load_cert_chain(files["cert_file"], files["key_file"], password="")
    return context


@contextmanager
def _usable(otherwise: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        known = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        why = known.replace("_", " ").lower() if known else "no PEM, or a key with a password"
        raise strict.Mistaken([f"tls_server_config.{otherwise}: {why}"]) from error
