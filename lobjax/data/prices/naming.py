"""What the columns of a table of prices are, guessed by their names: long (a row a bar) or wide (a column a symbol)."""

import re
from dataclasses import dataclass, field

from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.text import ROW, Table
from lobjax.errors import InputError, nearest

_SPELLINGS = {
    "time": ("date", "datetime", "time", "timestamp", "day", "session", "tradedate", "tradingday", "pricedate", "barstart",
             "datadate", "unnamed0"),
    "symbol": ("symbol", "ticker", "tic", "sym", "asset", "instrument", "security", "file", "code", "act_symbol", "actsymbol"),
    "open": ("open", "o", "openprice", "pxopen", "priceopen", "firstprice"),
    "high": ("high", "h", "highprice", "pxhigh", "pricehigh", "max"),
    "low": ("low", "l", "lowprice", "pxlow", "pricelow", "min"),
    "close": ("close", "c", "closeprice", "pxlast", "priceclose", "last", "closelast", "prccd", "price"),
    "volume": ("volume", "vol", "v", "tradedvolume", "pxvolume", "sharestraded"),
    "ms": ("ms", "msaftermidnight", "milliseconds"),
    "dividend": ("dividends", "dividend", "div", "divcash", "exdividend", "dividendamount", "cashdividend"),
    "split": ("stocksplits", "stocksplit", "split", "splits", "splitratio", "splitfactor", "splitcoefficient"),
    "adj_open": ("adjopen", "adjustedopen"),
    "adj_high": ("adjhigh", "adjustedhigh"),
    "adj_low": ("adjlow", "adjustedlow"),
    "adj_close": ("adjclose", "adjustedclose", "closeadj", "adjustedclosingprice"),
    "adj_volume": ("adjvolume", "adjustedvolume"),
}  # fmt: skip
_ROLES = {spelling: role for role, spellings in _SPELLINGS.items() for spelling in spellings}
_ZONES = {"newyork": "America/New_York", "utc": "UTC", "gmt": "UTC"}  # at the end of a time column's name
_NOT_USED = ("repaired", "capitalgains", "index", "rownr", "rowindex", "previousclose")
_PAIR = re.compile(r"^(?P<a>.+?)[ _:|./\\-]+(?P<b>[A-Za-z ]+)$")
_TUPLE = re.compile(r"^\('(?P<b>[^']+)', '(?P<a>[^']+)'\)$")  # a column of pandas with two levels, as Parquet names it
_PAIR_BACK = re.compile(r"^(?P<b>[A-Za-z]+(?: [A-Za-z]+)?)[ _:|./\\-]+(?P<a>.+)$")


@dataclass
class Layout:
    """`roles`: which column is what, of a long table. `cells`: (symbol, field) of each column of prices, of a wide one."""

    roles: dict[str, str]
    cells: dict[str, tuple[str, str]] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    zone: str | None = None  # that the time column's name tells
    said: list[str] = field(default_factory=list)


def layout_of(table: Table, of: str | None = None) -> Layout:
    """The layout of a table; InputError where no column is a date, two could be the same thing, or wide columns do not say what they are.

    `of`: the field that the columns of a wide table are, one a symbol (open, high, low, close or volume).
    """
    names = [name for name in table.frame.columns if name != ROW]
    if table.fields:
        return _wide(table, Layout({"time": names[0]}), _from_headers(table, names[1:]))
    layout = Layout({})
    rest = []
    for place, name in enumerate(names):
        plain = _plain(name)
        role, zone = _role(plain)
        is_index = (
            plain in ("", "index") and place == 0
        ) or plain == "indexlevel0"  # as pandas writes one without a name
        if role is None and is_index and _looks_like_dates(table, name):
            role = "time"
        if role is None:
            rest.append(name)
        elif role in layout.roles:
            first = layout.roles[role]
            if role == "time" and {_plain(first), plain} == {"date", "time"}:
                raise InputError(f"{table.path}: row 1: '{first}' and '{name}' hold one time in two columns; join them")
            raise InputError(f"{table.path}: row 1: columns '{first}' and '{name}' could both be the {role}; keep one")
        else:
            layout.roles[role] = name
            layout.zone = zone or layout.zone
    if "time" not in layout.roles:
        raise InputError(f"{table.path}: row 1: no column is a date ({_shown(names)}); name it 'date'")
    if any(role in layout.roles for role in (*FIELDS[:4], "adj_close", "adj_open")):
        layout.unused = [name for name in rest if _plain(name) not in _NOT_USED]
        return layout
    if "symbol" in layout.roles:
        raise InputError(
            f"{table.path}: row 1: no column is a price ({_shown(names)}); name them open, high, low, close, volume"
        )
    columns = [name for name in names if name != layout.roles["time"]]
    return _wide(table, Layout({"time": layout.roles["time"]}, zone=layout.zone), _cells(table, columns, of))


