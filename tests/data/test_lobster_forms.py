"""LOBSTER files as people save them again: what is certain is read to the bit and said once, the rest is refused by name."""

import gzip
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lobjax.data import forms, sources
from lobjax.data.lobster import open_book, read_messages
from lobjax.data.sources import Text
from lobjax.errors import InputError
from tests.data.synthetic_lobster import make_rows

MESSAGES, BOOKS = make_rows(levels=3, rows=120, seed=2)
NAMES = "Time,Type,OrderID,Size,Price,Direction"
BOOK_NAMES = ",".join(
    f"{side}{what}{level}" for level in (1, 2, 3) for side in ("Ask", "Bid") for what in ("Price", "Size")
)


def _read(path, is_book: bool) -> np.ndarray:
    if is_book:
        return np.concatenate(list(open_book(Text(path), len(MESSAGES), 100).blocks))
    return read_messages(Text(path), 100)[0]


def _file(folder, lines, is_book: bool, end: str = "\n", start: bytes = b""):
    path = folder / f"x_{'orderbook' if is_book else 'message'}_3.csv"
    path.write_bytes(start + "".join(line + end for line in lines).encode())
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return [_read(_file(folder, lines, is_book), is_book) for is_book, lines in ((False, MESSAGES), (True, BOOKS))]


def _fields(change):
    """Apply `change(text, column)` to every field."""
    return lambda lines: [",".join(change(text, k) for k, text in enumerate(line.split(","))) for line in lines]


def _savetxt(text: str, column: int) -> str:
    return f"{float(text):.18e}"


def _indexed(lines):
    return [f"{'' if k == 0 else k - 1},{line}" for k, line in enumerate(lines)]


FIELD_FORMS = {
    "quotes around fields": _fields(lambda text, k: f'"{text}"'),
    "plus signs": _fields(lambda text, k: text if text.startswith("-") else f"+{text}"),
    "whole numbers with a decimal point": _fields(lambda text, k: text if "." in text else f"{text}.0"),
    "empty columns at the end": lambda lines: [f"{line},," for line in lines],
    "a last column of nulls": lambda lines: [f"{line},{('null', 'NaN', '')[k % 3]}" for k, line in enumerate(lines)],
    "spaces": _fields(lambda text, k: f" {text}\t"),
}


@pytest.mark.parametrize("is_book", [False, True])
@pytest.mark.parametrize("form", FIELD_FORMS)
def test_a_field_form_gives_the_same_rows_and_is_said(tmp_path, plain, capsys, form, is_book):
    path = _file(tmp_path, FIELD_FORMS[form]((MESSAGES, BOOKS)[is_book]), is_book)
    assert np.array_equal(_read(path, is_book), plain[is_book])
    said = capsys.readouterr().err
    assert said == "" if form == "spaces" else form in said and said.count("\n") == 1
    _read(path, is_book)
    assert capsys.readouterr().err == ""  # once a file


@pytest.mark.parametrize("is_book", [False, True])
@pytest.mark.parametrize(
    ("form", "end", "start", "change"),
    [
        ("a byte-order mark", "\n", b"\xef\xbb\xbf", None),
        ("carriage returns as line ends", "\r", b"", None),
        ("carriage returns as line ends", "\r\r\n", b"", None),
        ("", "\r\n", b"", None),
        ("a header row", "\n", b"", lambda names, lines: [names, *lines]),
        ("a header row", "\r\n", b"\xef\xbb\xbf", lambda names, lines: [names.upper().replace("ID", "_ID"), *lines]),
        ("a header row", "\n", b"", lambda names, lines: ["# " + ", ".join(f'"{n}"' for n in names.split(",")), *lines]),
        ("a header row", "\n", b"", lambda names, lines: [",".join(str(k) for k in range(names.count(",") + 1)), *lines]),
        ("index column", "\n", b"", lambda names, lines: _indexed([names, *lines])),
        ("index column", "\n", b"", lambda names, lines: ["Unnamed: 0," + names, *_indexed([names, *lines])[1:]]),
        ("index column", "\n", b"", lambda names, lines: _indexed([",".join(str(k) for k in range(names.count(",") + 1)), *lines])),
    ],
)  # fmt: skip
def test_a_file_form_gives_the_same_rows_and_is_said(tmp_path, plain, capsys, is_book, form, end, start, change):
    lines = (MESSAGES, BOOKS)[is_book]
    lines = change((NAMES, BOOK_NAMES)[is_book], lines) if change else lines
    assert np.array_equal(_read(_file(tmp_path, lines, is_book, end, start), is_book), plain[is_book])
    said = capsys.readouterr().err
    assert said == "" if not form else form in said and said.count("\n") == 1


