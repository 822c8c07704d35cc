"""Reading tables of prices: what columns are is guessed and said, what cannot be a price is refused by row and column."""

import gzip
import io
import zipfile

import numpy as np
import polars as pl
import pytest

from lobjax.data.prices.formats import read
from lobjax.data.prices.reader import Choices, read_bars
from lobjax.errors import InputError
from tests.data.prices.made_up import DAYS, HEADER, rows, write

LONG = rows("AB")


def _frame(path, **choices):
    return read_bars(path, Choices(**choices)).frame.drop("row")


def test_long_files_of_all_kinds_are_one(tmp_path):
    plain = _frame(write(tmp_path / "a.csv", LONG))
    assert (
        plain.columns == ["time", "symbol", "open", "high", "low", "close", "volume"] and plain["time"].dtype == pl.Date
    )
    text = (tmp_path / "a.csv").read_bytes()
    others = {
        "packed.csv.gz": gzip.compress(text),
        "windows.csv": b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
        "semicolons.csv": text.replace(b",", b";"),
        "tabs.tsv": text.replace(b",", b"\t"),
        "quoted.csv": b"\n".join(b",".join(b'"%s"' % f for f in line.split(b",")) for line in text.splitlines()),
        "spaced.csv": text.replace(b",", b" , "),
        "named.csv": text.replace(
            HEADER.encode(), b"Trade Date,Ticker,Open Price,High Price,Low Price,Close Price,Vol"
        ),
        "compact.csv": text.replace(b"2020-01-", b"202001"),
        "index.csv": b"\n".join(
            (b"" if k == 0 else b"%d" % k) + b"," + line for k, line in enumerate(text.splitlines())
        ),
    }
    for name, data in others.items():
        (tmp_path / name).write_bytes(data)
        assert _frame(tmp_path / name).equals(plain), name
    plain.write_parquet(tmp_path / "a.parquet")
    assert _frame(tmp_path / "a.parquet").select(plain.columns).equals(plain)


def test_wide_files(tmp_path):
    bars = read_bars(
        write(tmp_path / "x.csv", ["2020-01-02,1,", "2020-01-03,2,5"], "Date,AA,BB"), Choices(field="close")
    )
    assert bars.frame.select("symbol", "close").rows() == [("AA", 1.0), ("AA", 2.0), ("BB", 5.0)]
    assert any("wide" in line and "2 symbols" in line for line in bars.said)
    by_name = _frame(write(tmp_path / "open.csv", ["2020-01-02,1,2"], "Date,AA,BB"))
    assert by_name["open"].to_list() == [1.0, 2.0] and by_name["close"].to_list() == [None, None]
    for name, header in {
        "p": "Date,AA_close,AA_volume",
        "q": "Date,close AA,volume AA",
        "r": "Date,AA.Close,AA.Vol",
    }.items():
        found = _frame(write(tmp_path / f"{name}.csv", ["2020-01-02,1,2"], header))
        assert found.select("symbol", "close", "volume").rows() == [("AA", 1.0, 2.0)], name
    lines = ["Ticker,AA,BB,AA,BB", "Date,,,,", "2020-01-02,1,2,30,40"]
    twice = _frame(write(tmp_path / "y.csv", lines, "Price,Close,Close,Volume,Volume"))
    assert twice.select("symbol", "close", "volume").rows() == [("AA", 1.0, 30.0), ("BB", 2.0, 40.0)]


def test_dates_of_other_forms(tmp_path):
    for first, second in (
        ("02-Jan-2020", "03-Jan-2020"),
        ("Jan 2, 2020", "Jan 3, 2020"),
        ("2/1/2020", "13/1/2020"),
        ("2020.01.02", "2020.01.03"),
    ):
        found = _frame(write(tmp_path / "x.csv", [f'"{first}",A,1,1,1,1,1', f'"{second}",A,1,1,1,1,1']))
        assert str(found["time"][0]) == "2020-01-02", first
    closes = [f"2020-01-0{d} 16:00,A,1,1,1,1,1" for d in (2, 3)]
    with pytest.raises(InputError, match="--bars daily"):
        _frame(write(tmp_path / "x.csv", closes), time_zone="UTC")
    assert str(_frame(tmp_path / "x.csv", bars="daily")["time"][0]) == "2020-01-02"


