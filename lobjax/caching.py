"""Where Numba keeps compiled code: a folder named by the sources, so that an edit can never meet stale code.

Numba looks only at the file that holds a function, not at the functions it calls in other files. Where the user's folder for caches
cannot be written (a container without a home, a cluster's node) a private one among the temporary files takes its place.
"""

import contextlib
import hashlib
import os
import stat
import sys
from pathlib import Path

# Files that Numba is not imported in, yet what it compiles and keeps comes from: rules and numbers that it bakes in.
_BAKED_IN = (
    "kinds.py",
    "types.py",
    "data/day.py",
    "data/dbn.py",
    "forecast/features/rows.py",
    "reference/book.py",
    "snapshot/bounds.py",
)
_untold: list[str] = []


def set_up() -> None:
    """Point Numba at this version's folder, before Numba is first imported. NUMBA_CACHE_DIR is left alone where it can be written."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    if asked and _writable(Path(asked)):
        return
    home = None if asked else _home()
    name = f"numba-{_digest()}"
    if home is not None and _writable(home / "lobjax" / name):
        os.environ["NUMBA_CACHE_DIR"] = str(home / "lobjax" / name)
        return
    private = _private()
    if private is None:
        return  # Numba may find a place yet, such as the folder of the sources
    os.environ["NUMBA_CACHE_DIR"] = str(private / name)
    if home is None or not _writable(
        home / "matplotlib"
    ):  # which otherwise says the same in other words, several lines long
        os.environ.setdefault("MPLCONFIGDIR", str(private / "matplotlib"))
    wanted = f"NUMBA_CACHE_DIR={asked}" if asked else str(home / "lobjax") if home else "a folder for caches"
    _untold.append(f"{wanted} cannot be written: compiled code is kept in {private}")


def say() -> None:
    """Say on standard error, once, where compiled code goes if not where it should."""
    while _untold:
        print(_untold.pop(), file=sys.stderr, flush=True)


def sources() -> dict[str, bytes]:
    """The files, by their path in the package, whose text names the folder: all that functions come from which Numba keeps."""
    root = Path(__file__).parent
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.py"))}
    return {name: text for name, text in found.items() if b"from numba import" in text or name in _BAKED_IN}


def _digest() -> str:
    digest = hashlib.sha256()
    for name, text in sources().items():
        digest.update(name.encode() + text)
    return digest.hexdigest()[:16]


def _home() -> Path | None:
    """The user's folder for caches. None where there is no home: HOME is not set and the user has no entry, or neither is absolute."""
    asked = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(asked):
        return Path(asked)
    home = os.path.expanduser("~")
    return Path(home) / ".cache" if os.path.isabs(home) else None


def _writable(folder: Path) -> bool:
    """Whether files can be written there; makes it. Tried rather than asked: permissions do not tell of every kind of file system."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _private() -> Path | None:
    """A folder of this user alone among temporary files; where they have no place, or another user took its name, one for this process."""
    import tempfile  # only where it is needed: every start would wait for it

    try:
        places = Path(tempfile.gettempdir())
    except OSError:
        places = Path("/dev/shm")  # in a container whose file system is read-only
    folder = places / f"lobjax-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
    with contextlib.suppress(OSError):
        if places != Path.cwd() or places in _usual_places():  # else Python's last resort, which we leave as it was
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            if _is_ours(folder) and _writable(folder):
                return folder
    with contextlib.suppress(OSError):
        return _for_this_process(Path(tempfile.mkdtemp(prefix="lobjax-", dir=places)))
    return None


def _usual_places() -> list[Path]:
    named = [os.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)]
    return [Path(place) for place in (*named, "/tmp", "/var/tmp", "/usr/tmp")]


def _is_ours(folder: Path) -> bool:
    """Whether nobody else can have put code there."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and (
        not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    )


def _for_this_process(folder: Path) -> Path:
    import atexit
    import shutil

    ours = os.getpid()
    atexit.register(lambda: os.getpid() == ours and shutil.rmtree(folder, ignore_errors=True))
    return folder
