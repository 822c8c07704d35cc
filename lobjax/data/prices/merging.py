"""Rows merged into the tables of a store by their keys: new ones added, equal ones passed over, contradictions refused or kept as revised.

A field that a file does not tell contradicts nothing, and is filled in by one that does. So the order of loads does not matter.
"""

import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from lobjax.data.prices.database import first
from lobjax.data.prices.panel import FIELDS
from lobjax.errors import InputError

if TYPE_CHECKING:
    import polars as pl


class Merged(NamedTuple):
    """Rows that were added, that had fields filled in, and that were replaced."""

    added: int
    filled: int
    revised: int


class _Keyed(NamedTuple):
    table: str
    key: tuple[str, ...]
    fields: tuple[str, ...]


_BARS = _Keyed("bars", ("kind", "symbol", "time"), FIELDS)
_ACTION_DIFFERS = "abs(s.value / i.value - 1) > 1e-6"  # one of a close that was rounded elsewhere is the same
_ACTIONS = _Keyed("actions", ("symbol", "time", "kind"), ("value",))


def merge_bars(
    connection: Any, bars: "pl.DataFrame", kind: str, path: str, now: datetime.datetime, *, revise: bool
) -> Merged:
    """Bars (symbol, time, the fields, row) of a kind; InputError where one contradicts a stored one, unless `revise`."""
    import polars as pl

    rows = bars.select(
        pl.lit(kind).alias("kind"),
        "symbol",
        pl.col("time").cast(pl.Datetime("us")),
        *FIELDS,
        pl.col("row").cast(pl.Int64),
    )
    return _merge(connection, _BARS, rows, path, now, revise)


def merge_actions(
    connection: Any, actions: "pl.DataFrame", path: str, now: datetime.datetime, *, revise: bool
) -> Merged:
    """Actions (symbol, time, kind, value), in the same way."""
    return _merge(connection, _ACTIONS, actions.select("symbol", "time", "kind", "value"), path, now, revise)


def merge_tickers(connection: Any, segments: "pl.DataFrame", path: str) -> None:
    """Dated tickers; InputError where a ticker was another symbol's at one time, by what the store knows."""
    connection.register("incoming", segments.to_arrow())
    clash = first(
        connection,
        "SELECT i.ticker, i.symbol, t.symbol FROM incoming i JOIN tickers t ON lower(i.ticker) = lower(t.ticker) AND i.symbol <> t.symbol "
        "AND coalesce(i.since, DATE '0001-01-01') <= coalesce(t.until, DATE '9999-12-31') "
        "AND coalesce(t.since, DATE '0001-01-01') <= coalesce(i.until, DATE '9999-12-31') ORDER BY ALL LIMIT 1",
    )
    if clash:
        raise InputError(
            f"{path}: ticker '{clash[0]}' is {clash[1]} here and {clash[2]} in the store at one time; correct its dates"
        )
    same = "s.symbol = i.symbol AND lower(s.ticker) = lower(i.ticker) AND s.since IS NOT DISTINCT FROM i.since"
    connection.execute(f"DELETE FROM tickers s USING incoming i WHERE {same}")  # one that has ended meanwhile
    connection.execute("INSERT INTO tickers SELECT symbol, ticker, since, until FROM incoming")
    connection.unregister("incoming")


def merge_listings(connection: Any, listings: "pl.DataFrame", path: str, *, revise: bool) -> None:
    """Delistings; InputError where one contradicts the store, unless `revise`."""
    connection.register("incoming", listings.to_arrow())
    clash = first(
        connection,
        "SELECT symbol, l.delisted_on, l.delist_return, i.delisted_on, i.delist_return FROM incoming i JOIN listings l USING (symbol) "
        "WHERE i.delisted_on <> l.delisted_on OR i.delist_return <> l.delist_return ORDER BY symbol LIMIT 1",
    )
    if clash and not revise:
        raise InputError(
            f"{path}: {clash[0]}: delisted {clash[3]} with {clash[4]:.9g} contradicts the stored {clash[1]} with {clash[2]:.9g}; "
            "correct it, or give --revise"
        )
    connection.execute("DELETE FROM listings WHERE symbol IN (SELECT symbol FROM incoming)")
    connection.execute("INSERT INTO listings SELECT symbol, delisted_on, delist_return FROM incoming")
    connection.unregister("incoming")