def test_numbers_with_an_exponent_are_read_where_no_digit_is_lost(tmp_path, plain, capsys):
    """As NumPy's savetxt writes them, and R's 1e+05."""
    assert np.array_equal(_read(_file(tmp_path, _fields(_savetxt)(MESSAGES), False), False), plain[0])
    assert np.array_equal(_read(_file(tmp_path, _fields(_savetxt)(BOOKS), True), True), plain[1])
    assert capsys.readouterr().err.count("whole numbers with an exponent") == 2
    rows = _read(
        _file(tmp_path, ["34200.5,1,7,1e1,1.0E+06,1", "3.42010000000000000e4,1,8,2.0e+0,58533e2,1"], False), False
    )
    assert rows.tolist() == [[34200, 500_000_000, 1, 7, 10, 1_000_000, 1], [34201, 0, 1, 8, 2, 5_853_300, 1]]


def test_a_file_read_in_small_blocks_meets_forms_in_any_of_them(tmp_path, plain, monkeypatch, capsys):
    monkeypatch.setattr(sources, "BLOCK_BYTES", 300)
    half = len(MESSAGES) // 2
    for is_book, lines in ((False, MESSAGES), (True, BOOKS)):
        mixed = [*lines[:half], *FIELD_FORMS["quotes around fields"](lines[half:])]
        for end in ("\n", "\r", "\r\n", "\r\r\n"):
            assert np.array_equal(_read(_file(tmp_path, mixed, is_book, end), is_book), plain[is_book])
    assert "quotes around fields" in capsys.readouterr().err
    bad = [NAMES, *MESSAGES[:half], MESSAGES[half].replace(",", ";"), *MESSAGES[half:]]
    with pytest.raises(InputError, match=rf"row {half + 2}: .*semicolons"):
        _read(_file(tmp_path, bad, False), False)
    with pytest.raises(InputError, match=rf"row {half + 1}: .*a header row in the middle"):
        _read(_file(tmp_path, [*MESSAGES[:half], NAMES, *MESSAGES[half:]], False), False)


def test_rows_in_errors_are_lines_with_a_header_too(tmp_path):
    lines = [NAMES, *MESSAGES]
    lines[50] = lines[50].rsplit(",", 1)[0] + ",3"
    with pytest.raises(InputError, match=r"row 51: (direction|too)"):
        _read(_file(tmp_path, lines, False, "\r"), False)
    books = [BOOK_NAMES, *BOOKS]
    books[50] = books[50].rsplit(",", 1)[0] + ",-3"
    with pytest.raises(InputError, match="row 51, column 12"):
        _read(_file(tmp_path, books, True), True)
    with pytest.raises(InputError, match="row 122 has no message, the message file has 120 rows"):
        _read(_file(tmp_path, [BOOK_NAMES, *BOOKS, BOOKS[-1]], True), True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_forms_mixed_at_will_give_the_same_rows(tmp_path, plain, data):
    is_book = data.draw(st.booleans())
    lines = [line.split(",") for line in (MESSAGES, BOOKS)[is_book]]
    kinds = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=40))
    changes = (
        lambda text, k: text,
        lambda text, k: f'"{text}"',
        lambda text, k: text if text.startswith("-") else f' "+{text}" ',
        lambda text, k: text if "." in text else f"{text}.00",
        _savetxt,
    )
    number = iter(range(1 << 20))
    lines = [
        ",".join(changes[kinds[next(number) % len(kinds)]](text, k) for k, text in enumerate(line)) for line in lines
    ]
    if data.draw(st.booleans()):
        lines = [line + data.draw(st.sampled_from(["", ",", ",null"])) for line in lines]
    if data.draw(st.booleans()):
        lines = [(NAMES, BOOK_NAMES)[is_book], *lines]
        lines = _indexed(lines) if data.draw(st.booleans()) else lines
    end, start = data.draw(st.sampled_from(["\n", "\r\n", "\r"])), data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    assert np.array_equal(_read(_file(tmp_path, lines, is_book, end, start), is_book), plain[is_book])


def _edit(column: int, value: str):
    return lambda lines: [
        *lines[:4],
        ",".join([*lines[4].split(",")[:column], value, *lines[4].split(",")[column + 1 :]]),
    ]


