"""Sweeps: what is proposed, what is kept, and that a stopped one ends as if it never had been. Nothing is compiled here."""

import importlib.util
import json

import numpy as np
import polars as pl
import pytest

from lobjax.errors import InputError
from lobjax.learn.sweep import cluster, propose, space
from lobjax.learn.sweep.propose import Past
from lobjax.learn.sweep.run import jobs_of, run_sweep
from tests.learn.conftest import command
from tests.learn.sweeps import BASE, by_formula, loaded, written


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": {"algorithm.learning_rte": [1e-3]}}, "unknown key 'learning_rte'; did you mean 'learning_rate'?"),
        ({"space": {"optimiser.rate": [1e-3]}}, "config: unknown key 'optimiser'"),
        ({"space": {"algorithm.learning_rate": [1e-3, "fast"]}}, "learning_rate: expected a number, 1e-09 to 10; found str 'fast'"),
        ({"space": {"algorithm.epochs": {"uniform": [1, 8]}}}, "config.algorithm.epochs: expected a whole number, 1 to 1,000; found float"),
        ({"space": {"algorithm.discount": {"uniform": [0.5, 1.5]}}}, "discount: 1.5 is out of range; choose 0 to 1"),
        ({"space": {"algorithm.minibatches": [2, 3]}}, "n_envs 8 does not divide into 1 devices x 3 minibatches"),
        ({"space": {"n_envs": {"integers": [8, 9]}}}, "n_envs 9 does not divide into 1 devices x 2 minibatches"),
        ({"space": {"algorithm.kind": ["ppo", "sgd"]}}, "'sgd' is not known"),
        ({"space": {"algorithm.clip": {"log_unifrm": [0.1, 1]}}}, "did you mean 'log_uniform'?"),
        ({"space": {"algorithm.clip": {"uniform": [1, 0.1]}}}, "[1, 0.1] is no range"),
        ({"space": {"algorithm.clip": {"log_uniform": [0, 1]}}}, "both above 0"),
        ({"space": {"algorithm.clip": {"uniform": 1}}}, "uniform needs two numbers, found 1"),
        ({"space": {"algorithm.clip": 0.2}}, "config.space.algorithm.clip: expected a list of values or one of"),
        ({"space": {"algorithm.clip": [0.2, 0.2]}}, "no value twice"),
        ({"space": {"seed": [1, 2]}}, "config.space.seed: has no effect on what a sweep compares; `seeds` sets how many"),
        ({"space": {"evaluation.episodes": [1, 2]}}, "has no effect"),
        ({"space": {}}, "with at least one key"),
        ({"space": None}, "missing key 'space'"),
        ({"method": "annealing"}, "config.method: 'annealing' is not allowed; known: grid, random, tpe"),
        ({"method": "grid", "trials": None}, "a grid needs values"),
        ({"method": "grid"}, "a grid plays all of its points; remove trials"),
        ({"trials": None}, "method tpe needs a number of trials"),
        ({"trials": 20}, "trials 20 does not divide into batches of 8"),
        ({"direction": "up"}, "config.direction: 'up' is not allowed"),
        ({"seeds": 300}, "runs_per_program 256 does not hold the 300 seeds of one trial"),
        ({"metric": "episode/retrun"}, "config.metric: 'episode/retrun' is not reported; did you mean 'episode/return'?"),
        ({"prune": {"at": [0.5, 0.25]}}, "needs rising parts of a run"),
        ({"prune": {"keep": 1.0}}, "keep: 1.0 is out of range"),
        ({"train": BASE["train"] | {"devices": 2}}, "the runs of a program share one; set train.devices=1"),
        ({"train": None}, "config.base: missing"),
        ({"base": "nowhere.yaml"}, "no such configuration file"),
        ({"trails": 8}, "unknown key 'trails'; did you mean 'trials'?"),
    ],
)  # fmt: skip
def test_bad_sweeps_end_with_one_line(tmp_path, capsys, changes, message):
    with pytest.raises(SystemExit) as stopped:
        command("sweep", written(tmp_path, **changes), "--out", tmp_path / "out")
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_training_configuration_is_read_from_the_sweeps_own_folder_and_laid_over(tmp_path):
    (tmp_path / "base.yaml").write_text(json.dumps(BASE["train"]))
    above = {"algorithm": {"epochs": 3}, "net": {"kind": "transformer", "width": 8, "heads": 2}}
    sweep = loaded(tmp_path, base="base.yaml", train=above, space={"algorithm.clip": [0.1]})
    made = sweep.training({"algorithm.clip": 0.1})
    assert made.algorithm.epochs == 3 and made.algorithm.learning_rate == 1e-3 and made.algorithm.clip == 0.1
    assert made.net.kind == "transformer" and made.net.width == 8  # of another kind: nothing of the MLP is left in it


