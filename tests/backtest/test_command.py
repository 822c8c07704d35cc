"""The command as a newcomer runs it: a folder, a table, one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backtest.__main__ import main
from tests.backtest.conftest import small, write_config
from tests.results.recorded import recorded_config, write_day

ROOT = Path(__file__).parents[2]
FILES = {"run.json", "evaluation.json", "episodes.parquet", "paths.parquet", "trace.npz", "report.html", "figures"}
FIGURES = {"differences.png", "distributions.png", "inventory.png", "episode.png", "depth.png", "market.png"}


@pytest.fixture(scope="module")
def done(agent, tmp_path_factory):
    """(the folder that a run with an agent left, its standard output, its standard error)."""
    folder = tmp_path_factory.mktemp("backtest")
    out = folder / "run <1>"
    words = ["run", write_config(folder), "--policy", agent, "--out", out, "--set", "batch=32", "seed=7"]
    command = [sys.executable, "-m", "backtest", *map(str, words)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return out, run.stdout, run.stderr


def test_the_folder_is_whole(done):
    out, _, _ = done
    assert {p.name for p in out.iterdir()} == FILES
    assert {p.name for p in (out / "figures").iterdir()} == FIGURES
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".")] == []
    assert all((out / "figures" / name).read_bytes().startswith(b"\x89PNG") for name in FIGURES)


def test_the_last_line_is_the_summary(done):
    out, stdout, stderr = done
    summary = json.loads(stdout.splitlines()[-1])
    evaluation = json.loads((out / "evaluation.json").read_text())
    assert summary["episodes"] == {"count": 40, "seed": 7, "starts": False}
    assert list(summary["players"]) == ["agent", "twap", "vwap", "submit_and_leave", "immediate"]
    for other, (mean, low, high) in summary["advantage"].items():
        found = evaluation["differences"][other]["shortfall_ticks"]
        np.testing.assert_allclose([mean, low, high], [-found["mean"], -found["high"], -found["low"]], atol=1e-12)
    assert "advantage of agent" in stdout and len(summary["verdicts"]) == 4
    assert "agent: 40 episodes" in stderr and not stderr.lstrip().startswith("{")


def test_run_json_says_where_it_comes_from(done, agent):
    about = json.loads((done[0] / "run.json").read_text())
    assert about["seed"] == 7 and about["policy"] == str(agent) and about["data"] == {}
    assert about["command"].startswith("python -m backtest run ") and "'" in about["command"]
    assert about["backtest"]["env"]["task"]["lots"] == 12
    assert {"python", "jax", "lobjax"} <= about["versions"].keys() and about["commit"]


def test_every_episode_is_kept(done):
    frame = pl.read_parquet(done[0] / "episodes.parquet")
    assert len(frame) == 5 * 40
    evaluation = json.loads((done[0] / "evaluation.json").read_text())
    means = {player: figures["shortfall_ticks"]["mean"] for player, figures in evaluation["players"].items()}
    for (player,), rows in frame.group_by("player"):
        np.testing.assert_allclose(rows["shortfall_ticks"].cast(pl.Float64).mean(), means[player])


def test_the_report_is_one_page_that_stands_alone(done):
    text = (done[0] / "report.html").read_text()
    about = json.loads((done[0] / "run.json").read_text())
    assert text.count('src="data:image/png;base64,') == len(FIGURES)
    assert "http://" not in text and "https://" not in text and "<script" not in text
    for verdict in json.loads((done[0] / "evaluation.json").read_text())["verdicts"]:
        assert verdict in text
    for what in (
        "an order to sell 12 lots within 16 seconds",
        "submit_and_leave",
        "shortfall, ticks",
        "paired",
        "implementation shortfall",
    ):
        assert what in text
    assert about["commit"] in text and about["versions"]["jax"] in text and "--policy" in text
    assert "run <1>" not in text and "run &lt;1&gt;" in text  # what comes from outside is escaped


def test_the_report_can_be_made_again(done, capsys):
    before = (done[0] / "report.html").read_text()
    (done[0] / "report.html").unlink()
    main(["report", str(done[0])])
    assert json.loads(capsys.readouterr().out)["report"] == str(done[0] / "report.html")
    assert (done[0] / "report.html").read_text() == before


@pytest.mark.slow
def test_a_recorded_day_is_played_window_by_window(tmp_path, capsys):
    env = recorded_config(write_day(tmp_path))
    profile = {"kind": "recorded", "path": str(env.flow.path), "from_time": "09:31:20", "until_time": "09:32:20"}
    config = write_config(tmp_path, env, episodes=None, strategies=["twap", "vwap"], profile=profile)
    out = tmp_path / "out"
    main(["run", str(config), "--out", str(out)])
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["episodes"]["count"] == 7 and summary["episodes"]["starts"]
    assert any("only 7 episodes" in warning for warning in summary["warnings"])
    frame = pl.read_parquet(out / "episodes.parquet").filter(pl.col("player") == "twap")
    starts = frame["start_s"].to_numpy()
    assert (np.diff(starts) > 7).all() and starts[0] >= 34_210 and starts[-1] + 8 <= 34_271
    about = json.loads((out / "run.json").read_text())
    assert list(about["data"]) == ["day.zip"] and len(about["data"]["day.zip"]) == 64
    text = (out / "report.html").read_text()
    assert about["data"]["day.zip"] in text and "windows that do not overlap" in text and "only 7 episodes" in text


def test_a_market_maker_and_nobody_to_compare_with(tmp_path, capsys):
    config = write_config(tmp_path, small("market_making"), episodes=33)
    main(["run", str(config), "--out", str(tmp_path / "out"), "--set", "env.task.offsets_ticks=[0]"])
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(summary["players"]) == ["symmetric_0"] and summary["advantage"] == {}
    assert "Market making in a simulated market" in (tmp_path / "out" / "report.html").read_text()
