"""`python -m lobjax prices ...`."""

import pytest

from lobjax.__main__ import main
from lobjax.data.prices import panel
from tests.data.prices.made_up import rows, write


def _status(capsys, *arguments) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["prices", *map(str, arguments)])
    return int(stopped.value.code or 0), capsys.readouterr().err


def test_build_update_inspect_report(tmp_path, capsys):
    file, store = write(tmp_path / "a.csv", rows("AB")), tmp_path / "store"
    main(["prices", "build", str(file), "--out", str(store), "--prices", "raw"])
    said = capsys.readouterr().err
    assert "long, date = time" in said and "daily bars" in said and "28 rows added" in said
    main(
        [
            "prices",
            "update",
            str(store),
            str(write(tmp_path / "b.csv", [*rows("A")[-2:], "2020-01-27,A,300,300,300,300,0"])),
        ]
    )
    said = capsys.readouterr().err
    assert (
        "raw prices, as those loaded before" in said
        and "1 rows added" in said
        and "faults: jump without an action 1, zero volume 1" in said
    )
    main(["prices", "inspect", str(store)])
    shown = capsys.readouterr().out
    assert "29 of 2 symbols, 2020-01-06 to 2020-01-27" in shown and "hash" in shown
    main(["prices", "report", str(store), "--out", str(tmp_path / "faults.csv")])
    listed = capsys.readouterr().out
    assert "A  2020-01-27  jump without an action: opens at 300" in listed
    assert (tmp_path / "faults.csv").read_text().startswith("symbol,first,last,count,name,detail,repair,option\n")


def test_bad_input_is_one_line_and_status_2(tmp_path, capsys):
    file, out = write(tmp_path / "a.csv", rows("A")[::-1]), tmp_path / "s"
    told = ["build", file, "--out", out, "--prices", "raw"]
    for arguments, said in (
        (told, "wrong order: row 3"),
        ([*told, "--repair", "ordr"], "--repair: unknown word 'ordr'; did you mean 'order'?"),
        ([*told, "--calendar", "XNY"], "did you mean 'XNYS'?"),
        ([*told, "--format", "lena"], "did you mean 'lean'?"),
        (["build", tmp_path, "--out", out], "wrong order"),
        (["build", "--out", out], "no file to load"),
        (["update", out, file], "no price store"),
        (["inspect", out], "no price store"),
        (["report", tmp_path / "gone.csv"], "no such file"),
        (["bild"], "did you mean 'build'?"),
    ):
        status, error = _status(capsys, *arguments)
        assert (status, error.count("\n")) == (2, 1) and said in error, arguments
        assert not out.exists()
    main(["prices", *map(str, told), "--repair", "order"])
    assert "repaired wrong order" in capsys.readouterr().err


def test_a_wrong_dividend_is_said_when_loaded_and_in_the_stores_report(tmp_path, capsys):
    days = ["2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"]
    lines = [
        f"{d},40,{a},100,{p},{s}" for d, a, p, s in zip(days, (39, 39, 40, 40), (0, 0, 5, 0), (0, 0, 5, 0), strict=True)
    ]
    file, header = tmp_path / "A.csv", "Date,Close,Adj Close,Volume,Dividends,Stock Splits"
    write(file, lines, header)
    main(["prices", "build", str(file), "--out", str(tmp_path / "s")])
    said = capsys.readouterr().err
    assert (
        "wrong dividend: 5, and the adjusted close says about 1: not divided by the split of 5" in said
        and "--repair dividends" in said
    )
    main(["prices", "report", str(tmp_path / "s")])
    assert "wrong dividend: 5" in capsys.readouterr().out
    main(["prices", "build", str(file), "--out", str(tmp_path / "t"), "--repair", "dividends"])
    assert "repaired wrong dividend of A 2020-01-08" in capsys.readouterr().err
    assert panel(tmp_path / "t").dividend_factor[2, 0] == pytest.approx(1 - 1 / 40)
    assert panel(tmp_path / "s").dividend_factor[2, 0] == pytest.approx(1 - 5 / 40)