def test_pandas_frames_as_parquet(tmp_path):
    days = pl.Series(DAYS[:2]).cast(pl.Datetime("ns"))
    two_levels = pl.DataFrame({"__index_level_0__": days, "('Close', 'AA')": [1.0, 2.0], "('Volume', 'AA')": [3, 4]})
    two_levels.write_parquet(tmp_path / "x.parquet")
    assert _frame(tmp_path / "x.parquet").select("symbol", "close", "volume").rows() == [
        ("AA", 1.0, 3.0),
        ("AA", 2.0, 4.0),
    ]
    aware = pl.DataFrame(
        {"Datetime": days.dt.offset_by("10h").dt.replace_time_zone("America/New_York"), "Close": [1.0, 2.0]}
    )
    aware.write_parquet(tmp_path / "y.parquet")
    bars = read_bars(tmp_path / "y.parquet", Choices(bars="hour"))
    assert str(bars.frame["time"][0]) == "2020-01-06 15:00:00" and bars.frame["symbol"][0] == "y"


@pytest.mark.parametrize(
    ("times", "choices", "first"),
    [
        (["2020-07-01 09:30", "2020-07-01 09:31"], {"time_zone": "America/New_York"}, "2020-07-01 13:30"),
        (["2020-07-01T09:30:00-04:00", "2020-07-01T09:31:00-04:00"], {}, "2020-07-01 13:30"),
        (["2020-07-01T13:30:00Z", "2020-07-01T13:31:00Z"], {}, "2020-07-01 13:30"),
        (["1593610200", "1593610260"], {}, "2020-07-01 13:30"),
        (["1593610200000", "1593610260000"], {}, "2020-07-01 13:30"),
        (
            ["01/07/2020 09:30", "13/07/2020 09:31"],
            {"time_zone": "America/New_York", "bars": "minute"},
            "2020-07-01 13:30",
        ),
        (
            ["07/01/2020 09:30", "07/01/2020 09:31"],
            {"dates": "mdy", "time_zone": "America/New_York"},
            "2020-07-01 13:30",
        ),
    ],
)
def test_times_are_stamped_in_utc(tmp_path, times, choices, first):
    bars = read_bars(write(tmp_path / "x.csv", [f"{t},A,1,1,1,1,1" for t in times]), Choices(**choices))
    assert bars.kind == "minute" and str(bars.frame["time"][0])[:16] == first


def test_daily_dates_with_an_offset_are_those_written(tmp_path):
    lines = [f"{day} 00:00:00+09:00,A,1,1,1,1,1" for day in ("2020-01-06", "2020-01-07")]
    bars = read_bars(write(tmp_path / "x.csv", lines), Choices())
    assert bars.kind == "daily" and list(map(str, bars.frame["time"])) == ["2020-01-06", "2020-01-07"]


