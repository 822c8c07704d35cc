"""How a LOBSTER file was saved again: what of it is read all the same, once what was meant is certain, and how that is said.

Taken off before the parser sees a block: a byte-order mark, a header row of LOBSTER's names, a data frame's index column, lone carriage
returns. Forms of single fields are the parser's (`numerals`). `lookalikes` has the forms that are refused.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from lobjax.data.lookalikes import content_of, explain, other_file, separator_of
from lobjax.data.numerals import EXPONENT, NOTHING, NULLS, POINT, QUOTED, SIGNED
from lobjax.data.sources import BOOK_EXPANDS, EXPANDS, Text, blocks
from lobjax.errors import InputError

MESSAGE_COLUMNS = ("time", "type", "order id", "size", "price", "direction")
_MARK, _INDEX_COLUMN, _HEADER, _RETURNS = (1 << bit for bit in range(16, 20))
_WORDS = {
    _MARK: "a byte-order mark",
    _HEADER: "a header row",
    _INDEX_COLUMN: "a data frame's index column",
    _RETURNS: "carriage returns as line ends",
    QUOTED: "quotes around fields",
    SIGNED: "plus signs",
    POINT: "whole numbers with a decimal point",
    EXPONENT: "whole numbers with an exponent",
    NOTHING: "empty columns at the end",
    NULLS: "a last column of nulls",
}
_BOM = b"\xef\xbb\xbf"
_SPELLINGS = (
    ("time", "times", "timestamp", "timesec", "timeseconds", "secondsaftermidnight"),
    ("type", "eventtype", "event", "messagetype", "msgtype"),
    ("orderid", "id", "oid", "orderreferencenumber"),
    ("size", "ordersize", "volume", "shares", "quantity", "qty"),
    ("price", "orderprice"),
    ("direction", "tradedirection", "dir", "buysell", "buysellindicator"),
)
_MESSAGE_NAMES = {spelling: column for column, spellings in enumerate(_SPELLINGS) for spelling in spellings}
_BOOK_NAME = re.compile(r"(ask|bid)(price|prices|p|size|sizes|s|volume|vol|v|quantity|qty)(\d{1,3})")
_INDEX_NAME = re.compile(r"|index|unnamed0|rowindex|rownr")  # as pandas, R and polars write them
_NO_NAME = re.compile(r"|null|nan|mpid|unnamed\d+|\d+")  # of a column that holds nothing
_TELLING = 6  # columns of a message, by which a header and a row are told apart
_NUMBER = re.compile(r"[-+]?\d*\.?\d*(?:[eE][-+]?\d+)?")

_said: set[str] = set()


@dataclass
class Form:
    """What was met in a file. `header`: rows before the first one of numbers (0 or 1); `columns` that a row should have."""

    columns: int
    header: int = 0
    index: bool = False
    met: int = 0

    def say(self, text: Text) -> None:
        """One line on standard error, where anything was met; once for a file, however often it is read."""
        if self.met:
            line = f"{text}: read with {', '.join(words for form, words in _WORDS.items() if self.met & form)}"
            if line not in _said:
                _said.add(line)
                print(line, file=sys.stderr, flush=True)


def open_form(text: Text, is_book: bool) -> tuple[Form, Iterator[bytes]]:
    """The form of a file and its rows, plain lines in blocks; a `Form` of no columns where the file is empty.

    InputError where the file is no text of rows, or its header names other columns or these in another order.
    """
    stream = blocks(text, BOOK_EXPANDS if is_book else EXPANDS)
    first = next(stream, b"")
    form = Form(0 if is_book else len(MESSAGE_COLUMNS))
    if what := content_of(first):
        raise InputError(f"{text}: {what}")
    if first.startswith(_BOM):
        first, form.met = first[len(_BOM) :], form.met | _MARK
    if not first:
        return form, iter(())
    first = _plain_ends(first, form)
    top, _, rest = first.partition(b"\n")
    line = top.decode("utf-8", "replace").strip("\r ")
    if fields := _header(line.lstrip("#").split(",")):
        form.index = _read_header(text, line, fields, is_book)
        form.header, form.met, first = 1, form.met | _HEADER | (_INDEX_COLUMN if form.index else 0), rest
        line = rest.partition(b"\n")[0].decode("utf-8", "replace")
    if is_book:
        form.columns = _book_columns(text, form, line)
    return form, _plain_blocks(form, chain([first], stream))


def _plain_blocks(form: Form, stream: Iterator[bytes]) -> Iterator[bytes]:
    for raw in stream:
        plain = _plain_ends(raw, form)
        yield re.sub(rb'(?m)^ *"?\d+"? *,', b"", plain) if form.index else plain


def _plain_ends(raw: bytes, form: Form) -> bytes:
    """Lines that end with a newline; those of Windows (\\r\\n) are plain enough."""
    if b"\r" not in raw or raw.count(b"\r") == raw.count(b"\r\n"):
        return raw
    form.met |= _RETURNS
    return re.sub(rb"\r+\n", b"\n", raw).replace(b"\r", b"\n")


def _name(written: str) -> str:
    return re.sub(r"[\s\"'_\-.:()\[\]#]", "", written).lower()


def _header(written: list[str]) -> list[str]:
    """The names of a header's columns; none where the line is a row, of however many columns."""
    first = [_name(field) for field in written[:_TELLING]]
    if any(first) and not _is_header(first):  # which says it of all
        return []
    names = first + [_name(field) for field in written[_TELLING:]]
    return names if _is_header(names) else []


