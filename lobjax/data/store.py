"""A built day as a folder of Parquet files and `meta.json`: built once, loaded in a moment, written whole or not at all."""

import dataclasses
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lobjax.data.day import Day, DayInfo, Prints
from lobjax.data.loading import TICK_SIZE, build_day
from lobjax.data.sources import is_order_file, source_digests
from lobjax.errors import InputError
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
    for bad files, and for a folder `out` that holds anything else.
    """
    out = Path(out)
    if out.exists() and not (out / META).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists and is not a built day; choose another --out or remove it")
    request = {"tick_size": tick_size, "levels": levels, "margin": margin, "sources": source_digests(path, book)}
    if is_order_file(path):
        request["instrument"] = instrument
    elif tick_size is None:
        request["tick_size"] = TICK_SIZE
    if (out / META).is_file():
        meta = _read_meta(out)
        if meta.get("format") == FORMAT and meta.get("request") == request:
            return read_day(out), False
    day = build_day(path, book, tick_size=tick_size, levels=levels, margin=margin, instrument=instrument)
    _write(day, out, request)
    return day, True


def load_day(path: str | Path, book: str | Path | None = None, **arguments: Any) -> Day:
    """A day from a built folder, or from the files (translated in memory; `arguments` as in `build_day`)."""
    if (Path(path) / META).is_file():
        if book is not None or arguments:
            raise InputError(f"{path}: is built already; give the files themselves to load it with other arguments")
        return read_day(path)
    return build_day(path, book, **arguments)


def read_day(folder: str | Path) -> Day:
    """Load a built folder; InputError where it is of another format, incomplete or damaged."""
    folder = Path(folder)
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
    """Write into a temporary folder beside `out`, then put it in place with a rename."""
    rows = {name: getattr(day, name) for name in ("row_end", "row_time_s", "row_time_ns", "row_event")}
    messages = {**day.messages._asdict(), "row": day.row, "origin": day.origin}
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for name, table in zip(_TABLES, (messages, rows, day.prints._asdict()), strict=True):
            buffer = io.BytesIO()  # Polars hides a full disk behind an error of its own; a plain write does not
            pl.DataFrame({column: np.asarray(values) for column, values in table.items()}).write_parquet(buffer)
            (temporary / f"{name}.parquet").write_bytes(buffer.getbuffer())
        meta = {"format": FORMAT, "request": request, "info": dataclasses.asdict(day.info)}
        (temporary / META).write_text(json.dumps(meta, indent=1) + "\n")
        temporary.chmod(0o755)
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
            out.rename(old / out.name)
            temporary.rename(out)
            shutil.rmtree(old)
        else:
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
