"""One writer at a time for a folder. The kernel lets a lock go when its holder ends, however it ends, so that none is ever stale.

The lock of `runs/a` is a lock by flock(2) on the file `runs/.a.lobjax-lock`: beside the folder, since a folder may have to be empty, be
replaced by a rename or be removed while somebody writes it. Only where nothing can be written beside an existing folder does the file
lie in it. It says who holds the lock. Its holder removes it; one that a killed process left is taken over.

Where the file system knows no locks (ENOLCK, ENOSYS and the like: some network file systems), and on systems without flock, that is said
once and the work goes on. Over NFS a lock holds between machines.
"""

import errno
import functools
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

from lobjax.errors import InputError
from lobjax.files import clear_begun, hidden

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

SUFFIX = ".lobjax-lock"
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)  # what flock says where there are none
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
_MOST_SAID = 4096  # bytes of a lock's file


class _Lock(NamedTuple):
    place: Path
    descriptor: int


@contextmanager
def held(path: str | Path, *, wait: bool = False) -> Iterator[None]:
    """Be the only one who writes the folder `path`, which need not exist; what killed writers began there is cleared away first.

    Where another process writes there: InputError that says which and since when, or with `wait` one line on standard error and then
    its turn. Missing parents are made, and removed again where nothing came of it.
    """
    path = _real(path)
    made = [parent for parent in path.parents if not parent.exists()]
    lock = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _locked(path, wait)
        yield
    finally:
        if lock:
            _let_go(lock)
        for parent in made:
            with suppress(OSError):  # not empty: something did come of it
                parent.rmdir()


def alone_in_out(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command that leaves a folder: the one that its keyword `out` names, if any, is held while it runs."""

    @functools.wraps(command)
    def alone(*args, out: Path | None = None, **rest) -> None:
        with held(out) if out is not None else nullcontext():
            command(*args, out=out, **rest)

    return alone


def wait_for_writer(path: str | Path) -> bool:
    """Wait until nobody writes the folder `path`, saying so once; whether somebody did. Writes nothing."""
    if fcntl is None:
        return False
    path = _real(path)
    try:
        descriptor = os.open(_beside(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if busy := not _try(descriptor, fcntl.LOCK_SH, path):
            _say(f"{path}: in use by {_holder(descriptor)}; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        return busy
    finally:
        os.close(descriptor)


def is_free(path: Path) -> bool:
    """Whether nothing is at `path`, or a folder that holds nothing (but its own lock)."""
    if not path.exists():
        return True
    return path.is_dir() and all(entry.name == SUFFIX for entry in path.iterdir())


def alone_on(file: IO) -> None:
    """Wait until no other process is here with this open file, until it is closed: for adding a line to a file that several add to."""
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise


def _locked(path: Path, wait: bool) -> _Lock:
    said = False
    while True:
        lock = _open(path)
        try:
            if fcntl is None:
                _go_on_without(path, "this system has no flock")
            elif not _try(lock.descriptor, fcntl.LOCK_EX, path):
                holder = _holder(lock.descriptor)
                if not wait:
                    raise InputError(f"{path}: in use by {holder}; wait for it to end, or choose another folder")
                if not said:
                    _say(f"{path}: in use by {holder}; waiting for it")
                    said = True
                fcntl.flock(lock.descriptor, fcntl.LOCK_EX)
            if _is_there(lock):
                _write_holder(lock.descriptor)
                if path not in _WITHOUT:
                    clear_begun(path)
                return lock
        except BaseException:
            os.close(lock.descriptor)
            raise
        os.close(lock.descriptor)  # its holder has removed it meanwhile: a lock on it is worth nothing now


def _open(path: Path) -> _Lock:
    flags = os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC if fcntl else os.O_CREAT
    # One that another user left may be read only, which is enough; and beside a mounted folder often nobody may write.
    attempts = [(_beside(path), flags | os.O_RDWR), (_beside(path), flags & ~os.O_CREAT | os.O_RDONLY)]
    if path.is_dir():
        attempts.append((path / SUFFIX, flags | os.O_RDWR))
    refused: OSError | None = None
    for place, how in attempts:
        try:
            return _Lock(place, os.open(place, how, 0o666))
        except FileNotFoundError as error:
            refused = refused or error
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise InputError(f"{place}: cannot be a lock ({error.strerror}); remove what is there") from None
            refused = refused or error
    assert refused is not None
    refused.filename = str(path)
    raise refused


def _try(descriptor: int, kind: int, path: Path) -> bool:
    """Whether the lock is ours now, or there are none here."""
    assert fcntl is not None
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _go_on_without(path, error.strerror or str(error))
    return True


_WITHOUT: set[Path] = set()  # folders of which it was said that there are no locks


def _go_on_without(path: Path, why: str) -> None:
    if path not in _WITHOUT:
        _WITHOUT.add(path)
        _say(f"{path}: its file system knows no locks ({why}); see to it that no other process writes there")


def _is_there(lock: _Lock) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.descriptor), os.stat(lock.place))
    except FileNotFoundError:
        return False


def _let_go(lock: _Lock) -> None:
    with suppress(OSError):  # the folder may have been removed, and a lock of another user's need not be ours to remove
        if _is_there(lock):
            os.unlink(lock.place)
    if fcntl:
        with suppress(OSError):
            fcntl.flock(lock.descriptor, fcntl.LOCK_UN)  # for processes that were forked from this one too
    os.close(lock.descriptor)


def _write_holder(descriptor: int) -> None:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    command = " ".join(sys.argv)[:200]
    about = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}
    with suppress(OSError):  # another user's
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(about).encode())


def _holder(descriptor: int) -> str:
    """Who holds a lock, in words, as far as its file says."""
    try:
        said = json.loads(os.pread(descriptor, _MOST_SAID, 0))
        pid, host, since, command = int(said["pid"]), str(said["host"]), str(said["since"]), str(said["command"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):  # being written just now
        return "another process"
    if host == socket.gethostname() and not _lives(pid):  # what a killed one left, or one that it had forked holds on
        return "another process"
    where = "" if host == socket.gethostname() else f" on {host}"
    words = "".join(c if c.isprintable() else " " for c in f"process {pid}{where} since {since} ({command})")
    return words[:400]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _beside(path: Path) -> Path:
    return path.parent / (hidden(path.name) + SUFFIX) if path.name else path / SUFFIX


def _real(path: str | Path) -> Path:
    """The path without links, so that a folder has one lock by whatever name. InputError for a name that no folder can have."""
    try:
        found = Path(path).resolve()
        os.stat(found)
    except (FileNotFoundError, PermissionError):
        return found
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links that go round; ValueError: a null byte
        said = getattr(error, "strerror", None) or str(error)
        name = str(path) if len(str(path)) < 300 else f"{str(path)[:140]}...{str(path)[-140:]}"
        raise InputError(f"{name}: cannot be a folder ({said}); choose another") from None
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
