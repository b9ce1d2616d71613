"""The archive: what a backup holds, how it is packed, and how a strange one is unpacked."""

import hashlib
import io
import json
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import OrchestratorError

MANIFEST, CONFIG, DATABASE = "manifest.json", "orchestrator.yml", "orchestrator.db"
LIMITS = {MANIFEST: 1 << 20, CONFIG: 16 << 20}  # bytes; of the database it is what the disk has
PIECE = 1 << 20  # bytes read at a time
LEVEL = 4  # of gzip: a third of the time of its default, for a tenth more

Told = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


class BadArchive(OrchestratorError):
    """The file is no backup, or not as it was made."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: cannot be restored: {why}")
        self.path = path


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class File(_Strict):
    """One file of the archive."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Chain(_Strict):
    """The audit in the database."""

    rows: int = Field(ge=0)
    head: str = Field(max_length=64, description="a hash, or what stands there instead")
    whole: bool


class Manifest(_Strict):
    """What the archive holds."""

    format: Literal[1] = 1
    version: str = Field(max_length=100)
    at: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
    migrations: list[str]
    audit: Chain
    files: dict[Literal["orchestrator.yml", "orchestrator.db"], File]
    not_in_here: list[str] = Field(description="files that orchestrator.yml names, with secrets")


def described(path: Path, told: Told) -> File:
    """Measure a file."""
    made, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        for piece in _pieces(file, told, f"reading {path.name}", size):
            made.update(piece)
    return File(bytes=size, sha256=made.hexdigest())


def _pieces(file: IO[bytes], told: Told, what: str, size: int) -> Iterator[bytes]:
    done = 0
    while piece := file.read(PIECE):
        done += len(piece)
        told(what, done, size)
        yield piece


class _Watched:
    """A file that tells how far it was read."""

    def __init__(self, file: BinaryIO, told: Told, what: str, size: int) -> None:
        self._file, self._told, self._what, self._size = file, told, what, size
        self._done = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._done += len(piece)
        self._told(self._what, self._done, self._size)
        return piece


def pack(
    into: BinaryIO, manifest: Manifest, files: Mapping[str, Path], *, at: datetime, told: Told
) -> None:
    """Write the archive: the manifest, which says how large the others are, then the others."""
    with tarfile.open(
        fileobj=into, mode="w:gz", format=tarfile.GNU_FORMAT, compresslevel=LEVEL
    ) as tar:
        text = json.dumps(manifest.model_dump(), indent=2).encode() + b"\n"
        tar.addfile(_member(MANIFEST, len(text), at), io.BytesIO(text))
        for name, path in files.items():
            size = path.stat().st_size
            with path.open("rb") as file:
                watched = _Watched(file, told, f"packing {name}", size)
                tar.addfile(_member(name, size, at), watched)


def _member(name: str, size: int, at: datetime) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.mode, made.mtime = size, 0o600, int(at.timestamp())
    return made


class _Plain(tarfile.TarInfo):
    """A member that is a file: of all the other kinds not even the names are read."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise tarfile.ReadError("it holds something else than files")
        made: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]  # not in the stubs
        return made


def unpack(path: Path, folder: Path, *, told: Told) -> Manifest:
    """Write the files of the archive into *folder*, by their fixed names; raise BadArchive.

    Nothing in it is believed: not a name, a size nor a kind. What has another hash than the
    manifest says is refused.
    """
    try:
        with path.open("rb") as file, _opened(file) as tar:
            return _unpacked(path, tar, folder, told)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValidationError) as error:
        why = "its manifest is none" if isinstance(error, ValidationError) else str(error)
        raise BadArchive(path, why) from error


@contextmanager
def _opened(file: BinaryIO) -> Iterator[tarfile.TarFile]:
    with tarfile.open(fileobj=file, mode="r|gz", tarinfo=_Plain) as tar:
        yield tar


def _unpacked(path: Path, tar: tarfile.TarFile, folder: Path, told: Told) -> Manifest:
    first = tar.next()
    if first is None or first.name != MANIFEST or first.size > LIMITS[MANIFEST]:
        raise BadArchive(path, f"it does not begin with {MANIFEST}")
    manifest = Manifest.model_validate_json(_contents(tar, first).read())
    left = {str(name): file for name, file in manifest.files.items()}
    if DATABASE not in left:
        raise BadArchive(path, f"it has no {DATABASE}")
    room = shutil.disk_usage(folder).free
    while (member := tar.next()) is not None:
        expected = left.pop(member.name, None)
        if expected is None:
            raise BadArchive(path, f"it holds {member.name[:100]!r}, which is not in its manifest")
        if member.size != expected.bytes or member.size > LIMITS.get(member.name, room):
            raise BadArchive(path, f"{member.name} has {member.size} bytes, not what it should")
        _write(path, _contents(tar, member), folder / member.name, expected, told)
    if left:
        raise BadArchive(path, f"{', '.join(sorted(left))} is missing")
    return manifest


def _contents(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    found = tar.extractfile(member)
    if found is None:
        raise tarfile.ReadError("it holds something else than files")
    return found


def _write(path: Path, file: IO[bytes], to: Path, expected: File, told: Told) -> None:
    made = hashlib.sha256()
    with to.open("xb") as written:
        to.chmod(0o600)
        for piece in _pieces(file, told, f"unpacking {to.name}", expected.bytes):
            made.update(piece)
            written.write(piece)
    if made.hexdigest() != expected.sha256:
        raise BadArchive(path, f"{to.name} is not what was packed: its SHA-256 is another")
