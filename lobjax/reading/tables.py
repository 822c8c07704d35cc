"""Tables from Parquet files. Arrow reads them: its readers are fuzzed all the time, and a fault of theirs is an exception, not a panic."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lobjax.errors import InputError
from lobjax.reading.files import read_bytes
from lobjax.reading.parsing import parsing
from lobjax.reading.unpacking import EXPANDS, MOST_ARRAYS, ROOM

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 1 << 31
_MOST_COLUMNS = 10_000
_WIDEST = 8  # bytes of a value that is no text


def read_table(
    path: str | Path,
    columns: Mapping[str, Any] | None = None,
    *,
    data: bytes | None = None,
    nullable: Collection[str] = (),
    most_rows: int = MOST_ROWS,
    most: int = MOST_ARRAYS,
    advice: str = "write it again",
) -> "pl.DataFrame":
    """A Parquet file; InputError where it is none or damaged, takes more than `most` bytes, or has not `columns`.

    `columns`: the Polars type of each, which must all be there, of that type and, but for the `nullable`, without nulls. Others are
    left out; None takes all. A list of numbers is read where `columns` asks for one, and is refused elsewhere. `data`: the bytes of the
    file, where they are there already; `path` is then for the errors.
    """
    import polars as pl  # not for those who read no tables
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = read_bytes(path, most=most, advice=advice) if data is None else data
    with parsing(path, "a whole Parquet file", advice):
        if len(data) < 12:
            raise ValueError(f"it has {len(data)} bytes")
        limit = min(most, ROOM + EXPANDS * len(data))
        about = pq.ParquetFile(pa.BufferReader(data))
        schema, rows = about.schema_arrow, about.metadata.num_rows
        names = [name for name in schema.names if columns is None or name in columns]
        if len(schema) > _MOST_COLUMNS or len(set(schema.names)) < len(schema):
            raise ValueError("columns that stand twice, or too many")
        if not 0 <= rows <= most_rows or rows * _WIDEST * max(1, len(names)) > limit:
            raise ValueError(f"{rows:,} rows of {len(names)} columns in {len(data):,} bytes")
        texts = [name for name in names if _is_text(pa, schema.field(name).type)]
        lists = {name for name, kind in (columns or {}).items() if kind == pl.List(pl.Float64)}
        if _values(about.metadata, lists) * _WIDEST > limit:
            raise ValueError(f"its lists take more than {limit:,} bytes")
        if nested := [name for name in names if pa.types.is_nested(schema.field(name).type) and name not in lists]:
            raise ValueError(f"column '{nested[0]}' holds lists or records")
        # Texts by number: one that is told once for a million rows is not made a million times before it is measured.
        table = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts).read(names, use_threads=False)
        table.validate(full=True)
        if sum(_most_text(table[name]) for name in texts) > limit:
            raise ValueError(f"its texts take more than {limit:,} bytes")
        table = table.cast(
            pa.schema([(name, pa.large_string() if name in texts else table.schema.field(name).type) for name in names])
        )
        frame = pl.from_arrow(table, rechunk=True)
        assert isinstance(frame, pl.DataFrame)
    for name, dtype in (columns or {}).items():
        if name not in frame.columns:
            raise InputError(f"{path}: has no column '{name}'; {advice}")
        if frame[name].dtype != dtype:
            raise InputError(f"{path}: column '{name}' is {frame[name].dtype}, not {dtype}; {advice}")
        if name not in nullable and frame[name].null_count():
            raise InputError(f"{path}: column '{name}' has nulls; {advice}")
    return frame


def _values(about: Any, names: Collection[str]) -> int:
    """How many values these columns have, those within lists counted."""
    parts = (about.row_group(k).column(c) for k in range(about.num_row_groups) for c in range(about.num_columns))
    return sum(part.num_values for part in parts if part.path_in_schema.partition(".")[0] in names)


def _is_text(pa: Any, kind: Any) -> bool:
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_dictionary)
    )


def _most_text(column: Any) -> int:
    """Bytes that a column of texts by number takes at most, once written out."""
    import pyarrow.compute as pc

    longest = 0
    for chunk in column.chunks:
        if len(chunk.dictionary):
            lengths = pc.call_function("binary_length", [chunk.dictionary])
            longest = max(longest, pc.call_function("max", [lengths]).as_py() or 0)
    return longest * len(column)
