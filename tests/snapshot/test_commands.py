"""The snapshot trader from end to end: it trains, it backtests, its report is the result viewer, and bad input ends in one line."""

import json

import jax
import numpy as np
import polars as pl
import pytest
import yaml

from backtest.__main__ import main as backtest
from lobjax.snapshot import write_npz
from lobjax.tasks.snapshot.figures import sharpe
from tests.snapshot.days import day, flat
from train.__main__ import main as train

TASK = {"kind": "snapshot", "decisions": 8, "step_s": 1.0, "horizon": 16, "price_scale_ticks": 5.0}
FIGURES = ("losses", "profit", "episode", "inventory", "sharpe", "differences", "distributions")


def hours(path, from_time, until_time, every_s):
    return {
        "kind": "recorded", "path": str(path), "from_time": from_time, "until_time": until_time, "start_every_s": every_s,
    }  # fmt: skip


def write_configs(folder, path):
    """A training configuration and a backtest's on the same day, at hours that are apart."""
    env = {"flow": hours(path, "09:30", "09:33", 1.0), "market": {"levels": 2, "taker_fee_milliticks": 40}}
    training = {
        "env": env | {"task": TASK | {"reward": "hindsight"}}, "net": {"kind": "mlp", "hidden": [8]},
        "algorithm": {"kind": "ppo", "epochs": 1, "minibatches": 1, "discount": 0.0}, "n_envs": 4, "rollout_length": 8,
        "total_steps": 96, "checkpoint_every": 2, "evaluation": {"flow": hours(path, "09:33:20", "09:36:39", 8.0)},
    }  # fmt: skip
    playing = {"env": env | {"task": TASK, "flow": hours(path, "09:33:20", "09:36:39", 8.0)}}
    for name, config in (("train", training), ("backtest", playing)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return folder / "train.yaml", folder / "backtest.yaml"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(folder of the configurations, of the run, of its backtest)."""
    folder = tmp_path_factory.mktemp("snapshot")
    write_npz(folder / "day.npz", day())
    training, playing = write_configs(folder, folder / "day.npz")
    quick = "jax_disable_most_optimizations"  # of XLA: both commands compile in a third of the time
    before = jax.config.read(quick)
    jax.config.update(quick, True)
    try:
        train(["run", str(training), "--out", str(folder / "run")])
        backtest(["run", str(playing), "--policy", str(folder / "run"), "--out", str(folder / "backtest")])
    finally:
        jax.config.update(quick, before)
    return folder, folder / "run", folder / "backtest"


def test_defect_backtest_cannot_run(done):
    """What training leaves can be backtested, on hours that it never saw, and gives what its own evaluation gave."""
    _, run, out = done
    trained, played = (json.loads((folder / "evaluation.json").read_text()) for folder in (run, out))
    assert trained["players"] == played["players"] and trained["episodes"]["count"] == played["episodes"]["count"] == 24
    assert list(played["players"]) == ["agent", "buy_and_hold", "sell_and_hold", "do_nothing"]
    assert played["players"]["do_nothing"]["profit_bps"]["mean"] == 0
    held = {name: played["players"][name]["position_lots"]["mean"] for name in ("buy_and_hold", "sell_and_hold")}
    assert held == {"buy_and_hold": 20, "sell_and_hold": -20}
    assert len(json.loads((out / "run.json").read_text())["data"]["day.npz"]) == 64


def test_no_figure_of_an_evaluation_looks_ahead(done):
    """The run was trained on hindsight; the return that its evaluation keeps is that of the plain reward, which sums to the profit."""
    for folder in done[1:]:
        frame = pl.read_parquet(folder / "episodes.parquet").filter(pl.col("player") != "do_nothing")
        np.testing.assert_allclose(frame["episode_return"], frame["profit_bps"], rtol=1e-3, atol=1e-3)
        assert frame["profit_bps"].abs().max() > 1


def test_the_report_has_the_result_viewers_figures(done):
    out = done[2]
    text = (out / "report.html").read_text()
    assert all((out / "figures" / f"{name}.png").stat().st_size > 5_000 for name in FIGURES)
    assert text.count("data:image/png;base64,") == len(FIGURES)
    for words in (
        "Sharpe",
        "Losses",
        "Profit through the day",
        "Positions over time",
        "buy_and_hold",
        "day.npz",
        "hindsight",
    ):
        assert (words in text) is (words != "hindsight"), words
    curves = json.loads((out / "training.json").read_text())
    assert curves["step"] == [32, 64, 96] and len(curves["loss/value"]) == 3
    backtest(["report", str(out)])
    assert (out / "report.html").read_text() == text


def test_a_sharpe_ratio_by_hand():
    ratio = sharpe(np.array([1.0, 2.0, 3.0, 6.0]))
    assert ratio is not None and ratio.value == pytest.approx(3 / np.sqrt(14 / 3))
    assert ratio.half == pytest.approx(1.96 * np.sqrt((1 + 9 / (14 / 3) / 2) / 4))
    assert sharpe(np.zeros(9)) is None and sharpe(np.ones(1)) is None


@pytest.mark.parametrize(
    ("command", "change", "words"),
    [
        (train, "env.flow.path=none.npz", "none.npz: no such file"),
        (train, "env.flow.until_time=09:30:20", "21 snapshots of 1 s between 09:30 and 09:30:20"),
        (train, "evaluation.flow.from_time='09:32'", "among those trained on"),
        (train, "env.market.levels=4", "env.market.levels: 4 are observed"),
        (train, "env.market.order_delay_ns=5", "env.market.order_delay_ns: does nothing with snapshots"),
        (train, "env.flow={kind: poisson}", "plays a recorded day"),
        (train, "env.task.horizon=0", "env.task.horizon: 0 is out of range"),
        (train, "env.task.patiense=1", "unknown key 'patiense'; did you mean 'patience'?"),
        (backtest, "env.task.reward=hindsight", "hindsight looks ahead and is for training"),
        (backtest, "strategies=[hold]", "strategy 'hold' is not one of task 'snapshot'"),
        (backtest, "env.flow.start_every_s=5", "overlap"),
        (backtest, "env.flow.path=crossed.npz", "snapshot 0 (from 0) is crossed"),
    ],
)
def test_bad_input_ends_in_one_line_and_status_2(done, tmp_path, monkeypatch, capsys, command, change, words):
    folder, _, _ = done
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path / "crossed.npz", flat(bid=10_002, ask=10_002))
    config = folder / ("train.yaml" if command is train else "backtest.yaml")
    with pytest.raises(SystemExit) as stop:
        command(["run", str(config), "--out", str(tmp_path / "out"), "--set", change])
    said = [line for line in capsys.readouterr().err.splitlines() if line]
    assert stop.value.code == 2 and len(said) == 1 and words in said[0], said
    assert not (tmp_path / "out").exists()