def test_a_grid_is_every_combination(tmp_path):
    axes = {"algorithm.clip": [0.1, 0.2], "net.hidden": [[8], [16]], "algorithm.epochs": [1]}
    sweep = loaded(tmp_path, space=axes, method="grid", trials=None, batch=3)
    points = [point for batch in range(2) for point in propose.batch(sweep, batch, [])]
    assert points == [
        {"algorithm.clip": c, "net.hidden": h, "algorithm.epochs": 1} for c in (0.1, 0.2) for h in ([8], [16])
    ]
    assert sweep.n_batches == 2 and sweep.n_trials == 4


def test_corners_reach_both_ends_of_ranges_and_every_value():
    found = space.corners(space.parse(BASE["space"] | {"algorithm.epochs": {"integers": [1, 4]}}))
    assert len(found) == 4 and {point["algorithm.epochs"] for point in found} == {1, 4}
    assert {str(point["net.hidden"]) for point in found} == {"[8]", "[16]"}


def test_trials_share_a_program_where_only_data_differs(tmp_path):
    sweep = loaded(tmp_path, runs_per_program=6)
    numbers = {"algorithm.learning_rate": 1e-3, "algorithm.entropy_coefficient": 0.01}
    points = [{**numbers, "net.hidden": [8 if i % 4 else 16]} for i in range(1, 9)]
    jobs = jobs_of(sweep, 8, points)
    assert [job.trials for job in jobs] == [
        (8, 9, 10),
        (12, 13, 14),
        (11, 15),
    ]  # three of a signature fill 6 runs with 2 seeds


def test_proposals_follow_from_the_trials_before_and_nothing_else(tmp_path):
    sweep = loaded(tmp_path)
    first = propose.batch(sweep, 0, [])
    assert first == propose.batch(sweep, 0, [])
    good = [Past(i, point, "complete", float(i), ()) for i, point in enumerate(first)]
    bad = [Past(i, point, "complete", float(-i), ()) for i, point in enumerate(first)]
    assert propose.batch(sweep, 1, good) == propose.batch(sweep, 1, good) != propose.batch(sweep, 1, bad)
    values = {str(point) for point in first}
    assert len(values) == 8, "a batch of equal points is a wasted one"
    assert all(
        1e-4 <= point["algorithm.learning_rate"] <= 0.1 and point["net.hidden"] in ([8], [16]) for point in first
    )


def test_pruning_keeps_the_best_share_at_a_rung(tmp_path):
    config = loaded(tmp_path, prune={"at": [0.5], "keep": 0.5, "least": 3}).config
    playing = {trial: float(trial) for trial in range(8)}
    assert propose.stops(config, 0, [], playing) == {0, 1, 2, 3}
    assert propose.stops(config, 0, [], {0: 0.0, 1: 1.0, 2: 2.0}) == set()  # two others are too few to compare with
    assert propose.stops(config, 0, [], playing | {0: float("nan")}) == {1, 2, 3}  # no episode has ended there yet
    past = [Past(10 + i, {}, "complete", 9.0, (9.0,)) for i in range(8)]
    assert propose.stops(config, 0, past, playing) == set(range(8))
    least = loaded(tmp_path, prune={"at": [0.5]}, direction="minimize").config
    assert propose.stops(least, 0, [], playing) == {4, 5, 6, 7}


