"""Exact reading of comma-separated integers and decimal times, in one pass that knows where it stopped.

A general csv reader rounds times through a float and does not say which row it disliked, so both are read digit by digit. LOBSTER
itself printed some times through a double (43002.632812672004): digits past the nanosecond are rounded half up, and counted.
A field that is not plain digits, and columns beyond the wanted ones, get a second and more patient look (`numerals`).
"""

import numpy as np
from numba import njit

from lobjax.data.numerals import (
    MOST_DIGITS,
    NOT_A_NUMBER,
    OK,
    TOO_FEW,
    TOO_LARGE,
    TOO_MANY,
    loose_decimal,
    loose_integer,
    nothing,
)

_ORDER_ID = 2  # its column in a message file
_COMMA, _NEWLINE, _RETURN, _SPACE, _MINUS, _DOT, _ZERO = (ord(c) for c in ",\n\r -.0")


@njit(cache=True)
def _integer(data, start, stop):
    """The integer written in data[start:stop] and OK, or 0 and what is wrong."""
    negative = start < stop and data[start] == _MINUS
    first = start + 1 if negative else start
    if first >= stop:
        return 0, NOT_A_NUMBER
    value = 0
    for i in range(first, stop):
        digit = np.int64(data[i]) - _ZERO
        if digit < 0 or digit > 9:
            return 0, NOT_A_NUMBER
        if i - first >= MOST_DIGITS:
            return 0, TOO_LARGE
        value = value * 10 + digit
    return (-value if negative else value), OK


@njit(cache=True)
def _decimal(data, start, stop):
    """Seconds, nanoseconds, whether digits past the ninth were rounded (half up), and OK or what is wrong."""
    dot = start
    while dot < stop and data[dot] != _DOT:
        dot += 1
    whole, code = _integer(data, start, dot)
    if code != OK or data[start] == _MINUS or dot == stop - 1:
        return 0, 0, False, (code if code != OK else NOT_A_NUMBER)
    nanos, scale, rounded = 0, 1_000_000_000, False
    for i in range(dot + 1, stop):
        digit = np.int64(data[i]) - _ZERO
        if digit < 0 or digit > 9:
            return 0, 0, False, NOT_A_NUMBER
        if i - dot <= 9:
            scale //= 10
            nanos += digit * scale
        else:
            nanos += i - dot == 10 and digit >= 5
            rounded = rounded or digit > 0
    if nanos == 1_000_000_000:
        return whole + 1, 0, rounded, OK
    return whole, nanos, rounded, OK


@njit(cache=True)
def parse_rows(data, columns, time_first, out):
    """Parse whole lines of `columns` fields into `out` int64 [rows, columns (+ 1 where `time_first`)].

    `data` is uint8. With `time_first` the first field is a decimal and fills two columns, seconds and nanoseconds. Blank lines
    are allowed at the end only. Columns after the last are allowed where they hold nothing. Returns (rows read, times rounded, forms met,
    code, column, start, stop): on failure `code` is not OK, the bad row is the one after the rows read, `column` counts from 0, and
    data[start:stop] is the offending field (or line).
    """
    size = data.shape[0]
    shift = 1 if time_first else 0
    row, i, rounded, met = 0, 0, 0, 0
    while i < size:
        line = i
        end = i
        while end < size and data[end] != _NEWLINE:
            end += 1
        stop_line = end - 1 if end > line and data[end - 1] == _RETURN else end
        if stop_line == line and _blank(data, end, size):
            break
        column = 0
        start = line
        while True:
            stop = start
            while stop < stop_line and data[stop] != _COMMA:
                stop += 1
            if column == columns:
                is_nothing, forms = nothing(data, start, stop_line)
                if not is_nothing:
                    return row, rounded, met, TOO_MANY, column, line, stop_line
                met |= forms
                break
            a, b = start, stop
            while a < b and data[a] == _SPACE:
                a += 1
            while b > a and data[b - 1] == _SPACE:
                b -= 1
            if column == 0 and time_first:
                out[row, 0], out[row, 1], rough, code = _decimal(data, a, b)
                if code != OK:
                    out[row, 0], out[row, 1], rough, code, forms = loose_decimal(data, a, b)
                    met |= forms
                rounded += rough
            else:
                out[row, column + shift], code = _integer(data, a, b)
                if code != OK:
                    exact = time_first and column == _ORDER_ID
                    out[row, column + shift], code, forms = loose_integer(data, a, b, exact)
                    met |= forms
            if code != OK:
                few = code == NOT_A_NUMBER and stop == stop_line and column < columns - 1
                return row, rounded, met, (TOO_FEW if few else code), column, (line if few else start), stop
            column += 1
            if stop == stop_line:
                break
            start = stop + 1
        if column < columns:
            return row, rounded, met, TOO_FEW, column, line, stop_line
        row += 1
        i = end + 1
    return row, rounded, met, OK, 0, 0, 0


@njit(cache=True)
def _blank(data, start, size):
    while start < size and data[start] in (_NEWLINE, _RETURN, _SPACE):
        start += 1
    return start == size
