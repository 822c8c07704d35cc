"""`python -m bench execution-cell`: a return known beforehand, shared programs, what a record says, and one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.commands.execution_cell import execution_cell
from bench.papers.execution.cells import cell_config, most_messages
from bench.papers.execution.playing import ProgramCache, Result, messages_within, strategy
from bench.papers.execution.report import refuse_wrong
from lobjax.errors import InputError
from lobjax.tasks import make

BEST_BIDS = (4, 11, 16)  # lots of the opening book at 1000, 999, 998


@pytest.fixture(scope="module")
def cache() -> ProgramCache:
    """Programs of this file, compiled once."""
    return ProgramCache()


@pytest.fixture
def shared(cache, monkeypatch):
    monkeypatch.setattr("bench.papers.execution.report.ProgramCache", lambda: cache)


def result(**counts: float) -> Result:
    return Result(np.array([0.0, 1.0]), counts, 10, 1.0, 0.0, False, 2)


def test_a_market_order_into_the_opening_book_fetches_what_it_must(shared, tmp_path: Path, capsys):
    path = tmp_path / "records.jsonl"
    execution_cell(strategy="market", lots=20, warm_up=0.0, episodes=3, engine="host", out=path)
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record == json.loads(path.read_text()) and record["bench"] == "execution-cell"
    expected = -(BEST_BIDS[1] * 1 + (20 - BEST_BIDS[0] - BEST_BIDS[1]) * 2) / 20
    assert record["mean"] == pytest.approx(expected) and record["std"] == record["se"] == pytest.approx(0.0)
    assert (record["n"], record["horizon_s"], record["warm_up_s"], record["decisions"]) == (3, 150.0, 0.0, 10)
    assert record["episodes_per_s"] > 0 and record["events_per_s"] > 0 and record["compile_s"] > 0
    assert all(record[name] == 0 for name in ("displaced", "flow_displaced", "late", "dropped", "stuck_lots"))
    assert record["commit"] and record["versions"]["jax"] and "not in the time" in record["included"]


def test_strategies_and_sizes_share_a_program_and_differ_in_what_they_do(cache):
    played = {}
    for lots in (20, 17):
        env = make(cell_config("noise", lots, warm_up_s=0.0, engine="host"))
        for name in ("market", "sl", "twap"):
            played[lots, name] = cache.play(env, strategy(name, env), 3, 100)
    assert len(cache.programs) == 1 and sum(one.compile_s > 0 for one in played.values()) <= 1
    assert len({one.mean for one in played.values()}) == len(played)
    assert played[17, "market"].mean == pytest.approx(-(BEST_BIDS[1] + 2 * 2) / 17)
    assert played[20, "market"].messages < played[20, "twap"].messages  # its episodes end with the first step
    again = cache.play(env, strategy("twap", env), 3, 100, first=1)
    assert np.array_equal(again.returns[:2], played[17, "twap"].returns[1:])


def test_messages_count_up_to_an_episodes_end():
    messages = np.array([[5, 1, 2, 4], [6, 1, 2, 4]])
    assert messages_within(messages, np.array([1, 3])) == (5 + 1) + (6 + 1 + 2 + 4)


def test_vwap_follows_the_profile_it_is_given():
    env = make(cell_config("noise", 20, 30.0, 15.0, engine="host"))
    assert strategy("vwap", env, np.array([1.0, 3.0])).lots.tolist() == [5, 15]  # pyright: ignore[reportAttributeAccessIssue]


def test_other_horizons_change_what_they_must():
    config = cell_config("noise", 120, 300.0, 30.0)
    assert (config.task.decisions, config.flow.warm_up_s, config.market.capacity) == (10, 30.0, 512)
    short = cell_config("noise", 20)
    assert (short.task.decisions, short.flow.warm_up_s, short.market.capacity) == (10, 15.0, 256)
    assert config.market.max_messages == most_messages("noise", 120, 30.0) > 2 * short.market.max_messages
    assert cell_config("noise", 20, warm_up_s=5.0, capacity=128).market.capacity == 128


def test_each_market_adds_traders_to_the_one_before():
    noise, tactical, strategic = (cell_config(market, 20).flow for market in ("noise", "tactical", "strategic"))
    assert (noise.tactical, noise.strategic, tactical.strategic) == (None, None, None)
    assert tactical.tactical == strategic.tactical and tactical.tactical.factor == 2.0
    assert (strategic.strategic.every_s, strategic.strategic.direction) == (3.0, "drawn")
    assert most_messages("strategic", 20, 15.0) > most_messages("tactical", 20, 15.0)


def test_figures_of_another_market_are_refused():
    config = cell_config("noise", 20)
    refuse_wrong(result(displaced=0.0, late=0.0, stuck_lots=3.0), config)
    with pytest.raises(InputError, match=r"flow_displaced is 2 .* larger --capacity"):
        refuse_wrong(result(flow_displaced=2.0), config)
    with pytest.raises(InputError, match=r"late is 1 .* shorten --step"):
        refuse_wrong(result(late=1.0), config)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"market": "nois"}, "--market nois: unknown; did you mean 'noise'?"),
        ({"strategy": "slow"}, "--strategy slow: unknown; did you mean 'sl'?"),
        ({"engine": "hots"}, "--engine hots: unknown; did you mean 'host'?"),
        ({"lots": 0}, "--lots: 0 is out of range"),
        ({"episodes": 1}, "--episodes: 1 is out of range; choose 2 to"),
        ({"seed": -1}, "--seed: -1 is out of range"),
        ({"horizon": 100.0}, "--horizon 100: not a multiple of --step 15"),
        ({"horizon": 10.0}, "--horizon 10 --step 15: both must be positive, and a step no longer"),
        ({"step": 0.0}, "--step: 0.0 is out of range"),
        ({"step": float("nan")}, "--step: nan is out of range"),
        ({"warm_up": -1.0}, "--warm-up: -1.0 is out of range"),
        ({"horizon": 86_400.0, "step": 86_400.0}, "--step 86400, --lots 20: up to"),
        ({"horizon": 80_000.0, "step": 0.01}, "8,000,000 decisions of --step 0.01"),
        ({"capacity": 100}, "capacity 100 must be a power of two"),
        ({"capacity": 8}, "raise capacity"),
        ({"out": Path("/")}, "--out /: is not a file"),
    ],
)
def test_a_bad_argument_is_one_line(options, words):
    with pytest.raises(InputError) as refused:
        execution_cell(**options)
    assert words in str(refused.value) and "\n" not in str(refused.value)
