"""`python -m lobjax risk backtest|replay`: figures on made and real returns, and what is refused in one line."""

import csv
import gzip
import io
import json

import numpy as np
import pytest

from lobjax.__main__ import main
from tests.risk.test_breaker import TABLE


def run(capsys, *words):
    main(["risk", *map(str, words)])
    return capsys.readouterr().out


def refused(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main(["risk", *map(str, words)])
    said = capsys.readouterr()
    assert stop.value.code == 2 and said.out == "" and said.err.count("\n") == 1, said
    return said.err


def test_backtest_of_a_file(tmp_path, capsys):
    returns = np.random.default_rng(0).normal(0, 0.01, 600)
    plain, dated = tmp_path / "plain.csv", tmp_path / "dated.csv"
    plain.write_text("\n".join(map(repr, returns.tolist())))
    dated.write_text("date,return\n" + "".join(f"d{i},{r!r}\n" for i, r in enumerate(returns.tolist())))
    found = json.loads(run(capsys, "backtest", plain, "--level", ".95", "--model", "normal", "--window", 100))
    assert json.loads(run(capsys, "backtest", dated, "--level", ".95", "--model", "normal", "--window", 100)) == found
    windows = np.lib.stride_tricks.sliding_window_view(returns[:-1], 100)
    hits = -returns[100:] > -(windows.mean(-1) - 1.6448536269514722 * windows.std(-1, ddof=1))
    assert (found["n"], found["exceptions"]) == (500, hits.sum()) and found["zone"] in ("green", "yellow", "red")


@pytest.mark.parametrize("model", ["historical", "normal", "ewma", "filtered"])
def test_a_forecast_knows_only_the_days_before(model):
    from lobjax.risk.backtest import forecasts

    returns = np.random.default_rng(1).normal(0, 0.01, 120)
    whole = forecasts(returns, 0.95, model, 40)
    for day in (40, 41, 77, 119):
        cut = np.append(returns[:day], 5.0)  # whatever the day itself brings
        assert forecasts(cut, 0.95, model, 40).var[-1] == whole.var[day - 40]


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("", (), "no rows"),
        ("return\n", (), "no rows"),
        ("return\n0.01\nnan\n", (), "line 3, column 'return': 'nan' is not a finite number"),
        ("return\n0.01\n1_0\n", (), "line 3"),
        ("a,b,c\n1,2,3\n", (), "name the one that is"),
        ("date,return\n1,0.1\n2\n", (), "line 3: 1 columns"),
        ("return\n-3\n", (), "fractions, not percent"),
        ("return\n" + "0.01\n" * 250, (), "no more than the window of 250"),
        ("return\n" + "0.01\n" * 30, ("--window", "5", "--model", "ewma"), "take a longer one"),
        ("return\n" + "0.01\n" * 30, ("--window", "5", "--model", "histrical"), "did you mean 'historical'?"),
        ("return\n" + "0.01\n" * 30, ("--level", "1.5"), "out of range"),
        ("return\n" + "0.01\n" * 30, ("--level", "0.01"), "out of range"),
    ],
)
def test_backtest_refuses(tmp_path, capsys, text, words, said):
    path = tmp_path / "returns.csv"
    path.write_text(text)
    assert said in refused(capsys, "backtest", path, *words)


def test_constant_returns_have_no_exception(tmp_path, capsys):
    path = tmp_path / "returns.csv"
    path.write_text("return\n" + "0.01\n" * 300)
    for model in ("historical", "normal", "ewma"):
        assert json.loads(run(capsys, "backtest", path, "--model", model))["exceptions"] == 0


def test_spy_at_99_percent(real_data, tmp_path, capsys):
    """47 exceptions of historical on 3,210 days, far more of normal (LR_uc 6.11 as the contract says)."""
    with gzip.open(real_data / "portfolio" / "lean" / "panel_daily.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["symbol"] == "SPY" and row["date"] <= "2020-09-30"]
    closes = np.array([float(row["close"]) for row in rows])
    first = next(i for i, row in enumerate(rows) if row["date"] >= "2008-01-02")
    path = tmp_path / "spy.csv"
    path.write_text("return\n" + "\n".join(map(repr, (closes[1:] / closes[:-1] - 1)[first - 251 :].tolist())))
    found = json.loads(run(capsys, "backtest", path))
    assert (found["n"], found["exceptions"]) == (3210, 47) and found["lr_uc"] == pytest.approx(6.11, abs=0.005)
    assert json.loads(run(capsys, "backtest", path, "--model", "normal"))["exceptions"] > 90


def ticks_of(rows):
    return "time,equity,session,data_age,errors\n" + "".join(",".join(map(str, row[:5])) + "\n" for row in rows)


def test_replay_prints_the_states(tmp_path, capsys):
    ticks, config = tmp_path / "ticks.csv", tmp_path / "config.yaml"
    ticks.write_text(ticks_of(TABLE))
    config.write_text("cooldown: 60\nprobation: 120\nmax_trips: 3\n")
    rows = list(csv.DictReader(io.StringIO(run(capsys, "replay", ticks, "--config", config))))
    assert [(float(r["time"]), r["state"], r["reason"]) for r in rows] == [(row[0], *row[5:]) for row in TABLE]


@pytest.mark.parametrize(
    ("ticks", "config", "said"),
    [
        (ticks_of(TABLE).replace("data_age", "age"), "", "has no column 'data_age'"),
        (ticks_of(TABLE[::-1]), "", "sort by time"),
        (ticks_of(TABLE).replace("98.5", "inf"), "", "'inf' is not a finite number"),
        (ticks_of(TABLE).replace("98.5,0,0", "98.5,0,-1"), "", "data_age -1 is negative"),
        (ticks_of(TABLE), "drawdwon: 0.05", "did you mean 'drawdown'?"),
        (ticks_of(TABLE), "drawdown: 0", "out of range"),
        (ticks_of(TABLE), "max_trips: 1.5", "whole number"),
    ],
)
def test_replay_refuses(tmp_path, capsys, ticks, config, said):
    (tmp_path / "ticks.csv").write_text(ticks)
    (tmp_path / "config.yaml").write_text(config or "cap: 0.25")
    assert said in refused(capsys, "replay", tmp_path / "ticks.csv", "--config", tmp_path / "config.yaml")
