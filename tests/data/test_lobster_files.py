"""Reading LOBSTER files: every format gives the same day, numbers are exact, each kind of bad input is one line."""

import gzip
import re
import zipfile

import numpy as np
import pytest

from lobjax.data import EventType, build_day
from lobjax.data.lobster import DIRECTION, NANOS, SECONDS, read_messages
from lobjax.data.sources import locate
from lobjax.errors import InputError
from tests.data.synthetic_lobster import EMPTY, make_rows, write_pair

MESSAGES, BOOKS = make_rows(levels=3, rows=400, seed=1)


def _same(a, b) -> bool:
    parts = [(x, y) for x, y in zip(a, b, strict=True) if not hasattr(x, "levels")]
    return all(np.array_equal(x, y) for x, y in parts)


def _refused(tmp_path, messages, books, pattern: str) -> None:
    with pytest.raises(InputError, match=pattern) as caught:
        build_day(write_pair(tmp_path, messages, books))
    assert "\n" not in str(caught.value) and "SYN_2020-02-03" in str(caught.value)


def _edited(lines: list[str], row: int, column: int, value: str) -> list[str]:
    fields = lines[row - 1].split(",")
    fields[column] = value
    return [*lines[: row - 1], ",".join(fields), *lines[row:]]


def _row_of(kind: str) -> int:
    """The first row (from 1, not the very first) whose message is of a kind."""
    return next(row for row, line in enumerate(MESSAGES, 1) if line.split(",")[1] == kind and row > 1)


@pytest.mark.parametrize("ending", [".csv.gz", ".zip"])
def test_every_format_gives_the_same_day(tmp_path, ending):
    plain = build_day(write_pair(tmp_path / "plain", MESSAGES, BOOKS))
    other = build_day(write_pair(tmp_path / "other", MESSAGES, BOOKS, ending))
    assert plain.info.rows == 400 and plain.info.levels == 3 and plain.info.book == "rows"
    assert _same(plain, other)
    assert _same(plain, build_day(tmp_path / "other"))  # a folder that holds one day


def test_book_file_is_found_given_or_absent(tmp_path):
    path = write_pair(tmp_path, MESSAGES, BOOKS)
    book = path.with_name(path.name.replace("message", "orderbook"))
    moved = book.rename(tmp_path / "elsewhere.csv")
    assert build_day(path).info.book == "none"
    assert build_day(path, moved).info.book == "rows"
    path.with_name(book.name.replace(".csv", ".row0.csv")).write_text(BOOKS[0])
    seeded = build_day(path)
    assert (seeded.info.book, seeded.info.symbol, seeded.info.date) == ("seed", "SYN", "2020-02-03")


def test_windows_line_ends_and_blank_last_lines(tmp_path):
    plain = build_day(write_pair(tmp_path / "plain", MESSAGES, BOOKS))
    crlf = build_day(
        write_pair(tmp_path / "crlf", [f"{line}\r" for line in [*MESSAGES, ""]], [f"{line}\r" for line in BOOKS])
    )
    assert _same(plain, crlf)


def test_times_are_exact_decimals(tmp_path):
    texts = {
        "34200": (34200, 0),
        "34200.00426064": (34200, 4260640),
        "34200.189607669998": (34200, 189607670),  # LOBSTER printed some times through a double
        "34201.000000001": (34201, 1),
        "43002.632812672004": (43002, 632812672),
        "43002.9999999996": (43003, 0),
    }
    lines = [f"{text},1,{number},5,1000000,1" for number, text in enumerate(texts, 1)]
    rows, rounded = read_messages(locate(write_pair(tmp_path, lines, None)).message, 100)
    assert rows[:, [SECONDS, NANOS]].tolist() == [list(pair) for pair in texts.values()]
    assert rounded == 3


def test_columns_are_integers_to_the_digit(tmp_path):
    line = "34200.1,5,999999999999999999,2147483647,123456789,-1"
    rows, _ = read_messages(locate(write_pair(tmp_path, [line], None)).message, 100)
    assert rows[0].tolist() == [34200, 100_000_000, 5, 999999999999999999, 2147483647, 123456789, -1]
    assert rows[0, DIRECTION] == -1


def test_hidden_prints_keep_raw_prices_and_are_counted(tmp_path):
    day = build_day(write_pair(tmp_path, MESSAGES, BOOKS))
    hidden = [line.split(",") for line in MESSAGES if line.split(",")[1] == "5"]
    mine = day.prints.event == EventType.HIDDEN
    assert day.prints.price[mine].tolist() == [int(fields[4]) for fields in hidden]
    assert day.prints.size_lots[mine].tolist() == [int(fields[3]) for fields in hidden]
    assert day.info.counts["prints_off_grid"] == sum(int(fields[4]) % 100 != 0 for fields in hidden) > 0


BAD_MESSAGES = [
    (0, "30000.5", "time 30000.500000000 is earlier than the row before"),
    (0, "90000", "past midnight"),
    (0, "34200.1e3", "time '34200.1e3' was rounded when it was saved"),
    (0, "-5.0", "time '-5.0' is not a number"),
    (1, "8", "type 8 is not one of"),
    (1, "0", "type 0 is not one of"),
    (2, "abc", "order id 'abc' is not a number"),
    (2, "1234567890123456789012", "more digits"),
    (3, "0", "size 0 is not a positive"),
    (3, "-3", "size -3 is not a positive"),
    (3, "4294967296", "size 4294967296 is not a positive"),
    (3, "", "size '' is not a number"),
    (4, "999950", "price 999950 is off the tick grid of 100"),
    (4, "-100", "price -100 is not positive"),
    (4, "9999.5", "price '9999.5' is not a whole number; looks like a price in dollars"),
    (5, "2", "direction 2 is neither 1 nor -1"),
    (5, "1,1", "too many columns, 6 are expected"),
]


