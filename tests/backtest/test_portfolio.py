"""`python -m backtest portfolio`: signals give the baseline's bits, published values, and one line for what is bad."""

import json

import numpy as np
import pytest

from backtest.__main__ import main
from tests.portfolio.panels import random_panel

SYMBOLS = "AAPL,AIG,BAC,EEM,GOOGL,IBM,IWM,SPY,USO,WM"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A made-up panel of three assets as CSV."""
    folder, panel = tmp_path_factory.mktemp("prices"), random_panel(np.random.default_rng(2), 320, 3)
    bars, actions = ["date,symbol,open,high,low,close,volume"], ["date,symbol,split,dividend_factor"]
    for t, date in enumerate(panel.sessions):
        for k, symbol in enumerate(panel.symbols):
            row = [getattr(panel, field)[t, k] for field in ("open", "high", "low", "close", "volume")]
            if np.isfinite(row).all():
                bars.append(",".join([str(date), symbol, *(format(x, ".17g") for x in row)]))
                factors = (panel.split[t, k], panel.dividend_factor[t, k])
                if factors != (1, 1):
                    actions.append(f"{date},{symbol},{factors[0]},{factors[1]}")
    (folder / "bars.csv").write_text("\n".join(bars) + "\n")
    (folder / "actions.csv").write_text("\n".join(actions) + "\n")
    return ["--panel", str(folder / "bars.csv"), "--actions", str(folder / "actions.csv")]


@pytest.fixture
def play(capsys):
    def run(*arguments: object) -> dict:
        main(["portfolio", *map(str, arguments)])
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


@pytest.mark.parametrize("name", ["momentum_12_1", "pamr"])
def test_signals_that_were_written_give_the_same_bits(files, play, tmp_path, name):
    options = [*files, "--cost", "volatility:0.0002,0.05", "--from", "2020-10-01"]
    found = play(*options, "--baseline", name, "--out", tmp_path / "a")
    again = play(*options, "--signals", tmp_path / "a" / "signals.csv", "--out", tmp_path / "b")
    assert found == again
    assert found["steps"] > 30
    for file in ("steps.csv", "weights.csv", "signals.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize(
    ("cost", "kind"), [("none", "none"), ("fixed:0.001", "fixed10bp"), ("volatility:0.0002,0.05", "vol")]
)
def test_real_bars(real_data, play, tmp_path, cost, kind):
    lean = real_data / "portfolio" / "lean"
    known = json.loads((real_data.parent / "values" / "portfolio_values.json").read_text())["lean10"]["in_sample"][kind]
    for name in ("min_variance", "risk_parity", "momentum_12_1", "olmar1"):
        found = play(
            *(
                "--panel",
                lean / "panel_daily.csv.gz",
                "--actions",
                lean / "actions.csv",
                "--symbols",
                SYMBOLS,
                "--cost",
                cost,
            ),
            *("--from", "2008-01-02", "--until", "2018-12-31", "--baseline", name, "--out", tmp_path / name),
        )
        for figure in (
            "steps",
            "final_wealth",
            "annual_return",
            "annual_volatility",
            "sharpe",
            "max_drawdown",
            "turnover_per_year",
        ):
            assert found[figure] == pytest.approx(known[name][figure], rel=1e-9), (name, figure)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--baseline", "momentum"], "did you mean 'momentum_12_1'"),
        (["--baseline", "hrp", "--cost", "fixed"], "fixed takes 1 numbers"),
        (["--baseline", "hrp", "--cost", "fixed:0.5"], "out of range"),
        (["--baseline", "hrp", "--cost", "fixed:x"], "no number"),
        (["--baseline", "hrp", "--from", "2020-13-01"], "no date"),
        (["--baseline", "hrp", "--from", "2020-06-01", "--until", "2020-05-01"], "no two sessions"),
        (["--baseline", "hrp", "--symbols", "S9"], "no 'S9'"),
        ([], "either --baseline or --signals"),
    ],
)
def test_bad_input_is_one_line(files, tmp_path, capsys, options, said):
    with pytest.raises(SystemExit, match="2"):
        main(["portfolio", *files, *options, "--out", str(tmp_path / "out")])
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["2020-06-01,S0,0.5"], "no row for S1"),
        (["2020-06-01,S0,0.5", "2020-06-01,S0,0.4"], "row 3: S0 has 2020-06-01 twice"),
        (["2020-06-01,X,0.5"], "unknown symbol 'X'"),
        (["1999-06-01,S0,0.5"], "no session"),
        (["2020-06-01,S0,nan"], "no share of wealth"),
        (["2020-06-01,S0,half"], "row 2"),
        ([], "holds no signal"),
    ],
)
def test_bad_signals_name_their_row(files, tmp_path, capsys, rows, said):
    given = tmp_path / "signals.csv"
    given.write_text("\n".join(["date,symbol,signal", *rows]) + "\n")
    with pytest.raises(SystemExit, match="2"):
        main(["portfolio", *files, "--signals", str(given), "--out", str(tmp_path / "out")])
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()
