"""Writing files and folders whole or not at all, under a hidden name that is renamed at the end.

A process that is killed leaves what it had begun, under names that end in `.part`; who next writes there clears them away.
"""

import ctypes
import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lobjax.errors import InputError

PART = ".part"
_BEGUN = re.compile(r"\..*-[a-z0-9_]{8}\.part(\.[^.]+)?", re.DOTALL)  # what `tempfile` makes of the names below
_MOST_NAME = 200  # bytes of a name that a hidden one repeats: of a longer one it has the hash
_RENAME_EXCHANGE, _AT_FDCWD = 2, -100  # of Linux's renameat2


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path` in one rename, on any error it is removed.

    Parents are created. The temporary name keeps `path`'s suffix, which some writers (`numpy.savez`) insist on.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(
            f"{path}: is a {'folder' if path.is_dir() else 'device or pipe'}, not a file; choose another place"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{hidden(path.stem)}-", suffix=PART + path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # the name that the caller knows
        raise


@contextmanager
def whole_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it becomes `path` in one rename, on any error it is removed.

    Parents are created. What is at `path` must be an empty folder, else InputError; with `replace` it may be any folder, and whoever looks
    there sees the old one or the new one (for a moment neither, on a system that cannot exchange two names).
    """
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{hidden(path.name)}-", suffix=PART, dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if replace and path.is_dir():
            _put_in_place_of(temporary, path)
        else:
            _put_at(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def hidden(name: str) -> str:
    """The beginning of a hidden name for what belongs to `name`, short enough for any file system."""
    raw = os.fsencode(name)
    return "." + (name if len(raw) <= _MOST_NAME else hashlib.sha256(raw).hexdigest()[:40])


def clear_begun(path: Path) -> None:
    """Remove what killed processes began to write at the folder `path` and just inside it. Only for who holds its lock."""
    beside = re.compile(re.escape(hidden(path.name)) + r"-[a-z0-9_]{8}\.part")
    for folder, pattern in ((path.parent, beside), (path, _BEGUN)):
        with suppress(OSError):  # it may not exist, or not be ours to read
            for entry in [entry for entry in os.scandir(folder) if pattern.fullmatch(entry.name)]:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def _put_at(temporary: Path, path: Path) -> None:
    try:
        temporary.rename(path)  # over an empty folder too
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise InputError(f"{path}: something was put there meanwhile; choose another place") from None


def _put_in_place_of(temporary: Path, path: Path) -> None:
    """As one step where the system can exchange two names; what was there is left under the name `temporary`."""
    if _exchanged(temporary, path):
        return
    aside = Path(tempfile.mkdtemp(prefix=f"{hidden(path.name)}-", suffix=PART, dir=path.parent))
    try:
        path.rename(aside / "old")
        try:
            temporary.rename(path)
        except BaseException:
            (aside / "old").rename(path)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _exchanged(a: Path, b: Path) -> bool:
    """Exchange two names, if kernel and file system can."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if renameat2 is None:
        return False
    return renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0
