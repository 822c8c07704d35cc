"""A built day as a folder of Parquet files and `meta.json`: built once, loaded in a moment, written whole or not at all."""

from pathlib import Path
from typing import Any

from lobjax import locks
from lobjax.data.built import FILES, META, read_built, read_meta, write_built
from lobjax.data.day import Day
from lobjax.data.loading import TICK_SIZE, build_day
from lobjax.data.sources import is_order_file, source_digests
from lobjax.errors import InputError
from lobjax.files import whole_folder
from lobjax.reading import exists, is_file


def build(
    path: str | Path,
    book: str | Path | None = None,
    *,
    out: str | Path,
    tick_size: int | None = None,
    levels: int | None = None,
    margin: int | None = None,
    instrument: str | None = None,
) -> tuple[Day, bool]:
    """Build the folder `out` from the files of a day; arguments as in `build_day`. Returns the day and whether it was built now.

    A whole folder built from the same files (by sha256), with the same arguments and format, is loaded and left as it is. InputError
    for bad files, and for a folder `out` that holds anything else. Where another process builds it, waits and then looks again.
    """
    out = Path(out)
    _check_ours(out)
    request = {"tick_size": tick_size, "levels": levels, "margin": margin, "sources": source_digests(path, book)}
    if is_order_file(path):
        request["instrument"] = instrument
    elif tick_size is None:
        request["tick_size"] = TICK_SIZE
    if (found := _found(out, request)) is not None:  # without a lock: it may lie where nothing can be written
        return found, False
    with locks.held(out, wait=True):
        _check_ours(out)
        if (found := _found(out, request)) is not None:
            return found, False
        day = build_day(path, book, tick_size=tick_size, levels=levels, margin=margin, instrument=instrument)
        if day.info.sources != request["sources"]:
            raise InputError(f"{path}: was changed while it was read; build the day again")
        with whole_folder(out, replace=True) as temporary:
            write_built(day, temporary, request)
    return day, True


def load_day(path: str | Path, book: str | Path | None = None, **arguments: Any) -> Day:
    """A day from a built folder, or from the files (translated in memory; `arguments` as in `build_day`).

    Where the folder is being built for the first time, waits for that.
    """
    if not exists(path):
        locks.wait_for_writer(path)
    if is_file(Path(path) / META):
        if book is not None or arguments:
            raise InputError(f"{path}: is built already; give the files themselves to load it with other arguments")
        return read_day(path)
    return build_day(path, book, **arguments)


def read_day(folder: str | Path) -> Day:
    """Load a built folder; InputError where it is of another format, incomplete or damaged.

    Where it is built again meanwhile, the day is the old one or the new one, never parts of both.
    """
    folder = Path(folder)
    while True:
        before = _identity(folder)
        try:
            day = read_built(folder)
        except InputError:
            moving = before is None and locks.wait_for_writer(folder)
            if before == _identity(folder) and not moving:
                raise
        else:
            if before == _identity(folder):
                return day


def _check_ours(out: Path) -> None:
    if is_file(out / META):
        # All of it is replaced. What begins with a dot is a lock or what a killed process left.
        if others := sorted(entry.name for entry in out.iterdir() if entry.name not in FILES and entry.name[0] != "."):
            raise InputError(f"{out}: holds '{others[0]}' beside a built day; choose another --out or move that")
    elif not locks.is_free(out):
        raise InputError(f"{out}: exists and is not a built day; choose another --out or remove it")


def _found(out: Path, request: dict[str, Any]) -> Day | None:
    """The day in a folder that was built for just this, if it is whole; else None, and it is built again."""
    if not is_file(out / META):
        return None
    try:
        return read_day(out) if read_meta(out).get("request") == request else None
    except InputError:
        return None


def _identity(folder: Path) -> tuple[int, ...] | None:
    """What changes when a folder is built again; None where there is none."""
    try:
        place, meta = folder.stat(), (folder / META).stat()
    except OSError:
        return None
    return place.st_dev, place.st_ino, meta.st_ino, meta.st_mtime_ns