@pytest.mark.parametrize(("column", "value", "what"), BAD_MESSAGES)
def test_a_bad_message_field_names_file_and_row(tmp_path, column, value, what):
    row = _row_of("3")
    _refused(tmp_path, _edited(MESSAGES, row, column, value), BOOKS, rf"message_3\.csv: row {row}: .*{re.escape(what)}")


@pytest.mark.parametrize("kind", ["1", "2", "3", "4"])
def test_a_visible_price_off_the_grid_is_refused(tmp_path, kind):
    row = _row_of(kind)
    _refused(tmp_path, _edited(MESSAGES, row, 4, "1000001"), BOOKS, rf"row {row}: price 1000001 is off the tick grid")


BAD_BOOKS = [
    (0, "1000050", "price 1000050 is off the tick grid"),
    (1, "0", "size 0 is not that of a level"),
    (3, "-4", "size -4 is not that of a level"),
    (4, "100", "price 100 is not worse than the level before it"),
    (6, "99999900", "price 99999900 is not worse"),
    (0, str(EMPTY), "size [0-9]+ is not that of a level"),
    (2, "x", "column 3 'x' is not a number"),
    (11, "1,2", "too many columns, 12 are expected"),
]


@pytest.mark.parametrize(("column", "value", "what"), BAD_BOOKS)
def test_a_bad_book_field_names_file_and_row(tmp_path, column, value, what):
    _refused(tmp_path, MESSAGES, _edited(BOOKS, 7, column, value), rf"orderbook_3\.csv: row 7\b.*{what}")


def test_an_empty_level_may_not_stand_before_a_full_one(tmp_path):
    books = _edited(_edited(BOOKS, 7, 4, str(EMPTY)), 7, 5, "0")
    _refused(tmp_path, MESSAGES, books, "row 7, column 9: price [0-9]+ stands behind an empty level")


def test_lengths_must_agree(tmp_path):
    _refused(tmp_path / "short", MESSAGES, BOOKS[:-1], r"orderbook.*ends at row 399 while the message file has 400")
    _refused(tmp_path / "long", MESSAGES[:-1], BOOKS, r"orderbook.*row 400 has no message")


def test_truncated_rows_and_files(tmp_path):
    path = write_pair(tmp_path, MESSAGES, BOOKS)
    path.write_text("\n".join(MESSAGES)[:-8])
    with pytest.raises(InputError, match=r"row 400: too few columns.*truncated"):
        build_day(path)
    packed = write_pair(tmp_path / "gz", MESSAGES, BOOKS, ".csv.gz")
    packed.write_bytes(packed.read_bytes()[:-200])
    with pytest.raises(InputError, match="archive that can be unpacked"):
        build_day(packed)
    zipped = write_pair(tmp_path / "zip", MESSAGES, BOOKS, ".zip")
    zipped.write_bytes(zipped.read_bytes()[:3000])
    with pytest.raises(InputError, match="archive that can be unpacked"):
        build_day(zipped)


def test_a_damaged_zip_member_is_told(tmp_path):
    path = write_pair(tmp_path, MESSAGES, BOOKS, ".zip")
    data = bytearray(path.read_bytes())
    data[2000] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="archive that can be unpacked"):
        build_day(path)


def test_missing_wrong_and_ambiguous_files(tmp_path):
    path = write_pair(tmp_path, MESSAGES, BOOKS)
    cases = [
        ((tmp_path / "nowhere.zip",), "no such file"),
        ((path, tmp_path / "nowhere.csv"), "no such file"),
        ((path.with_name(path.name.replace("message", "orderbook")),), "give the message file first"),
        ((path, path), "row 1 has 6 columns, a book row has four a level"),
    ]
    for arguments, what in cases:
        with pytest.raises(InputError, match=what):
            build_day(*arguments)
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(InputError, match="holds 0 message and 0 book files"):
        build_day(tmp_path / "empty.zip")
    with pytest.raises(InputError, match="holds 2 LOBSTER days"):
        build_day(tmp_path)
    (tmp_path / "day.7z").write_bytes(b"7z")
    with pytest.raises(InputError, match="unpack it"):
        build_day(tmp_path / "day.7z")


def test_empty_files(tmp_path):
    path = write_pair(tmp_path / "empty", MESSAGES, BOOKS)
    path.write_text("")
    with pytest.raises(InputError, match="no rows"):
        build_day(path)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match="no rows"):
        build_day(path.with_name(path.name + ".gz"))


def test_arguments_are_checked(tmp_path):
    path = write_pair(tmp_path, MESSAGES, BOOKS)
    for arguments, what in (
        ({"levels": 4}, "has 3 levels, 4 were asked for"),
        ({"tick_size": 0}, "tick size 0"),
        ({"margin": -1}, "margin -1"),
    ):
        with pytest.raises(InputError, match=what):
            build_day(path, **arguments)
    with pytest.raises(InputError, match="off the tick grid of 1000"):
        build_day(path, tick_size=1000)


def test_a_whole_book_file_cut_to_its_first_row_is_truncated_and_not_a_seed(tmp_path):
    path = write_pair(tmp_path, MESSAGES, BOOKS[:1])
    with pytest.raises(InputError, match="ends at row 1 while the message file has 400 rows; it is truncated"):
        build_day(path)