REFUSED = [
    ("semicolons", lambda m: [line.replace(",", ";") for line in m]),
    ("semicolons", lambda m: [NAMES.replace(",", ";"), *(line.replace(",", ";") for line in m)]),
    ("semicolons, and decimal commas", lambda m: [line.replace(",", ";").replace(".", ",") for line in m]),
    ("tabs", lambda m: [line.replace(",", "\t") for line in m]),
    ("vertical bars", lambda m: [line.replace(",", "|") for line in m]),
    ("spaces", lambda m: [line.replace(",", " ") for line in m]),
    ("decimal commas", lambda m: [line.replace(".", ",") for line in m]),
    ("decimal commas", _fields(lambda text, k: f'"{text.replace(".", ",")}"')),
    ("another order .Type, Time", lambda m: ["Type,Time,OrderID,Size,Price,Direction", *m]),
    ("names that are not LOBSTER's", lambda m: ["a,b,c,d,e,f", *m]),
    ("missing, doubled", lambda m: ["Time,Type,OrderID,Size,Price", *m]),
    ("orderbook file", lambda m: [BOOK_NAMES, *BOOKS]),
    ("orderbook file", lambda m: BOOKS),
    ("dollars", _edit(4, "585.33")),
    ("dollars", _edit(4, "$585.33")),
    ("not dollars", _edit(4, "585.0")),
    ("hours and minutes", _edit(0, "09:30:00.000000001")),
    ("a date with a time", _edit(0, "2012-06-21T09:30:00")),
    ("a date with a time", _edit(0, "2012-06-21 09:30:00")),
    ("nanoseconds after midnight", _edit(0, "34200018960767")),
    ("microseconds after midnight", _edit(0, "34200018960")),
    ("milliseconds after midnight", _edit(0, "34200018")),
    ("milliseconds since 1970", _edit(0, "1340285400000")),
    ("seconds since 1970", _edit(0, "1340285400.5")),
    ("nanoseconds since 1970", _edit(0, "1340285400000000000")),
    ("thousands separators", _edit(4, '"1,010,000"')),
    ("thousands separators", _edit(4, "1 010 000")),
    ("thousands separators", _edit(4, "1'010'000")),
    ("a value is missing", _edit(2, "null")),
    ("side in words", _edit(5, "BUY")),
    ("rounded when it was saved", _edit(2, "1.61136e+07")),
    ("rounded when it was saved", _edit(2, "1e9")),
    ("rounded when it was saved", _edit(2, "9007199254740994.0")),
    ("rounded when it was saved", _edit(0, "3.42e+04")),
    ("not a whole number", _edit(3, "18.5")),
    ("index as first column", lambda m: [f"{k},{line}" for k, line in enumerate(m)]),
    ("too many columns", lambda m: [f"{line},NSDQ" for line in m]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change"), REFUSED)
def test_a_refusal_names_the_form(tmp_path, what, change):
    with pytest.raises(InputError, match=what) as refused:
        _read(_file(tmp_path, change(MESSAGES), False), False)
    assert "\n" not in str(refused.value) and re.search(r": row \d", str(refused.value))


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("message file", MESSAGES),
        ("message file", [f"{line},null" for line in MESSAGES]),
        ("message file", [NAMES, *MESSAGES]),
        ("another order", [BOOK_NAMES.replace("Ask", "x").replace("Bid", "Ask").replace("x", "Bid"), *BOOKS]),
        ("semicolons", [line.replace(",", ";") for line in BOOKS]),
        ("index as first column", [f"{k},{line}" for k, line in enumerate(BOOKS)]),
        ("dollars", [line.replace("1000100", "100.01") for line in BOOKS]),
        ("a value is missing; an empty level is 9999999999", [BOOKS[0], ",".join(["", *BOOKS[1].split(",")[1:]])]),
        ("four a level", ["1000100,2,3"]),
    ],
)
def test_a_refusal_of_a_book_file_names_the_form(tmp_path, what, lines):
    with pytest.raises(InputError, match=what) as refused:
        _read(_file(tmp_path, lines, True), True)
    assert "\n" not in str(refused.value)


TEXT = "\n".join(MESSAGES) + "\n"


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("UTF-16", TEXT.encode("utf-16")),
        ("UTF-16", TEXT.encode("utf-16-be")),
        ("UTF-16", TEXT.encode("utf-16-le")),
        ("UTF-32", TEXT.encode("utf-32")),
        ("UTF-32", TEXT.encode("utf-32-le")),
        ("gzip", gzip.compress(TEXT.encode())),
        ("an Excel workbook", b"PK\x03\x04\x14\0\0\0\x08\0[Content_Types].xml" + bytes(99)),
        ("a zip archive", b"PK\x03\x04\x14\0\0\0\x08\0day.csv" + bytes(99)),
        ("Parquet", b"PAR1" + bytes(range(256)) * 9),
        ("a web page", b"\n<!DOCTYPE html>\n<html><body>404</body></html>\n"),
        ("JSON", b'{"error": "no such file"}\n'),
        ("NUL bytes", b"34200.1,1,5" + b"\0" * 4000),
        ("NUL bytes", b"34200.1,1,\0,1,1000000,1\n"),
        ("no line end", b"1" * 9000),
        ("no line end", b"34200.1,1,5,1,1000000,1," * 400),
    ],
)
@pytest.mark.parametrize("is_book", [False, True])
def test_other_content_under_the_name_is_told(tmp_path, monkeypatch, what, content, is_book):
    monkeypatch.setattr(sources, "BLOCK_BYTES", 8000)
    path = tmp_path / "x_message_3.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=what) as refused:
        _read(path, is_book)
    assert "\n" not in str(refused.value)


def test_every_form_has_words():
    assert all(bin(form).count("1") == 1 for form in forms._WORDS) and len(set(forms._WORDS.values())) == 10


def test_a_row_of_a_million_columns_is_no_header_at_a_glance(tmp_path, monkeypatch):
    """Names are made of all its columns only where the first tell that it may be one."""
    named, name = [], forms._name
    monkeypatch.setattr(forms, "_name", lambda written: named.append(written) or name(written))
    with pytest.raises(InputError, match="row 1: too many columns"):
        _read(_file(tmp_path, [",".join(["1"] * 10**6)], is_book=False), is_book=False)
    assert len(named) < 10
