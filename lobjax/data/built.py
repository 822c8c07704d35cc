"""What lies in the folder of a built day: three Parquet files and `meta.json`, which holds the sha256 of each and of itself.

What was written comes back to the bit or not at all: a file that was changed, cut or exchanged is refused before it is parsed, and what
has the right digest is checked all the same (`check_day`), since compiled loops trust the indices in it.
"""

import dataclasses
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lobjax.columns import check_column
from lobjax.data.checks import check_day
from lobjax.data.day import Day, DayInfo, Prints
from lobjax.errors import InputError
from lobjax.reading import parsing, read_bytes, read_json, read_table
from lobjax.types import Message

FORMAT = 2  # raise it when the files or what the translation gives change; older folders are then rebuilt
META = "meta.json"
_MOST_META, _MOST_TABLE = 1 << 20, 1 << 32  # bytes
_AGAIN = "build the day again"
_INT8, _INT32, _INT64 = pl.Int8(), pl.Int32(), pl.Int64()
_TABLES = {
    "messages": {**dict.fromkeys((*Message._fields, "row"), _INT32), "origin": _INT8},
    "rows": {**dict.fromkeys(("row_end", "row_time_s", "row_time_ns"), _INT32), "row_event": _INT8},
    "prints": {
        **dict.fromkeys(Prints._fields, _INT32),
        "event": _INT8,
        "side": _INT8,
        "price": _INT64,
    },
}
FILES = (META, *(f"{name}.parquet" for name in _TABLES))


def read_meta(folder: str | Path) -> dict[str, Any]:
    """What `meta.json` says: format, request, info, sha256 of each table; InputError unless it is of this format and as it was written."""
    path = Path(folder) / META
    meta = read_json(path, most=_MOST_META, advice=_AGAIN)
    if meta.get("format") != FORMAT:
        raise InputError(f"{path}: of format {meta.get('format')!r:.40}, this version reads {FORMAT}; {_AGAIN}")
    with parsing(path, "what was written there", _AGAIN):
        if meta.get("sha256") != _digest(meta):
            raise ValueError("its own sha256 is another")
        tables = meta["tables"]
        if type(tables) is not dict or not all(type(tables.get(name)) is str for name in _TABLES):
            raise ValueError("without the sha256 of each table")
    return meta


def read_info(folder: str | Path) -> DayInfo:
    """What a built day is; InputError as `read_built`."""
    path, info = Path(folder) / META, read_meta(folder).get("info")
    with parsing(path, "what was written there", _AGAIN):
        return DayInfo(**info)  # type: ignore[arg-type] # a TypeError where it is no mapping


def read_built(folder: str | Path) -> Day:
    """Load a built folder; InputError where it is of another format, incomplete, changed or damaged."""
    folder = Path(folder)
    meta, info = read_meta(folder), read_info(folder)
    tables = {
        name: _read_table(folder / f"{name}.parquet", columns, meta["tables"][name])
        for name, columns in _TABLES.items()
    }
    messages, rows, prints = tables["messages"], tables["rows"], tables["prints"]
    try:
        check_column("row", messages["row"], np.int32, None, 0, len(rows["row_end"]) - 1)
    except ValueError as error:
        raise InputError(f"{folder}: {error}; {_AGAIN}") from None
    day = Day(
        messages=Message(*(messages[name] for name in Message._fields)),
        time_s=rows["row_time_s"][messages["row"]],
        time_ns=rows["row_time_ns"][messages["row"]],
        row=messages["row"],
        origin=messages["origin"],
        **rows,
        prints=Prints(**prints),
        info=info,
    )
    return check_day(day, str(folder))


def write_built(day: Day, folder: Path, request: dict[str, Any]) -> None:
    """Write the files of a day, which was built for `request`, into an empty folder."""
    rows = {name: getattr(day, name) for name in _TABLES["rows"]}
    messages = {**day.messages._asdict(), "row": day.row, "origin": day.origin}
    digests = {}
    for name, table in zip(_TABLES, (messages, rows, day.prints._asdict()), strict=True):
        buffer = io.BytesIO()  # Polars hides a full disk behind an error of its own; a plain write does not
        pl.DataFrame({column: np.asarray(values) for column, values in table.items()}).write_parquet(buffer)
        digests[name] = hashlib.sha256(buffer.getbuffer()).hexdigest()
        (folder / f"{name}.parquet").write_bytes(buffer.getbuffer())
    meta = {"format": FORMAT, "request": request, "info": dataclasses.asdict(day.info), "tables": digests}
    (folder / META).write_text(json.dumps({**meta, "sha256": _digest(meta)}, indent=1) + "\n", encoding="utf-8")


def _read_table(path: Path, columns: dict[str, Any], digest: str) -> dict[str, np.ndarray]:
    data = read_bytes(path, most=_MOST_TABLE, advice=_AGAIN)
    if hashlib.sha256(data).hexdigest() != digest:
        raise InputError(f"{path}: is not what was written there, its sha256 is another; {_AGAIN}")
    frame = read_table(path, columns, data=data, advice=_AGAIN)
    return {name: frame[name].to_numpy(writable=True) for name in columns}


def _digest(meta: dict[str, Any]) -> str:
    """sha256 of all that `meta.json` says but this."""
    said = json.dumps({name: value for name, value in meta.items() if name != "sha256"}, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
