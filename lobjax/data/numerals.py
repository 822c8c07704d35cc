"""Numbers as spreadsheets, R, pandas and NumPy save them again, where what was meant is certain. Numba, no JAX.

The parser comes here with a field that is not plain digits: quotes, a plus sign, `1010000.0`, `1.01e+06`. A number whose digits were lost
when it was saved (more than 2^53 in a float, six significant digits and an exponent) is told from one that is exact.
"""

import numpy as np
from numba import njit

OK, NOT_A_NUMBER, TOO_FEW, TOO_MANY, TOO_LARGE, NOT_INTEGRAL, ROUNDED = range(7)
QUOTED, SIGNED, POINT, EXPONENT, NOTHING, NULLS = (1 << bit for bit in range(6))  # forms that were met
MOST_DIGITS = 18  # what surely fits 64 bits
_LOST_DIGITS = 6  # significant digits of C's and Excel's short forms: with an exponent, whatever came after is gone
_EXACT_FLOAT = 1 << 53
_SPACE, _TAB, _COMMA, _QUOTE, _PLUS, _MINUS, _DOT, _ZERO, _NINE, _E, _SMALL_E = (ord(c) for c in ' \t,"+-.09Ee')


@njit(cache=True)
def trimmed(data, start, stop):
    """Where data[start:stop] begins and ends without spaces and tabs around it."""
    while start < stop and (data[start] == _SPACE or data[start] == _TAB):
        start += 1
    while stop > start and (data[stop - 1] == _SPACE or data[stop - 1] == _TAB):
        stop -= 1
    return start, stop


@njit(cache=True)
def unwrapped(data, start, stop):
    """As `trimmed`, without a pair of double quotes and without a plus sign; and the forms that were met."""
    start, stop = trimmed(data, start, stop)
    met = 0
    if stop - start >= 2 and data[start] == _QUOTE and data[stop - 1] == _QUOTE:
        start, stop = trimmed(data, start + 1, stop - 1)
        met |= QUOTED
    if stop - start >= 2 and data[start] == _PLUS and data[start + 1] != _MINUS:
        start += 1
        met |= SIGNED
    return start, stop, met


@njit(cache=True)
def _digits(data, start, stop):
    """Of unsigned data[start:stop]: where its digits end, how many there are, how many are of the whole part, forms, and a code."""
    digits, whole, end, met = 0, -1, stop, 0
    for i in range(start, stop):
        c = data[i]
        if _ZERO <= c <= _NINE:
            digits += 1
        elif c == _DOT and whole < 0:
            whole, met = digits, met | POINT
        elif c in (_E, _SMALL_E) and digits > 0:
            end, met = i, met | EXPONENT
            break
        else:
            return end, digits, whole, met, NOT_A_NUMBER
    if digits == 0:
        return end, digits, whole, met, NOT_A_NUMBER
    shift = 0
    if end < stop:
        first = end + 2 if end + 1 < stop and (data[end + 1] == _PLUS or data[end + 1] == _MINUS) else end + 1
        if first == stop or stop - first > 3:
            return end, digits, whole, met, NOT_A_NUMBER
        for i in range(first, stop):
            if not _ZERO <= data[i] <= _NINE:
                return end, digits, whole, met, NOT_A_NUMBER
            shift = shift * 10 + data[i] - _ZERO
        if data[end + 1] == _MINUS:
            shift = -shift
    return end, digits, (digits if whole < 0 else whole) + shift, met, OK


@njit(cache=True)
def loose_integer(data, start, stop, exact):
    """The integer in data[start:stop], OK or what is wrong, and the forms that were met. `exact`: an exponent may hide no digit."""
    start, stop, met = unwrapped(data, start, stop)
    negative = start < stop and data[start] == _MINUS
    if negative:
        start += 1
    end, digits, whole, forms, code = _digits(data, start, stop)
    if code != OK:
        return 0, code, 0
    value, seen, size, significant = 0, 0, 0, 0
    for i in range(start, end):
        if data[i] == _DOT:
            continue
        digit = data[i] - _ZERO
        significant += significant > 0 or digit > 0
        if seen < whole:
            size += value > 0 or digit > 0
            if size > MOST_DIGITS:
                return 0, TOO_LARGE, 0
            value = value * 10 + digit
        elif digit > 0:
            return 0, NOT_INTEGRAL, 0
        seen += 1
    if whole > digits and value > 0:
        if size + whole - digits > MOST_DIGITS:
            return 0, TOO_LARGE, 0
        if exact or significant >= _LOST_DIGITS:
            return 0, ROUNDED, 0
        value *= 10 ** (whole - digits)
    if forms and value > _EXACT_FLOAT:
        return 0, ROUNDED, 0
    return (-value if negative else value), OK, met | forms


@njit(cache=True)
def loose_decimal(data, start, stop):
    """Seconds, nanoseconds, whether digits past the ninth were rounded (half up), OK or what is wrong, and the forms that were met."""
    start, stop, met = unwrapped(data, start, stop)
    end, digits, whole, forms, code = _digits(data, start, stop)
    if code != OK:
        return 0, 0, False, code, 0
    if forms & EXPONENT and digits - whole < 9:  # the nanoseconds are not all there
        return 0, 0, False, ROUNDED, 0
    seconds, nanos, size, rounded, seen = 0, 0, 0, False, 0
    places = max(0, -whole)  # 3.42e-05: zeros that are not written
    for i in range(start, end):
        if data[i] == _DOT:
            continue
        digit = data[i] - _ZERO
        if seen < whole:
            size += seconds > 0 or digit > 0
            if size > MOST_DIGITS:
                return 0, 0, False, TOO_LARGE, 0
            seconds = seconds * 10 + digit
        elif places < 9:
            nanos, places = nanos * 10 + digit, places + 1
        else:
            nanos += places == 9 and digit >= 5
            places += 1
            rounded = rounded or digit > 0
        seen += 1
    while places < 9:
        nanos, places = nanos * 10, places + 1
    if nanos == 1_000_000_000:
        seconds, nanos = seconds + 1, 0
    return seconds, nanos, rounded, OK, met | (forms & EXPONENT)


_NULLS = np.array(
    [list(name.ljust(4).encode()) for name in ("null", "nan", "none", "na", "n/a", "<na>", "nil")], np.uint8
)


@njit(cache=True)
def nothing(data, start, stop):
    """Whether data[start:stop] holds fields without a value only (empty, `null`, `NaN`, ...), and the forms that were met."""
    met = 0
    while True:
        end = start
        while end < stop and data[end] != _COMMA:
            end += 1
        a, b, _ = unwrapped(data, start, end)
        if a == b:
            met |= NOTHING
        elif _is_null(data, a, b):
            met |= NULLS
        else:
            return False, 0
        if end == stop:
            return True, met
        start = end + 1


@njit(cache=True)
def _is_null(data, start, stop):
    if stop - start > _NULLS.shape[1]:
        return False
    for k in range(_NULLS.shape[0]):
        same = True
        for i in range(_NULLS.shape[1]):
            c = data[start + i] if start + i < stop else _SPACE
            same &= (c + 32 if 65 <= c <= 90 else c) == _NULLS[k, i]
        if same:
            return True
    return False
