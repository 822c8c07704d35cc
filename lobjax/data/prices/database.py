"""The DuckDB file of a price store: its tables, opening it, and the hash of all its rows.

A store is a folder that holds `prices.duckdb`. Bars have the key (kind, symbol, time), actions (symbol, time, kind): what is loaded is
merged by them, so that no order or number of loads changes a row. A write is one transaction: killed at any moment, it is there or not.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lobjax.data.prices.needs import needed
from lobjax.errors import InputError
from lobjax.files import whole_folder
from lobjax.locks import held, wait_for_writer

if TYPE_CHECKING:
    import polars as pl

FILE = "prices.duckdb"
VERSION = "1"
_BAR = "open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE"
_TABLES = {
    "meta": "key VARCHAR, value VARCHAR",
    "bars": f"kind VARCHAR, symbol VARCHAR, time TIMESTAMP, {_BAR}, loaded_at TIMESTAMP",
    "revised_bars": f"kind VARCHAR, symbol VARCHAR, time TIMESTAMP, {_BAR}, loaded_at TIMESTAMP, revised_at TIMESTAMP",
    "actions": "symbol VARCHAR, time DATE, kind VARCHAR, value DOUBLE, loaded_at TIMESTAMP",
    "revised_actions": "symbol VARCHAR, time DATE, kind VARCHAR, value DOUBLE, loaded_at TIMESTAMP, revised_at TIMESTAMP",
    "tickers": "symbol VARCHAR, ticker VARCHAR, since DATE, until DATE",
    "listings": "symbol VARCHAR, delisted_on DATE, delist_return DOUBLE",
    "bases": "symbol VARCHAR, kind VARCHAR, basis VARCHAR",
    "sessions": "time DATE",
    "faults": "name VARCHAR, symbol VARCHAR, first VARCHAR, last VARCHAR, count BIGINT, detail VARCHAR, repair VARCHAR, path VARCHAR, "
    "loaded_at TIMESTAMP",  # of files, that their bars in the store do not show
    "loads": "path VARCHAR, rows BIGINT, added BIGINT, filled BIGINT, revised BIGINT, said VARCHAR, loaded_at TIMESTAMP",
}
# What a store holds, whenever and in how many pieces it came: the rows of the hash, each sorted by all its columns.
_HASHED = {
    "bars": "kind, symbol, time, open, high, low, close, volume",
    "actions": "symbol, time, kind, value",
    "tickers": "symbol, ticker, since, until",
    "listings": "symbol, delisted_on, delist_return",
    "bases": "symbol, kind, basis",
}


@contextmanager
def writing(path: str | Path, *, create: bool = False) -> Iterator[Any]:
    """A connection within a transaction of the one writer of the store; committed at the end, or nothing is changed.

    `create`: a store that is not there is made, whole or not at all. InputError where there is none, or the folder holds something else.
    """
    path = Path(path)
    with held(path):
        if not is_store(path):
            if not create:
                check_store(path)
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise InputError(f"{path}: is there and no price store; choose another place")
            needed("duckdb")
            with whole_folder(path) as folder:
                connection = _connect(folder / FILE, path)
                try:
                    with _transaction(connection):
                        for name, columns in _TABLES.items():
                            connection.execute(f"CREATE TABLE {name} ({columns})")
                        connection.execute("INSERT INTO meta VALUES ('version', ?)", [VERSION])
                        yield connection
                finally:
                    connection.close()
            return
        connection = _connect(path / FILE, path)
        try:
            _check(connection, path)
            with _transaction(connection):
                yield connection
        finally:
            connection.close()


@contextmanager
def reading(path: str | Path) -> Iterator[Any]:
    """A connection that only reads. InputError where there is no store, or it is damaged or of another version."""
    path = Path(path)
    wait_for_writer(path)
    check_store(path)
    connection = _connect(path / FILE, path, read_only=True)
    try:
        _check(connection, path)
        yield connection
    finally:
        connection.close()


def is_store(path: str | Path) -> bool:
    """Whether a folder holds a price store."""
    return (Path(path) / FILE).is_file()


def check_store(path: str | Path) -> None:
    """InputError unless there is one."""
    if not is_store(path):
        raise InputError(f"{path}: no price store; make one with `python -m lobjax prices build`")


def frame(connection: Any, query: str, values: list[Any] | None = None) -> "pl.DataFrame":
    """The rows of a query."""
    return connection.sql(query, params=values or None).pl()


def first(connection: Any, query: str, values: list[Any] | None = None) -> tuple[Any, ...] | None:
    """The first row of a query, None where there is none. (All are fetched: a result left unfinished blocks what comes next.)"""
    rows = connection.execute(query, values or []).fetchall()
    return rows[0] if rows else None


def digest(connection: Any) -> str:
    """SHA-256 of all rows, sorted: equal for stores that hold the same, however they were built."""
    found = hashlib.sha256()
    for name, columns in _HASHED.items():
        rows = frame(connection, f"SELECT {columns} FROM {name} ORDER BY ALL")
        found.update(f"{name} {rows.height}\n".encode())
        found.update(rows.write_csv(include_header=False).encode())
    return found.hexdigest()


def meta(connection: Any) -> dict[str, str]:
    """What is known of the whole store: version, calendar, time_zone, prices."""
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def remember(connection: Any, key: str, value: str) -> None:
    """Set one of these."""
    connection.execute("DELETE FROM meta WHERE key = ?", [key])
    connection.execute("INSERT INTO meta VALUES (?, ?)", [key, value])


def _connect(file: Path, path: Path, *, read_only: bool = False) -> Any:
    duckdb = needed("duckdb")
    try:
        return duckdb.connect(str(file), read_only=read_only)
    except duckdb.Error as error:
        said = " ".join(str(error).split())
        if "lock" in said.lower():
            raise InputError(f"{path}: in use by another process; wait for it to end") from None
        raise InputError(f"{path}: cannot be opened as a price store ({said[:200]}); build it again") from None


def _check(connection: Any, path: Path) -> None:
    duckdb = needed("duckdb")
    try:
        version = meta(connection).get("version")
    except duckdb.Error:
        version = None
    if version != VERSION:
        raise InputError(f"{path}: a price store of version {version}, not {VERSION}; build it again")


@contextmanager
def _transaction(connection: Any) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