def merge_bases(connection: Any, symbols: list[str], kind: str, kept: str, path: str) -> None:
    """On what basis, raw or adjusted, the bars of symbols are kept; InputError where the store has them on another."""
    known = dict(connection.execute("SELECT symbol, basis FROM bases WHERE kind = ?", [kind]).fetchall())
    for symbol in symbols:
        if known.get(symbol, kept) != kept:
            raise InputError(
                f"{path}: {symbol}: prices are {kept}, and the store keeps {known[symbol]} ones of it; choose another store"
            )
    new = [[symbol, kind, kept] for symbol in symbols if symbol not in known]
    if new:
        connection.executemany("INSERT INTO bases VALUES (?, ?, ?)", new)


def _merge(
    connection: Any, keyed: _Keyed, rows: "pl.DataFrame", path: str, now: datetime.datetime, revise: bool
) -> Merged:
    table, key, fields = keyed
    connection.register("incoming", rows.to_arrow())
    using, columns = f"USING ({', '.join(key)})", ", ".join((*key, *fields))
    differs = " OR ".join(f"s.{name} <> i.{name}" for name in fields) if keyed is _BARS else _ACTION_DIFFERS
    clashes = connection.execute(f"SELECT count(*) FROM incoming i JOIN {table} s {using} WHERE {differs}").fetchall()[
        0
    ][0]
    if clashes and not revise:
        _refuse(connection, keyed, rows, path, differs, clashes)
    if clashes:
        old = ", ".join((*key, *(f"s.{name}" for name in fields)))
        connection.execute(
            f"INSERT INTO revised_{table} SELECT {old}, s.loaded_at, ? FROM incoming i JOIN {table} s {using} WHERE {differs}",
            [now],
        )
    gains = " OR ".join(f"(s.{name} IS NULL AND i.{name} IS NOT NULL)" for name in fields)
    matched = " AND ".join(f"s.{name} = i.{name}" for name in key)
    together = ", ".join(f"{name} = coalesce(i.{name}, s.{name})" for name in fields)
    changed = connection.execute(
        f"UPDATE {table} s SET {together}, loaded_at = ? FROM incoming i WHERE {matched} AND ({differs} OR {gains})",
        [now],
    ).fetchall()[0][0]
    added = connection.execute(
        f"INSERT INTO {table} SELECT {columns}, ? FROM incoming i ANTI JOIN {table} s {using}", [now]
    ).fetchall()[0][0]
    connection.unregister("incoming")
    return Merged(int(added), int(changed) - int(clashes), int(clashes))


def _refuse(connection: Any, keyed: _Keyed, rows: "pl.DataFrame", path: str, differs: str, clashes: int) -> None:
    table, key, fields = keyed
    pairs = ", ".join(f"s.{name}, i.{name}" for name in fields)
    row = ", i.row" if "row" in rows.columns else ", NULL"
    found = connection.execute(
        f"SELECT i.symbol, i.time, i.kind, {pairs}{row} FROM incoming i JOIN {table} s USING ({', '.join(key)}) WHERE {differs} "
        "ORDER BY 1, 2 LIMIT 1"
    ).fetchall()[0]
    symbol, time, kind, at = found[0], found[1], found[2], found[-1]
    values = {name: found[3 + 2 * k : 5 + 2 * k] for k, name in enumerate(fields)}
    name, (old, new) = next((name, pair) for name, pair in values.items() if None not in pair and pair[0] != pair[1])
    when = time.strftime("%Y-%m-%d" if not isinstance(time, datetime.datetime) or kind == "daily" else "%Y-%m-%d %H:%M")
    what = kind if name == "value" else name
    more = f" (and {clashes - 1:,} more)" if clashes > 1 else ""
    place = f"{path}: row {at:,}" if at is not None else path
    raise InputError(
        f"{place}: {symbol} {when}: {what} {new:.15g} contradicts the stored {old:.15g}{more}; correct the file, or give "
        "--revise, which keeps the old row"
    )
