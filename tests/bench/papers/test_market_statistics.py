"""`python -m bench market-statistics`: a tiny run with its record and figures, and one-line errors."""

import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from bench.commands.market_statistics import market_statistics
from bench.papers.market import events, measuring, views
from lobjax.errors import InputError


def some_events(of, episodes: int, seed: int) -> events.Events:
    kind, at_s = np.array([[0, 2, 4], [3, -1, -1]]), np.array([[0.1, 0.2, 0.5], [1.0, 0.0, 0.0]])
    return events.Events(3, kind, at_s)


def some_impact(of, episodes: int, seed: int) -> views.Impact:
    orders, random = views.ORDERS, np.random.default_rng(seed)
    counts = np.ones((episodes, len(orders)), bool)
    counts[2:, [order.place == views.INSIDE for order in orders]] = False
    at_s = np.arange(61.0)
    return views.Impact(at_s, random.normal(-0.5, 0.3, (episodes, len(orders), len(at_s))), counts, {})


@pytest.mark.slow
def test_a_tiny_run_leaves_a_record_and_figures(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setattr(measuring, "SECONDS", 31)
    monkeypatch.setattr(measuring, "DEPTH_BOOKS", 3)
    # These are played in test_market_sampling.py; to compile them again takes as long as all else here.
    monkeypatch.setattr(events, "play", some_events)
    monkeypatch.setattr(measuring, "impact", some_impact)
    market_statistics(market="noise", episodes=6, seed=1, out=tmp_path / "new")
    printed = capsys.readouterr()
    record = json.loads((tmp_path / "new" / "market-statistics.json").read_text())
    assert (record["bench"], record["episodes"], record["seconds"], record["seed"]) == ("market-statistics", 6, 31, 1)
    assert record["commit"] and record["versions"]["jax"] and record["command"].startswith("python -m bench")
    noise = record["markets"]["noise"]
    value = {row["name"]: row["value"] for row in noise["statistics"]}
    assert 150 < value["events of the noise trader"] < 320 and 1 <= value["spread, time average (ticks)"] < 2
    assert noise["not_zero"] == {} and noise["views"]["impact"]["not_zero"] == {} and noise["episodes_per_s"] > 0
    seen = noise["views"]
    assert sum(seen["spread"]["mean"]) == pytest.approx(1, abs=1e-4) == sum(seen["change"]["share"])
    assert seen["change"]["windows"] == 6 * 2 and len(seen["depth"]["mean"]) == 30
    assert len(seen["impact"]["at_s"]) == len(seen["impact"]["orders"][0]["mean"]) == 61
    assert sum(seen["flow"]["mean"]) == pytest.approx(2 / 3, rel=1e-4) and seen["flow"]["waits"] == 2
    inside = [order["n"] for order in seen["impact"]["orders"] if order["place"] == views.INSIDE]
    assert inside == [2, 2] and record["stationary_depth"]["n"] == 3
    assert 10 < record["stationary_depth"]["mean"][3] < 30
    text = (tmp_path / "new" / "market-statistics.md").read_text()
    assert text.strip() == printed.out.strip() and "| noise | events of the noise trader |" in text
    for name in ("impact.png", "depth.png", "flow.png"):
        image = matplotlib.image.imread(tmp_path / "new" / name)
        assert image[..., :3].std() > 0.05, f"{name} is blank"
        assert name in printed.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"market": "noisy"}, "--market noisy: unknown; did you mean 'noise'?"),
        ({"market": "noise,"}, "--market : unknown"),
        ({"episodes": 1}, "--episodes: 1 is out of range"),
        ({"seed": -1}, "--seed: -1 is out of range"),
        ({"out": Path(__file__)}, "is not a folder"),
    ],
)
def test_a_bad_argument_is_one_line(options, words):
    with pytest.raises(InputError) as refused:
        market_statistics(**options)
    assert words in str(refused.value) and "\n" not in str(refused.value)
