"""Backtests' folders without playing anything: numbers made up, files written by the writers that a backtest uses."""

from pathlib import Path

import numpy as np

from backtest import folder
from backtest.config import BacktestConfig
from lobjax.config import build, to_dict
from lobjax.results import Comparison, save
from lobjax.results.metrics import MUST_BE_ZERO
from lobjax.results.report.traces import write_trace
from lobjax.tasks import TASKS
from lobjax.tasks.snapshot import files
from lobjax.trace import Trace

COUNT, DECISIONS, SAMPLES = 6, 4, 3
RECORDED = {"kind": "recorded", "path": "day", "start_every_s": 60.0}
KINDS = ("execution", "market_making", "recorded", "snapshot")


def comparison(task: str, players=("agent", "twap")) -> Comparison:
    """Figures and paths of a task."""
    rng = np.random.default_rng(5)
    names = [m.name for m in TASKS[task].measures.metrics]
    figures = {p: {n: rng.normal(3, 1, COUNT).astype(np.float32) for n in names} for p in players}
    for figure in figures.values():
        figure |= {n: np.zeros(COUNT, np.int32) for n in MUST_BE_ZERO if n not in figure}
    shape = COUNT, DECISIONS + 1
    paths = {
        p: {
            "inventory_lots": rng.integers(-5, 6, shape, np.int32), "spread_ticks": rng.integers(1, 4, shape, np.int32),
            "volume_lots": rng.integers(0, 40, shape, np.int32), "mid2_ticks": rng.integers(1990, 2010, shape, np.int32),
            "clock_s": (34200 + 60 * np.arange(COUNT)[:, None] + np.arange(DECISIONS + 1)).astype(np.float32),
            "profit_bps": rng.normal(0, 5, shape).astype(np.float32),
        }
        for p in players
    }  # fmt: skip
    return Comparison(task, {"count": COUNT, "seed": 1, "starts": False}, figures, paths, TASKS[task].measures)


def trace() -> Trace:
    """An episode in detail."""
    rng = np.random.default_rng(6)
    samples, book = DECISIONS * SAMPLES + 1, (DECISIONS * SAMPLES + 1, 2, 8)
    price = 1000 + rng.integers(1, 6, book) * np.array([-1, 1])[None, :, None]
    lots = np.cumsum(rng.integers(-1, 2, samples)).astype(np.int32)
    return Trace(
        time_s=np.arange(samples) / SAMPLES, opened_s=np.float64(34200.0), decision=np.arange(samples) % SAMPLES == 0,
        price_ticks=price.astype(np.int32), size_lots=rng.integers(0, 9, book, np.int32), owner=rng.integers(0, 2, book, np.int32),
        lots=lots,
        maker_lots=np.arange(samples, dtype=np.int32), taker_lots=np.zeros(samples, np.int32), cash_ticks=-1000 * lots.astype(np.int64),
        volume_lots=rng.integers(0, 9, samples, np.int32),
    )  # fmt: skip


def write(path: Path, kind: str, players=("agent", "twap")) -> Path:
    """The folder of a backtest of one of `KINDS` at `path`, without figures and report."""
    task = "execution" if kind == "recorded" else kind
    env: dict = {"task": {"kind": task, "decisions": DECISIONS, "step_s": 1.0}}
    if kind in ("recorded", "snapshot"):
        env["flow"] = RECORDED
    config = build(
        BacktestConfig,
        {"env": env, "samples_per_decision": SAMPLES, "strategies": ["twap"] if task == "execution" else None},
    )
    path.mkdir(parents=True)
    about = {
        "task": task, "command": "python -m backtest run", "seed": 1, "policy": None, "backtest": to_dict(config), "engine": "host",
        "versions": {"jax": "0"}, "commit": "abc", "device": {"kind": "cpu", "count": 1},
        "data": {}, "detail": {"episode": 2, "same_as_table": False},
    }  # fmt: skip
    made = comparison(task, players)
    folder.write_run(path, about)
    save(made, path)
    if kind == "snapshot":
        curves = {"step": [10, 20, 30], "loss/policy": [0.5, None, 0.25], "rollout/reward": [1.0, 2.0, 3.0]}
        files.write(path, made, curves)
    else:
        write_trace(path, trace())
    return path
