"""Baselines: the optimum of the logistic regression, what is refused, canaries, the contract's table on real days."""

import json

import numpy as np
import pytest

from bench.__main__ import main
from lobjax.errors import InputError
from lobjax.forecast import baselines, labels, scores, table
from lobjax.forecast.features import sample_day
from tests.forecast.days import made_up


def test_the_logistic_regression_is_at_its_optimum():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 4)) * [1, 10, 1e-3, 1]
    y = (x[:, 0] + rng.logistic(size=2000) > 0).astype(int) + (x[:, 3] > 1)
    model = baselines.fit_logistic(x, y)
    off = model(x) - np.eye(3)[y]
    np.testing.assert_allclose(off.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(model.scaler(x).T @ off / len(y) + 1e-3 * model.weights, 0, atol=1e-6)


def test_last_trend_knows_only_labels_that_are_known():
    y = np.array([-1, 0, 1, 2, 2, 0], np.int8)
    assert baselines.last_trend(y, 2).tolist() == [1, 1, 1, 0, 1, 2]
    assert baselines.last_trend(y, 10).tolist() == [1] * 6


@pytest.fixture(scope="module")
def samples():
    return sample_day(made_up(rows=20_000, gaps=False))


def test_labels_of_a_part_reach_into_no_other(samples):
    for k in (1, 5, 20):
        parts = table.split(samples.mid, k)
        n = len(samples.mid)
        assert parts.train.stop - 1 + k < parts.validation.start and parts.validation.stop - 1 + k < parts.test.start
        assert parts.test.stop - 1 + k < n and (parts.classes[parts.test] >= 0).all()
        changed = samples.mid.copy()
        changed[int(0.6 * n) :] *= 1.5
        other = table.split(changed, k)
        assert other.alpha == parts.alpha
        np.testing.assert_array_equal(other.classes[parts.train], parts.classes[parts.train])


def test_with_shuffled_labels_macro_f1_falls_to_chance(samples):
    """Canary: what is learnt from labels that say nothing is worth nothing; within 3 standard errors of a third."""
    x, parts = baselines.full_inputs(samples), table.split(samples.mid, 3)
    rng = np.random.default_rng(0)
    y = parts.classes.astype(np.int64).copy()
    y[parts.train], y[parts.test] = rng.permutation(y[parts.train]), rng.permutation(y[parts.test])
    p = baselines.fit_logistic(x[parts.train], y[parts.train])(x[parts.test])
    found, shares = scores.scores(p, y[parts.test]), np.bincount(y[parts.test], minlength=3) / len(p)
    called = np.bincount(scores.predicted(p), minlength=3) / len(p)
    assert abs(found["accuracy"] - called @ shares) < 3 * np.sqrt(0.25 / len(p))
    assert found["nll"] > scores.entropy(shares) - 0.01 and abs(found["mcc"]) < 3 / np.sqrt(len(p))


def test_a_planted_leak_shows(samples):
    """A label whose window overlaps the inputs (that of t, not of t - k, as `last trend`) is far too good."""
    parts = table.split(samples.mid, 10)
    y = parts.classes.astype(np.int64)[parts.test]
    honest = scores.accuracy(scores.confusion(y, baselines.last_trend(parts.classes, 10)[parts.test], 3))
    leaking = scores.accuracy(scores.confusion(y, baselines.last_trend(parts.classes, 1)[parts.test], 3))
    assert leaking > 0.7 > honest + 0.1


def test_what_is_refused(samples):
    with pytest.raises(InputError, match="too few for a horizon of 700"):
        table.split(samples.mid, 700)
    with pytest.raises(InputError, match="one class only"):
        table.split(np.full(1000, 100.0), 3)
    with pytest.raises(InputError, match="a mid is missing"):
        table.split(np.concatenate([np.full(500, np.nan), samples.mid]), 3)


def run(capsys, *words):
    main(["forecast", *map(str, words)])
    return json.loads(capsys.readouterr().out.splitlines()[-1])


# alpha, last trend's F1, then F1, accuracy and calibrated NLL of the OFI logistic and of full linear
TABLE = {
    "AMZN_2012-06-21_5": {
        1: (0, 0.403, (0.426, 0.429, 1.065), (0.428, 0.436, 1.060)),
        3: (5.213e-5, 0.482, (0.548, 0.552, 0.964), (0.573, 0.573, 0.907)),
        10: (1.229e-4, 0.432, (0.597, 0.597, 0.897), (0.636, 0.633, 0.812)),
    },
    "AAPL_2012-06-21_1": {
        1: (2.562e-5, 0.451, (0.345, 0.389, 1.076), (0.347, 0.389, 1.077)),
        3: (5.118e-5, 0.494, (0.508, 0.508, 0.951), (0.538, 0.534, 0.925)),
        10: (9.444e-5, 0.455, (0.535, 0.545, 0.928), (0.601, 0.600, 0.857)),
    },
}


@pytest.mark.parametrize("name", [*TABLE])
def test_the_contracts_table(real_data, capsys, name):
    found = run(capsys, "--data", real_data / "lobster" / f"LOBSTER_SampleFile_{name}.zip", "--horizons", "1,3,10")
    for k, (alpha, trend, *models) in TABLE[name].items():
        cell = found["horizons"][str(k)]
        rows = cell["models"]
        assert cell["alpha"] == pytest.approx(alpha, rel=1e-3) and rows["last_trend"]["macro_f1"] == pytest.approx(
            trend, abs=6e-4
        )
        for model, wanted in zip(("ofi_logistic", "full_linear"), models, strict=True):
            mine = [rows[model][part] for part in ("macro_f1", "accuracy", "nll")]
            assert mine == pytest.approx(wanted, abs=1e-3), (k, model)
            assert 0.87 < rows[model]["coverage"] < 0.94 and mine[0] < 0.7
            assert all(0.87 < half < 0.93 for half in rows[model]["adaptive_coverage"])
        assert 1.09 < rows["majority"]["nll"] < 1.102 and 0.14 < rows["majority"]["macro_f1"] < 0.19


def test_the_command_refuses(tmp_path, capsys):
    for words, said in (
        (("--data", tmp_path / "gone.zip"), "no such file"),
        (("--data", tmp_path, "--horizons", "x"), "whole number"),
        (("--data", tmp_path, "--models", "basline"), "did you mean 'baselines'?"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["forecast", *map(str, words)])
        shown = capsys.readouterr()
        assert stop.value.code == 2 and shown.err.count("\n") == 1 and said in shown.err and not shown.out


def test_boosted_trees_learn_where_there_is_something_to_learn():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 3))
    y = np.where(np.abs(x[:, 0]) < 0.4, 1, np.where(x[:, 0] * x[:, 1] > 0, 2, 0))  # no linear model can
    trees, linear = (fit(x[:1200], y[:1200])(x[1200:]) for fit in (baselines.fit_boosted_trees, baselines.fit_logistic))
    assert (
        trees.shape == (300, 3)
        and scores.scores(trees, y[1200:])["accuracy"] > scores.scores(linear, y[1200:])["accuracy"] + 0.2
    )


def test_alpha_of_labels_is_of_the_training_part_only(samples):
    parts = table.split(samples.mid, 3)
    assert parts.alpha == labels.alpha_of_quantile(labels.deeplob(samples.mid, 3)[parts.train])
