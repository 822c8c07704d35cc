"""z, intervals over seeds and differences, against numbers worked out elsewhere."""

import numpy as np
import pytest
from scipy import stats

from bench.papers.execution.cells import CELLS, CURVES, TABLE_A, TABLE_B, Figure
from bench.papers.execution.scores import Estimate, gap, over_episodes, over_seeds, overall, z_score


def test_z_is_the_difference_over_both_errors():
    assert z_score(0.494, 0.004, Figure(0.52, 1.19)) == pytest.approx(-2.0695, abs=1e-4)  # 1.19 / sqrt(9984) = 0.01191
    assert z_score(1.0, 0.0, Figure(0.0, 99.92)) == pytest.approx(1.0, rel=1e-4)


def test_several_seeds_have_the_error_of_their_mean():
    seeds = [Estimate(mean, 0.01, 9999, std) for mean, std in ((1.0, 3.0), (2.0, 4.0), (3.0, 5.0))]
    joined = over_seeds(seeds)
    assert joined.mean == pytest.approx(2.0) and joined.se == pytest.approx(1 / np.sqrt(3)) and joined.freedom == 2
    assert (joined.low, joined.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-5)  # t = 4.30265
    assert joined.std == pytest.approx(np.sqrt(50 / 3))


def test_one_seed_has_the_error_of_its_episodes():
    only = over_episodes(0.5, 1.2, 10_000)
    assert over_seeds([only]) == only and only.se == pytest.approx(0.012) and only.freedom == 9999
    assert only.high - only.mean == pytest.approx(1.9602 * 0.012, rel=1e-4)


def test_a_gap_is_welchs():
    a, b = np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 0.5, 3.0, 2.5])
    ours, theirs = (over_episodes(x.mean(), x.std(ddof=1), len(x)) for x in (a, b))
    welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert gap(ours, theirs) == pytest.approx((a.mean() - b.mean(), welch.low, welch.high))
    same = Estimate(1.0, 0.0, 2, 0.0)
    assert gap(same, same) == (0.0, 0.0, 0.0)


def test_overall_is_the_mean_over_cells():
    # Two cells that rise and fall together over three seeds: their errors do not cancel.
    ours = [[Estimate(mean + shift, 0.01, 99, 1.0) for shift in (-0.1, 0.0, 0.1)] for mean in (0.3, 0.1)]
    found = overall(ours, [Figure(0.1, 0.0), Figure(0.2, 0.0)])
    assert found == pytest.approx((0.05, 0.1 / 3**0.5, 0.05 / (0.1 / 3**0.5)))
    one = [[Estimate(0.3, 0.03, 99, 1.0)], [Estimate(0.1, 0.04, 99, 1.0)]]
    found = overall(one, [Figure(0.1, 9984**0.5 * 0.02), Figure(0.2, 0.0)])
    assert found.se == pytest.approx((0.035**2 + 0.01**2) ** 0.5)


def test_the_tables_are_whole():
    assert [cell.name for cell in CELLS] == [f"{m}-{n}" for m in ("noise", "tactical", "strategic") for n in (20, 60)]
    assert all(
        set(TABLE_A[cell]) == {"sl", "twap", "ln", "dr"} and set(TABLE_B[cell]) >= {"ln", "dr"} for cell in CELLS
    )
    assert {len(CURVES[cell]) for cell in CELLS} == {6}
    named = {cell.name: cell for cell in CELLS}
    assert TABLE_A[named["tactical-60"]]["sl"] == (-3.36, 0.99) and TABLE_A[named["strategic-20"]]["dr"] == (0.86, 1.92)
    assert TABLE_B[named["strategic-60"]]["ln"] == (0.19, 2.37)
