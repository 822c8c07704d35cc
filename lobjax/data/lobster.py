"""Reads and validates the two files of a LOBSTER day, exactly: integers as integers, times as seconds and nanoseconds.

Whatever is wrong is an InputError of one line that names the file, the row (its line, from 1) and what to do. The message file is held
whole (7 words a row); the book file, ten times larger, passes through in blocks. Forms in which such files are saved again are read
where they are certain, and one line on standard error says so (`forms`).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lobjax.data.bookrows import REASONS, to_levels
from lobjax.data.day import EventType
from lobjax.data.forms import MESSAGE_COLUMNS, Form, open_form
from lobjax.data.lookalikes import explain, time_unit
from lobjax.data.numerals import NOT_A_NUMBER, NOT_INTEGRAL, OK, ROUNDED, TOO_FEW, TOO_LARGE
from lobjax.data.parsing import parse_rows
from lobjax.data.sources import Text
from lobjax.errors import InputError
from lobjax.types import INT32_MAX

SECONDS, NANOS, EVENT, ORDER_ID, SIZE, PRICE, DIRECTION = range(7)
_DAY_SECONDS = 86_400
_DOLLAR = 10_000


class BookFile(NamedTuple):
    """The book file of a day. `book` as in DayInfo; `levels` None without a file; blocks are int32 [K, 2, levels, 2].

    A block's axes: row, side (bids first), level, (price in ticks, lots); an empty level is zeros.
    """

    book: str
    levels: int | None
    blocks: Iterator[np.ndarray]


_WHOLE_BOOK = re.compile(r"_orderbook_\d+\.csv(\.gz)?$")


def read_messages(text: Text, tick_size: int) -> tuple[np.ndarray, int]:
    """The message file as int64 [R, 7] (seconds, nanoseconds, type, order id, size, price, direction), and times rounded.

    Prices stay in the file's 1e-4 dollars. Refuses rows out of order in time, unknown types and directions, sizes and prices that are not
    positive, and, for types 1 to 4, prices off the grid of `tick_size`.
    """
    parts, done, rounded, last = [], 0, 0, np.array([-1, 0])
    form, stream = open_form(text, False)
    for raw in stream:
        block, rough = _parse(text, raw, form, True, done)
        _check_messages(text, block, tick_size, form.header + done, last)
        parts.append(block)
        done, rounded, last = done + len(block), rounded + rough, block[-1] if len(block) else last
    if not done:
        raise InputError(f"{text}: no rows; give a message file with at least one")
    form.say(text)
    return np.concatenate(parts), rounded


def open_book(text: Text | None, rows: int, tick_size: int) -> BookFile:
    """Open the book file that goes with `rows` messages.

    A file of one row beside several messages is a seed, the book after the first message, unless it bears the name of a whole
    book file (`..._orderbook_N.csv`): then it is truncated. Any other difference in length is an InputError, raised while the
    blocks are read.
    """
    if text is None:
        return BookFile("none", None, iter(()))
    form, raw = open_form(text, True)
    levels = form.columns // 4
    stream = _book_blocks(text, form, raw, tick_size)
    head = [block for _, block in zip(range(2), stream, strict=False)]
    if not head:
        raise InputError(f"{text}: no rows; give a book file with at least the first one, or none")
    is_seed = not _WHOLE_BOOK.search(str(text))
    if is_seed and len(head) == 1 and len(head[0]) == 1 < rows:
        return BookFile("seed", levels, iter(head))
    return BookFile("rows", levels, _of_length(text, head, stream, rows, form.header))


def _of_length(
    text: Text, head: list[np.ndarray], rest: Iterator[np.ndarray], rows: int, header: int
) -> Iterator[np.ndarray]:
    done = 0
    for part in (head, rest):
        for block in part:
            done += len(block)
            if done > rows:
                raise InputError(
                    f"{text}: row {header + rows + 1} has no message, the message file has {rows} rows; give two files of one day"
                )
            yield block
    if done < rows:
        raise InputError(
            f"{text}: ends at row {done} while the message file has {rows} rows; it is truncated, fetch it again"
        )


def _book_blocks(text: Text, form: Form, stream: Iterator[bytes], tick_size: int) -> Iterator[np.ndarray]:
    done = 0
    for raw in stream:
        block, _ = _parse(text, raw, form, False, done)
        out = np.zeros((len(block), 2, form.columns // 4, 2), np.int32)
        row, column, reason = to_levels(block, tick_size, out)
        if reason:
            what = REASONS[reason].format(value=block[row, column], tick=tick_size)
            raise InputError(f"{text}: row {form.header + done + row + 1}, column {column + 1}: {what}")
        done += len(block)
        if len(block):
            yield out
    form.say(text)


def _parse(text: Text, raw: bytes, form: Form, is_message: bool, done: int) -> tuple[np.ndarray, int]:
    """The rows of a block, and times rounded; `done` rows came before it."""
    data, columns = np.frombuffer(raw, np.uint8), form.columns
    out = np.empty((raw.count(b"\n") + 1, columns + is_message), np.int64)
    rows, rounded, met, code, column, start, stop = parse_rows(data, columns, is_message, out)
    form.met |= int(met)
    if code == OK:
        return out[:rows], int(rounded)
    found, line = _shown(raw[start:stop])[:40], _line(raw, start)
    if stop == len(raw) and not raw.endswith(b"\n") and "\0" not in line:
        advice = "the file is truncated there, fetch it again"
    else:
        advice = explain(line, found, column, not is_message) or "give a LOBSTER file as it was delivered"
    name = MESSAGE_COLUMNS[column] if is_message and column < columns else f"column {column + 1}"
    what = {
        NOT_A_NUMBER: f"{name} '{found}' is not a number",
        NOT_INTEGRAL: f"{name} '{found}' is not a whole number",
        ROUNDED: f"{name} '{found}' was rounded when it was saved and its last digits are lost",
        TOO_LARGE: f"{name} '{found}' has more digits than any price or id",
        TOO_FEW: f"too few columns, {columns} are expected",
    }.get(code, f"too many columns, {columns} are expected")
    raise InputError(f"{text}: row {form.header + done + rows + 1}: {what}; {advice}")


def _line(raw: bytes, at: int) -> str:
    """The line of a block in which byte `at` stands, as far as it can be of use."""
    first = raw.rfind(b"\n", 0, at) + 1
    end = raw.find(b"\n", at)
    return _shown(raw[first : len(raw) if end < 0 else end][:4096]).rstrip("\r")


def _shown(found: bytes) -> str:
    return found.decode("utf-8", "replace")


def _check_messages(text: Text, rows: np.ndarray, tick_size: int, done: int, last: np.ndarray) -> None:
    """Report the earliest bad row of a block of messages; `last` is the row before it."""
    event, size, price, direction = (rows[:, column] for column in (EVENT, SIZE, PRICE, DIRECTION))
    times = np.concatenate([last[None, :2], rows[:, :2]])
    step = np.diff(times, axis=0)
    is_order = (event >= EventType.NEW) & (event <= EventType.EXECUTION)
    is_event = is_order | (event == EventType.HIDDEN)
    priced = is_event | (event == EventType.CROSS)
    checks = (
        (
            (step[:, 0] < 0) | ((step[:, 0] == 0) & (step[:, 1] < 0)),
            "time",
            "is earlier than the row before; sort the file by time",
        ),
        (rows[:, SECONDS] >= _DAY_SECONDS, "time", "is past midnight; {unit}"),
        (
            (event < EventType.NEW) | (event > EventType.HALT),
            "type",
            "is not one of 1 to 7; give a LOBSTER message file",
        ),
        (priced & ((size < is_event) | (size > INT32_MAX)), "size", "is not a positive 32-bit number; mend the file"),
        (
            priced & ((price < is_event) | (price > INT32_MAX * tick_size)),
            "price",
            "is not positive or too large; mend the file",
        ),
        (is_event & (np.abs(direction) != 1), "direction", "is neither 1 nor -1; mend the file"),
        (
            is_order & (price % tick_size != 0),
            "price",
            f"is off the tick grid of {tick_size} (1e-4 dollars); give the right tick size",
        ),
    )
    bad = [(int(mask.argmax()), name, text_of) for mask, name, text_of in checks if mask.any()]
    if bad:
        row, name, what = min(bad, key=lambda found: found[0])
        columns = {"time": SECONDS, "type": EVENT, "size": SIZE, "price": PRICE, "direction": DIRECTION}
        if name == "price" and 0 < price[row] < _DOLLAR:
            what += " (1e-4 dollars, not dollars)"
        value = f"{rows[row, 0]}.{rows[row, 1]:09d}" if name == "time" else rows[row, columns[name]]
        raise InputError(
            f"{text}: row {done + row + 1}: {name} {value} {what.format(unit=time_unit(int(rows[row, 0])))}"
        )