def _is_header(names: list[str]) -> bool:
    if names[0] == "" and names[1:] == [str(k) for k in range(len(names) - 1)]:
        return True  # a data frame without names, with its index
    if len(names) > 1 and names == [str(k) for k in range(len(names))]:
        return True  # and without: no row of numbers, as no direction is 5 and no price 0
    return any(names) and not any(name and _NUMBER.fullmatch(name) for name in names[:_TELLING])


def _read_header(text: Text, line: str, names: list[str], is_book: bool) -> bool:
    """Whether an index column comes first; InputError where the names are not LOBSTER's in LOBSTER's order."""
    index = bool(_INDEX_NAME.fullmatch(names[0])) and len(names) > 1
    own = names[1:] if index else names
    while own and _NO_NAME.fullmatch(own[-1]) and not own[-1].isdigit():
        own = own[:-1]
    if own == [str(k) for k in range(len(own))]:
        return index
    places = _book_places(own) if is_book else [_MESSAGE_NAMES.get(name, -1) for name in own]
    others = [_MESSAGE_NAMES.get(name, -1) for name in own] if is_book else _book_places(own)
    if places == list(range(len(places))) and (len(places) % 4 == 0 if is_book else len(places) == 6):
        return index
    if others and min(others) >= 0:
        raise InputError(f"{text}: row 1: a header that {other_file(is_book)}")
    if what := separator_of(line):
        raise InputError(f"{text}: row 1: {what}")
    shown = ", ".join(part.strip() for part in line.split(","))[:120]
    if places and min(places) >= 0:
        raise InputError(
            f"{text}: row 1: a header with columns that are missing, doubled or in another order ({shown}); save them as {_order(is_book)}"
        )
    raise InputError(
        f"{text}: row 1: a header with names that are not LOBSTER's ({shown}); name them {_order(is_book)}"
    )


def _order(is_book: bool) -> str:
    return (
        "AskPrice1, AskSize1, BidPrice1, BidSize1, AskPrice2, ..."
        if is_book
        else "Time, Type, Order ID, Size, Price, Direction"
    )


def _book_places(names: list[str]) -> list[int]:
    """The place of each column among a book file's, -1 where its name is none; levels may count from 0 or 1."""
    found = [_BOOK_NAME.fullmatch(name) for name in names]
    lowest = min((int(name[3]) for name in found if name), default=1)
    return [
        4 * (int(name[3]) - min(lowest, 1)) + 2 * (name[1] == "bid") + (name[2][0] != "p") if name else -1
        for name in found
    ]


def _book_columns(text: Text, form: Form, line: str) -> int:
    fields = [part.strip().strip('"') for part in line.rstrip("\r").split(",")][form.index :]
    extra = len(fields) % 4
    if len(fields) < 4 or any(
        part.lower() not in ("", "null", "nan", "none", "na", "n/a") for part in fields[len(fields) - extra :]
    ):
        what = f"row {form.header + 1} has {len(fields)} columns, a book row has four a level"
        raise InputError(f"{text}: {what}; {explain(line, '', 0, True) or 'give a LOBSTER orderbook file'}")
    return len(fields) - extra