def test_lean_zips_are_raw_and_in_ten_thousandths(tmp_path):
    for name, member, text in (
        ("ibm.zip", "ibm.csv", "20200106 00:00,1000000,1010000,990000,1005000,500\n"),
        ("20200106_trade.zip", "20200106_ibm_minute_trade.csv", "34200000,1000000,1010000,990000,1005000,500\n"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, text)
        bars = read(tmp_path / name, Choices())
        row = bars.frame.row(0, named=True)
        assert (bars.basis, row["symbol"], row["open"], row["close"], row["volume"]) == (
            "raw",
            "IBM",
            100.0,
            100.5,
            500.0,
        )
        assert str(row["time"]) == ("2020-01-06" if name == "ibm.zip" else "2020-01-06 14:30:00")
    with zipfile.ZipFile(tmp_path / "ticks.zip", "w") as archive:
        archive.writestr("20200106_ibm_Trade_Tick.csv", "1,2,3\n")
    with pytest.raises(InputError, match="no bars of trades"):
        read(tmp_path / "ticks.zip", Choices())


DAY = "2020-01-06"
BAD = {
    "empty file": ("", "is empty"),
    "header alone": (HEADER, "no rows"),
    "text": (f"{HEADER}\n{DAY},A,1,one,1,1,1", r"row 2, column 'high': 'one' is no number"),
    "thousands": (f'{HEADER}\n{DAY},A,1,1,1,"1,000.5",1', r"row 2, column 'close'.*thousands"),
    "currency": (f"{HEADER}\n{DAY},A,$1,1,1,1,1", r"column 'open'.*currency"),
    "decimal comma": (f"{HEADER.replace(',', ';')}\n{DAY};A;1,5;1;1;1;1", r"column 'open'.*after a point"),
    "zero": (f"{HEADER}\n{DAY},A,1,1,0,1,1", r"row 2, column 'low': 0; a price is above 0"),
    "negative": (f"{HEADER}\n{DAY},A,1,1,1,-1,1", r"row 2, column 'close': -1"),
    "huge": (f"{HEADER}\n{DAY},A,1,1,1,1e12,1", r"row 2, column 'close': 1000000000000"),
    "infinite": (f"{HEADER}\n{DAY},A,1,1,1,inf,1", r"row 2, column 'close': inf"),
    "negative volume": (f"{HEADER}\n{DAY},A,1,1,1,1,-1", r"row 2, column 'volume': -1"),
    "no close": (f"{HEADER}\n{DAY},A,1,1,1,,1", r"row 2: .*no close"),
    "no symbol": (f"{HEADER}\n{DAY},,1,1,1,1,1", r"row 2, column 'symbol'"),
    "no date": (f"{HEADER}\n2020-02-30,A,1,1,1,1,1", r"row 2, column 'date': '2020-02-30'"),
    "another form of date": (f"{HEADER}\n{DAY},A,1,1,1,1,1\n07.01.2020,A,1,1,1,1,1", r"row 3, column 'date'"),
    "day or month": (f"{HEADER}\n01/02/2020,A,1,1,1,1,1", "--dates"),
    "long row": (f"{HEADER}\n{DAY},A,1,1,1,1,1,1", "row 2 has 8 fields"),
    "short row": (f"{HEADER}\n{DAY},A,1,1,1,1,1\n{DAY},B,1,1,1,1", "row 3 has 6 fields"),
    "another value": (f"{HEADER}\n{DAY},A,1,2,1,1,1\n{DAY},A,1,2,1,2,1", r"row 3: A 2020-01-06 stands twice, close 1 in row 2 and 2 here"),
    "symbol twice": (f"date,A,B,A\n{DAY},1,1,1", "column 'A' stands twice"),
    "symbol in two cases": (f"{HEADER}\n{DAY},A,1,1,1,1,1\n{DAY},a,1,1,1,1,1", "case alone"),
    "two zones": (f"{HEADER}\n{DAY}T09:00-05:00,A,1,1,1,1,1\n{DAY}T10:00+09:00,A,1,1,1,1,1", "two time zones, -05:00 at row 2 and"),
    "zone in some": (f"{HEADER}\n{DAY}T09:00-05:00,A,1,1,1,1,1\n{DAY}T10:00,A,1,1,1,1,1", "row 3.*two time zones"),
    "no zone": (f"{HEADER}\n{DAY} 09:30,A,1,1,1,1,1", "--time-zone"),
    "no date column": ("a,b\n1,2", "no column is a date"),
    "no price column": (f"date,symbol,x\n{DAY},A,1", "no column is a price"),
    "two closes": (f"date,close,last\n{DAY},1,1", "could both be the close"),
    "wide of what": (f"date,A,B\n{DAY},1,1", "--field"),
    "wide with text": (f"date,close A,close B\n{DAY},1,x", r"row 2, column 'close B'"),
    "null bytes": ("\0\0", "null bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_by_row_and_column(tmp_path, name):
    text, said = BAD[name]
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        read_bars(tmp_path / "x.csv", Choices())
    assert "\n" not in str(refused.value) and str(refused.value).startswith(str(tmp_path / "x.csv"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("prices", "did you mean 'raw'"), ("bars", "did you mean 'daily'"), ("dates", "known"), ("field", "close")],
)
def test_unknown_words_name_the_nearest(name, hint):
    with pytest.raises(InputError, match=hint):
        Choices(**{name: {"prices": "row", "bars": "dayly", "dates": "us", "field": "closes"}[name]})
    with pytest.raises(InputError, match="unknown zone 'Europe/Lodnon'; did you mean 'Europe/London'"):
        Choices(time_zone="Europe/Lodnon")


def test_damaged_files_are_one_line(tmp_path):
    plain = _frame(write(tmp_path / "a.csv", LONG))
    buffer = io.BytesIO()
    plain.write_parquet(buffer)
    packed = gzip.compress((tmp_path / "a.csv").read_bytes())
    generator = np.random.default_rng(0)
    for data in (
        buffer.getvalue()[:-20],
        packed[: len(packed) // 2],
        b"PAR1",
        generator.bytes(300),
        "é".encode("latin1") * 9,
    ):
        (tmp_path / "b.csv").write_bytes(data)
        with pytest.raises(InputError):
            read_bars(tmp_path / "b.csv", Choices())
