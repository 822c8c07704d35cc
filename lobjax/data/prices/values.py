"""Numbers of a table: what is none, or cannot be a price or a volume, is refused by row and column."""

import re
from typing import TYPE_CHECKING

from lobjax.data.prices.text import ROW, Table
from lobjax.errors import InputError

if TYPE_CHECKING:
    import polars as pl

MOST_PRICE = 1e11  # above any that was ever quoted, below what a unit error or a broken file makes
MOST_VOLUME = 1e15
NOTHING = ("", "nan", "null", "na", "n/a", "none", "-", "#n/a", "nat", "<na>")
_HINTS = (
    (re.compile(r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$"), "write it without thousands separators"),
    (re.compile(r"^[-+]?\d+,\d+$"), "write the decimals after a point"),
    (re.compile(r"^[-+]?[$€£¥]"), "write it without a currency"),
    (re.compile(r"%$"), "write it as a number"),
)


def prices(table: Table, column: str) -> "pl.Series":
    """Float64, null where there is none. InputError unless all are positive and below `MOST_PRICE`."""
    found = numbers(table, column)
    _check(table, column, found, found <= 0, "a price is above 0")
    _check(table, column, found, found >= MOST_PRICE, f"a price is below {MOST_PRICE:,.0f}")
    return found


def volumes(table: Table, column: str) -> "pl.Series":
    """Float64, null where there is none. InputError unless none is negative or beyond `MOST_VOLUME`."""
    found = numbers(table, column)
    _check(table, column, found, found < 0, "a volume is 0 or more")
    _check(table, column, found, found > MOST_VOLUME, f"a volume is at most {MOST_VOLUME:,.0f}")
    return found


def factors(table: Table, column: str) -> "pl.Series":
    """Float64, 1 where there is none or 0 (as Yahoo writes no split). InputError where one is negative or beyond 10^4."""
    found = numbers(table, column)
    _check(table, column, found, (found < 0) | (found > 1e4), "a factor is 0 (none), or above 0 and up to 10,000")
    return found.fill_null(1.0).replace(0.0, 1.0)


def numbers(table: Table, column: str) -> "pl.Series":
    """Float64, null where there is none. InputError where one is text or infinite."""
    import polars as pl

    given = table.frame[column]
    if given.dtype == pl.String:
        text = given.str.strip_chars()
        text = text.set(text.str.to_lowercase().is_in(NOTHING), None)
        found = text.cast(pl.Float64, strict=False)
        wrong = found.is_null() & text.is_not_null()
        if wrong.any():
            at = int(wrong.arg_max() or 0)
            raise InputError(
                f"{table.where(table.frame[ROW][at], column)}: '{text[at]:.40}' is no number; {_hint(text[at])}"
            )
    elif given.dtype.is_numeric():
        found = given.cast(pl.Float64)
        found = found.set(found.is_nan(), None)
    else:
        raise InputError(f"{table.path}: column '{column}' is {given.dtype}, not numbers; write it as numbers")
    _check(table, column, found, found.is_infinite() | found.is_nan(), "write a finite number, or leave it empty")
    return found


def texts(table: Table, column: str) -> "pl.Series":
    """Text without spaces around it; InputError where a row has none."""
    import polars as pl

    given = table.frame[column]
    text = given.cast(pl.String, strict=False).str.strip_chars()
    empty = text.is_null() | (text == "") | (text.str.len_chars() > 100)
    if empty.any():
        at = int(empty.arg_max() or 0)
        raise InputError(
            f"{table.where(table.frame[ROW][at], column)}: is empty or longer than 100 characters; give a name"
        )
    return text


def _check(table: Table, column: str, found: "pl.Series", wrong: "pl.Series", rule: str) -> None:
    wrong = wrong.fill_null(False)
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        raise InputError(
            f"{table.where(table.frame[ROW][at], column)}: {found[at]:.15g}; {rule}: correct or remove the row"
        )


def _hint(text: str) -> str:
    return next((hint for pattern, hint in _HINTS if pattern.search(text)), "write a number, or leave it empty")
