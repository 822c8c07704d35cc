"""A table of texts from a CSV or Parquet file, with the number of each row, before anybody says what a column is.

What was met on the way (another separator, a byte-order mark, two header rows of yfinance) is returned in words, to be said.
"""

import csv
import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lobjax.errors import InputError
from lobjax.reading import Unpacked, most_for, opened, parsing, read_table

if TYPE_CHECKING:
    import polars as pl

ROW = "row of the file"  # a name that no file's column has
_MOST_PACKED, _MOST = 1 << 32, 1 << 33
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ADVICE = "give a CSV (may be gzipped) or Parquet file of prices"


@dataclass
class Table:
    """`frame`: the file's columns (text, or what Parquet says) and `ROW`, uint32: lines from 1, the header's included."""

    path: str
    frame: "pl.DataFrame"
    said: list[str] = field(default_factory=list)
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)  # column: (symbol, field), of two header rows

    def where(self, row: int, column: str | None = None) -> str:
        """A place in the file, as the beginning of an error."""
        return f"{self.path}: row {row:,}" + (f", column '{column}'" if column is not None else "")


def read_texts(path: str | Path) -> Table:
    """The table in a file; InputError where it is none, is empty, or a row has more fields than the header."""
    with (
        opened(path, most=_MOST_PACKED, what="file of prices", advice=_ADVICE) as stream,
        parsing(path, "a file that can be unpacked", _ADVICE),
    ):
        packed = stream.peek(2)[:2] == b"\x1f\x8b"
        source: Any = Unpacked(gzip.GzipFile(fileobj=stream), most_for(stream, _MOST)) if packed else stream
        data = b"".join(iter(lambda: source.read(1 << 22), b""))
    return table_from(data, str(path))


def table_from(data: bytes, path: str) -> Table:
    """As `read_texts`, of the bytes of the file."""
    import polars as pl

    if data[:4] == b"PAR1":
        frame = read_table(path, data=data, advice=_ADVICE)
        if not frame.height:
            raise InputError(f"{path}: has no rows; {_ADVICE}")
        return Table(path, frame.with_row_index(ROW, offset=1))
    said = []
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        said.append("a byte-order mark")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4096]:
        raise InputError(f"{path}: is not text in UTF-8 (it holds null bytes); save it as CSV in UTF-8")
    if not data.strip():
        raise InputError(f"{path}: is empty; {_ADVICE}")
    data = _plain_ends(data, said)
    skipped = len(data) - len(data.lstrip(b"\n"))
    top, _, rest = data[skipped:].partition(b"\n")
    with parsing(path, "text in UTF-8", "save it as CSV in UTF-8"):
        line = top.decode()
        data.decode()
    separator = max(_SEPARATORS, key=line.count)
    if separator != ",":
        said.append(f"{_SEPARATORS[separator]} between fields")
    header = _fields(line, separator)
    names, fields, top_rows = _headers(path, header, rest, separator)
    if fields:
        said.append(f"{top_rows} header rows")
    _check_names(path, names)
    frame = _rows(path, data[skipped:], names, separator, top_rows)
    frame = frame.with_row_index(ROW, offset=skipped + top_rows + 1)
    empty = pl.all_horizontal(pl.col(names).is_null())
    frame = frame.filter(~empty)
    if not frame.height:
        raise InputError(f"{path}: has a header and no rows; {_ADVICE}")
    return Table(path, frame, said, fields)


def _rows(path: str, data: bytes, names: list[str], separator: str, skip: int) -> "pl.DataFrame":
    import polars as pl

    _check_lengths(path, data, len(names), separator, skip)
    with parsing(path, "a table of rows", _ADVICE):
        return pl.read_csv(
            io.BytesIO(data),
            has_header=False,
            skip_rows=skip,
            schema={name: pl.String for name in names},
            separator=separator,
            raise_if_empty=False,
        )


def _check_lengths(path: str, data: bytes, fields: int, separator: str, skip: int) -> None:
    """InputError for the first row that has more or fewer fields than the header: what is missing would be guessed."""
    import numpy as np

    if b'"' in data:
        rows = csv.reader(io.StringIO(data.decode()), delimiter=separator)
        lengths = np.array([len(row) or fields for row in rows])
    else:
        marks = np.frombuffer(data.rstrip(b"\n") + b"\n", np.uint8)
        ends = np.flatnonzero(marks == ord("\n"))
        seen = np.cumsum(marks == ord(separator))[ends]
        lengths = np.diff(seen, prepend=0) + 1
        lengths[np.diff(ends, prepend=-1) == 1] = fields  # blank lines
    wrong = np.flatnonzero(lengths[skip:] != fields)
    if len(wrong):
        at = int(wrong[0]) + skip
        raise InputError(
            f"{path}: row {at + 1:,} has {lengths[at]} fields, the header {fields}; give every row the same"
        )


def _headers(
    path: str, header: list[str], rest: bytes, separator: str
) -> tuple[list[str], dict[str, tuple[str, str]], int]:
    """Column names, (symbol, field) of each where yfinance wrote two header rows, and the number of header rows."""
    second, _, more = rest.partition(b"\n")
    tickers = _fields(second.decode(), separator)
    if not (
        header[0].lower() in ("price", "attributes", "")
        and tickers[0].lower() in ("ticker", "tickers", "symbols", "symbol")
        and len(tickers) == len(header) > 1
    ):
        return header, {}, 1
    third = _fields(more.partition(b"\n")[0].decode(), separator)
    rows = 3 if third[0].lower() in ("date", "datetime") and not any(third[1:]) else 2
    names = ["date", *(f"{symbol} {name}" for name, symbol in zip(header[1:], tickers[1:], strict=True))]
    _check_names(path, names)
    pairs = zip(names[1:], tickers[1:], header[1:], strict=True)
    return names, {name: (symbol, of) for name, symbol, of in pairs}, rows


def _check_names(path: str, names: list[str]) -> None:
    if ROW in names:
        raise InputError(f"{path}: has a column named '{ROW}'; rename it")
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if twice is not None:
        raise InputError(f"{path}: row 1: column '{twice}' stands twice; keep one of them")


def _fields(line: str, separator: str) -> list[str]:
    return [part.strip() for part in next(csv.reader([line], delimiter=separator), [""])] or [""]


def _plain_ends(data: bytes, said: list[str]) -> bytes:
    if b"\r" not in data:
        return data
    if data.count(b"\r") != data.count(b"\r\n"):
        said.append("carriage returns as line ends")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