def words(layout: Layout) -> str:
    """The layout, to be said."""
    if layout.cells:
        symbols = dict.fromkeys(symbol for symbol, _ in layout.cells.values())
        fields = dict.fromkeys(name for _, name in layout.cells.values())
        return f"wide, {layout.roles['time']} = time, {len(symbols)} symbols, {', '.join(fields)}"
    told = ", ".join(f"{name} = {role}" if _plain(name) != role else role for role, name in layout.roles.items())
    return f"long, {told}" + (f"; not used: {_shown(layout.unused)}" if layout.unused else "")


def _wide(table: Table, layout: Layout, cells: dict[str, tuple[str, str]]) -> Layout:
    seen: dict[tuple[str, str], str] = {}
    for column, cell in cells.items():
        if cell in seen:
            raise InputError(
                f"{table.path}: row 1: symbol '{cell[0]}' has two columns of {cell[1]}, '{seen[cell]}' and '{column}'; keep one"
            )
        seen[cell] = column
    layout.cells = cells
    return layout


def _from_headers(table: Table, names: list[str]) -> dict[str, tuple[str, str]]:
    cells = {}
    for name in names:
        symbol, of = table.fields[name]
        role, _ = _role(_plain(of))
        if role is None:
            raise InputError(f"{table.path}: row 1: '{of}' is no field of a price; {nearest(of, FIELDS)}")
        cells[name] = (symbol, role)
    return cells


def _cells(table: Table, columns: list[str], of: str | None) -> dict[str, tuple[str, str]]:
    if not columns:
        raise InputError(
            f"{table.path}: row 1: has no column beside its dates; give one a symbol, or open, high, low, close"
        )
    for pattern in (_TUPLE, _PAIR, _PAIR_BACK):
        found = [pattern.match(name) for name in columns]
        if all(found):
            pairs = [(m["a"].strip(), _role(_plain(m["b"]))[0]) for m in found if m]
            if all(role in (*FIELDS, "adj_close") for _, role in pairs):
                return {name: (symbol, str(role)) for name, (symbol, role) in zip(columns, pairs, strict=True)}
    stem = re.split(r"[^a-z]+", table.path.rsplit("/", 1)[-1].lower())
    named = [name for name in FIELDS if name in stem]
    of = of or (named[0] if len(named) == 1 else None)
    if of is None:
        raise InputError(
            f"{table.path}: row 1: a column a symbol ({_shown(columns)}), and nothing says of what; give --field close (or "
            f"{', '.join(FIELDS[:3])}, volume)"
        )
    return {name: (name, of) for name in columns}


def _role(plain: str) -> tuple[str | None, str | None]:
    if plain in _ROLES:
        return _ROLES[plain], None
    for ending, zone in _ZONES.items():
        if "time" in (_ROLES.get(plain.removesuffix(ending)), _ROLES.get(plain.removeprefix(ending))):
            return "time", zone
    return None, None


def _looks_like_dates(table: Table, name: str) -> bool:
    first = table.frame[name].drop_nulls().head(1).to_list()
    return bool(first) and re.match(r"\d{4}-?\d{2}-?\d{2}", str(first[0])) is not None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _shown(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return shown + (f", ... ({len(names)})" if len(names) > 8 else "")