class Killed(BaseException):
    """As sudden as a kill, within this process."""


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_a_stopped_sweep_ends_with_the_same_table(tmp_path, capsys, method):
    sweep = loaded(tmp_path, method=method)
    whole = run_sweep(sweep, tmp_path / "whole", by_formula(sweep)).frame
    attempt, table = 0, None
    for attempt in range(6):  # noqa: B007 - stopped after every second program, over and over
        played = []

        def stop(job, played=played):
            played.append(job)
            if len(played) > 2:
                raise Killed

        try:
            table = run_sweep(sweep, tmp_path / "stopped", by_formula(sweep, stop))
            break
        except Killed:
            continue
    assert attempt > 0 and table is not None and table.frame.equals(whole)
    assert (tmp_path / "stopped" / "trials.parquet").read_bytes() == (
        tmp_path / "whole" / "trials.parquet"
    ).read_bytes()
    assert (tmp_path / "stopped" / "report.md").read_text() == (tmp_path / "whole" / "report.md").read_text()
    assert whole["trial"].to_list() == [i // 2 for i in range(48)] and pl.read_parquet(
        tmp_path / "whole" / "trials.parquet"
    ).equals(whole)
    if method == "tpe":
        by_trial = whole.group_by("trial").agg(pl.col("value").mean()).sort("trial")["value"].to_numpy()
        assert np.median(by_trial[16:]) > np.median(by_trial[:8]) + 0.1, "TPE learned nothing from the trials before"


def test_the_report_ranks_with_intervals_and_names_the_key_that_matters(tmp_path, capsys):
    sweep = loaded(tmp_path, method="random", trials=32)
    frame = run_sweep(sweep, tmp_path / "out", by_formula(sweep)).frame
    report = (tmp_path / "out" / "report.md").read_text()
    best = frame.group_by("trial").agg(pl.col("value").mean()).sort("value", descending=True)
    head = next(line for line in report.splitlines() if line.startswith("| 1 |"))
    assert head.split("|")[2].strip() == str(best["trial"][0])
    # Two seeds 0.01 apart: half of the interval is t(0.975, 1) * 0.01 / 2 = 12.706 * 0.005.
    assert f"{best['value'][0]:.3f} ± 0.064" in head
    assert head in capsys.readouterr().out
    assert "32 trials: 32 complete, 0 pruned, 0 failed" in report and "biased in its favour" in report
    weights = {
        row.split("|")[1].strip(): float(row.split("|")[2])
        for row in report.splitlines()
        if row.count("|") == 3 and "." in row
    }
    assert max(weights, key=lambda key: weights[key]) == "algorithm.learning_rate"
    for name in ("parallel", "importance"):
        assert (tmp_path / "out" / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_folders_of_other_sweeps_and_damaged_tables_are_refused(tmp_path, capsys):
    sweep = loaded(tmp_path, trials=8)
    run_sweep(sweep, tmp_path / "out", by_formula(sweep))
    other = loaded(tmp_path, trials=8, seed=1)
    with pytest.raises(InputError, match="not of this sweep; name another --out"):
        run_sweep(other, tmp_path / "out", by_formula(other))
    table = pl.read_parquet(tmp_path / "out" / "trials.parquet")
    table.with_columns(pl.col("algorithm.learning_rate") * 2).write_parquet(tmp_path / "out" / "trials.parquet")
    with pytest.raises(InputError, match="trial 0 is not what this sweep proposes"):
        run_sweep(sweep, tmp_path / "out", by_formula(sweep))
    (tmp_path / "out" / "trials.parquet").write_bytes(b"torn")
    with pytest.raises(InputError, match="not a whole Parquet file"):
        run_sweep(sweep, tmp_path / "out", by_formula(sweep))


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed; pip install -e '.[ray]'")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_refused(tmp_path, address):
    with pytest.raises(InputError, match=f"--ray {address}: no cluster there .*give its address, or local"):
        cluster.on_ray(loaded(tmp_path), address)
