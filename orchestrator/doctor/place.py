"""The place: the disk and the database on it, and the files with tokens."""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from orchestrator.doctor.finding import Finding, fail, ok, warn

DATABASE, TOKENS = "database", "tokens"
SCHEMA = (  # the migrations of webhook/store/schema.py; a test
    *("first_tables", "repairs", "operating", "analyzing", "showing"),
)
NETWORK = frozenset(  # the locks of SQLite are not to be trusted there
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs"),
        *("glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "ncpfs"),
    }
)
ROLES = ("viewer", "operator", "admin", "alertmanager")
TIGHT, FULL = 1024**3, 100 * 1024**2  # bytes
MOUNTS, LOCKS = Path("/proc/self/mountinfo"), Path("/proc/locks")
OTHERS_WRITE = 0o022
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


def database(path: Path, *, mounts: Path = MOUNTS, locks: Path = LOCKS) -> list[Finding]:
    """Look at the database and the disk below it; nothing is written or locked."""
    folder = path.resolve().parent
    if not folder.is_dir():
        return [fail(DATABASE, f"{folder}: no such folder", "make it, or name another with --db")]
    found = [*_disk(folder), *_kind(folder, _text(mounts))]
    try:
        there = path.exists()
    except OSError as error:  # the folder is closed to us
        do = "run the doctor as who runs the webhook, or correct --db"
        return [*found, fail(DATABASE, f"{path}: {error.strerror}", do)]
    if not there:
        do = "nothing, if the webhook has never run or has it elsewhere (--db)"
        return [*found, warn(DATABASE, f"{path} is not there yet", do)]
    return [*found, _schema(path), _lock(path, _text(locks))]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return ""


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    yield disk(folder, free)


def disk(folder: Path, free: int) -> Finding:
    """Judge the bytes that are left."""
    said = f"{free / 1024**3:.1f} GiB are free at {folder}"
    do = "make room: alerts that cannot be stored are refused"
    if free < FULL:
        return fail(DATABASE, said, do)
    return warn(DATABASE, said, do) if free < TIGHT else ok(DATABASE, said)


def _kind(folder: Path, mounts: str) -> Iterator[Finding]:
    kind = file_system(folder, mounts)
    if kind in NETWORK:
        do = "put the database on a local disk: two webhooks could work on it at once"
        yield fail(DATABASE, f"{folder} is a network file system ({kind})", do)
    elif kind:
        yield ok(DATABASE, f"{folder} is on a local disk ({kind})")


def file_system(folder: Path, mounts: str) -> str:
    """Return the type of the file system of *folder*, by the text of mountinfo; empty: unknown."""
    found = ("", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if len(fields) > 4 and rest:  # noqa: PLR2004  the mount point is the fifth
            point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
            if folder.is_relative_to(point) and len(point) >= len(found[0]):
                found = (point, rest[0])
    return found[1]


def _schema(path: Path) -> Finding:
    query = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'webhook' ORDER BY id"
    # Where nobody works on it, SQLite would leave two files of ours beside it, which a webhook that
    # runs as somebody else could not write.
    alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    try:
        where = f"file:{quote(str(path))}?mode=ro{alone}"
        with closing(sqlite3.connect(where, uri=True, timeout=2.0)) as db:
            names = [str(name) for (name,) in db.execute(query)]
    except sqlite3.Error as error:
        do = "is it a database of the webhook? Its backup can be restored"
        return fail(DATABASE, f"{path} cannot be read: {error}", do)
    return schema(path, names)


def schema(path: Path, names: Iterable[str]) -> Finding:
    """Judge the migrations that the database has."""
    beyond = sorted({*names} - {*SCHEMA})
    if beyond:
        do = "start the version that wrote it; an older one refuses it"
        return fail(DATABASE, f"{path} was written by a newer version ({beyond[0]})", do)
    missing = [each for each in SCHEMA if each not in names]
    if missing:
        do = "the webhook brings it up to date when it starts; make a backup before"
        return warn(DATABASE, f"{path} is of an older version", do)
    return ok(DATABASE, f"{path} can be read, and is of this version")


def _lock(path: Path, locks: str) -> Finding:
    beside = path.with_name(f"{path.name}.lock")
    holder = held_by(beside.stat(), locks) if beside.exists() else None
    if holder is None:
        do = "start the webhook, if it is to work on this file"
        return warn(DATABASE, f"no webhook on this machine works on {path}", do)
    return ok(DATABASE, f"process {holder} works on {path}, and no other can")


def held_by(of: os.stat_result, locks: str) -> int | None:
    """Return who has locked the file, by the text of /proc/locks; None: nobody.

    To try the lock would be to take it, if only for a moment in which a webhook starts.
    """
    place = f"{os.major(of.st_dev):02x}:{os.minor(of.st_dev):02x}:{of.st_ino}"
    for line in locks.splitlines():
        words = line.split()
        if len(words) > 5 and words[1] == "FLOCK" and words[5] == place:  # noqa: PLR2004
            return int(words[4])
    return None


def tokens(path: Path) -> list[Finding]:
    """Look at the file of --tokens; what stands in it is not repeated."""
    try:
        text = path.read_text(encoding="utf-8")
        others_write = bool(path.stat().st_mode & OTHERS_WRITE)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        return [fail(TOKENS, f"{path}: {why}", "the webhook refuses to start without it")]
    mistakes = [*mistaken(text)]
    found = [fail(TOKENS, f"{path}: {each}", "mend the line") for each in mistakes]
    if others_write:
        said = f"others on this machine can write {path}, and so let themselves in"
        found.append(fail(TOKENS, said, f"chmod go-w {path}"))
    return found or [ok(TOKENS, f"{path} can be used")]


def mistaken(text: str) -> Iterator[str]:
    """Say what is wrong with lines of `name role sha256-of-token`."""
    many = 0
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        many += 1
        if len(words) != 3:  # noqa: PLR2004  as it says
            yield f"line {number}: has {len(words)} words; write: name role sha256-of-token"
        elif words[1] not in ROLES:
            yield f"line {number}: the role is none of {', '.join(ROLES)}"
        elif not _DIGEST.fullmatch(words[2]):
            yield f"line {number}: the third word is not a SHA-256, which is 64 hex digits"
    if not many:
        yield "has no token, so nobody could call"
