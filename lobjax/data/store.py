"""A built day as a folder of Parquet files and `meta.json`: built once, loaded in a moment, written whole or not at all."""

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lobjax import locks
from lobjax.data.day import Day, DayInfo, Prints
from lobjax.data.loading import TICK_SIZE, build_day
from lobjax.data.sources import is_order_file, source_digests
from lobjax.errors import InputError
from lobjax.files import whole_folder
from lobjax.types import Message

FORMAT = 1  # raise it when the files or what the translation gives change; older folders are then rebuilt
META = "meta.json"
_TABLES = ("messages", "rows", "prints")


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

    A folder built from the same files (by sha256), with the same arguments and format, is loaded and left as it is. InputError
    for bad files, and for a folder `out` that holds anything else. Where another process builds it, waits and then looks again.
    """
    out = Path(out)
    _check_ours(out)
    request = {"tick_size": tick_size, "levels": levels, "margin": margin, "sources": source_digests(path, book)}
    if is_order_file(path):
        request["instrument"] = instrument
    elif tick_size is None:
        request["tick_size"] = TICK_SIZE
    if (out / META).is_file() and _is_of(out, request):  # without a lock: it may lie where nothing can be written
        return read_day(out), False
    with locks.held(out, wait=True):
        _check_ours(out)
        if (out / META).is_file() and _is_of(out, request):
            return read_day(out), False
        day = build_day(path, book, tick_size=tick_size, levels=levels, margin=margin, instrument=instrument)
        if day.info.sources != request["sources"]:
            raise InputError(f"{path}: was changed while it was read; build the day again")
        _write(day, out, request)
    return day, True


def load_day(path: str | Path, book: str | Path | None = None, **arguments: Any) -> Day:
    """A day from a built folder, or from the files (translated in memory; `arguments` as in `build_day`).

    Where the folder is being built for the first time, waits for that.
    """
    if not Path(path).exists():
        locks.wait_for_writer(path)
    if (Path(path) / META).is_file():
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
            day = _read(folder)
        except InputError:
            moving = before is None and locks.wait_for_writer(folder)
            if before == _identity(folder) and not moving:
                raise
        else:
            if before == _identity(folder):
                return day


def _check_ours(out: Path) -> None:
    if not (out / META).is_file() and not locks.is_free(out):
        raise InputError(f"{out}: exists and is not a built day; choose another --out or remove it")


def _is_of(out: Path, request: dict[str, Any]) -> bool:
    meta = _read_meta(out)
    return meta.get("format") == FORMAT and meta.get("request") == request


def _identity(folder: Path) -> tuple[int, ...] | None:
    """What changes when a folder is built again; None where there is none."""
    try:
        place, meta = folder.stat(), (folder / META).stat()
    except OSError:
        return None
    return place.st_dev, place.st_ino, meta.st_ino, meta.st_mtime_ns


def _read(folder: Path) -> Day:
    meta = _read_meta(folder)
    if meta.get("format") != FORMAT:
        raise InputError(f"{folder}: format {meta.get('format')}, this version reads {FORMAT}; build it again")
    try:
        info = DayInfo(**meta["info"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / META}: not what was written there ({error}); build the day again") from None
    tables = {}
    for name in _TABLES:
        try:
            frame = pl.read_parquet(folder / f"{name}.parquet")
        except (OSError, pl.exceptions.PolarsError) as error:
            what = str(error).splitlines()[0]
            raise InputError(f"{folder / name}.parquet: cannot be read ({what}); build the day again") from None
        tables[name] = {column: frame[column].to_numpy(writable=True) for column in frame.columns}
    messages, rows = tables["messages"], tables["rows"]
    try:
        return Day(
            messages=Message(*(messages[name] for name in Message._fields)),
            time_s=rows["row_time_s"][messages["row"]],
            time_ns=rows["row_time_ns"][messages["row"]],
            row=messages["row"],
            origin=messages["origin"],
            **rows,
            prints=Prints(**tables["prints"]),
            info=info,
        )
    except (KeyError, TypeError, IndexError) as error:
        raise InputError(f"{folder}: a column is missing or wrong ({error}); build the day again") from None


def _read_meta(folder: Path) -> dict[str, Any]:
    try:
        meta = json.loads((folder / META).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / META}: cannot be read ({error}); build the day again") from None
    return meta if isinstance(meta, dict) else {}


def _write(day: Day, out: Path, request: dict[str, Any]) -> None:
    """Write the whole folder, in the place of an older one."""
    rows = {name: getattr(day, name) for name in ("row_end", "row_time_s", "row_time_ns", "row_event")}
    messages = {**day.messages._asdict(), "row": day.row, "origin": day.origin}
    with whole_folder(out, replace=True) as temporary:
        for name, table in zip(_TABLES, (messages, rows, day.prints._asdict()), strict=True):
            buffer = io.BytesIO()  # Polars hides a full disk behind an error of its own; a plain write does not
            pl.DataFrame({column: np.asarray(values) for column, values in table.items()}).write_parquet(buffer)
            (temporary / f"{name}.parquet").write_bytes(buffer.getbuffer())
        meta = {"format": FORMAT, "request": request, "info": dataclasses.asdict(day.info)}
        (temporary / META).write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
