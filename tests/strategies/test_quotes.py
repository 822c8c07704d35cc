"""Closed forms of quoting against published figures, against their equations solved another way, and against one another."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import minimize_scalar

from lobjax.strategies.avellaneda_stoikov import avellaneda_stoikov, reservation_price, spread
from lobjax.strategies.cartea_jaimungal import cartea_jaimungal, value
from lobjax.strategies.gueant_lehalle_fernandez_tapia import (
    approximate_depths,
    gueant_lehalle_fernandez_tapia,
    stationary_depths,
)
from lobjax.strategies.inventory import log_solution, log_stationary, units

# Gueant, Lehalle and Fernandez-Tapia, figures 1 to 3: ticks and seconds.
GUEANT = {"sigma": 0.3, "k": 0.3, "gamma": 0.01, "fill_rate": 0.9}
BID, ASK = 0, 1


def simulate(depths, *, paths, seed, sigma=2.0, dt=0.005, k=1.5, fill_rate=140.0):
    """Avellaneda and Stoikov's simulation: mid +- sigma sqrt(dt), fills with probability A exp(-k depth) dt. Profits and inventories."""
    rng = np.random.default_rng(seed)
    mid, cash, held = np.full(paths, 100.0), np.zeros(paths), np.zeros(paths, int)
    q_max = depths.shape[-1] // 2
    for row in depths:
        depth = row[:, np.clip(held, -q_max, q_max) + q_max]
        bought, sold = rng.random((2, paths)) < fill_rate * np.exp(-k * depth) * dt
        cash += sold * (mid + np.where(sold, depth[ASK], 0)) - bought * (mid - np.where(bought, depth[BID], 0))
        held += bought.astype(int) - sold
        mid += sigma * np.sqrt(dt) * rng.choice([-1.0, 1.0], paths)
    return cash + held * mid, held


@pytest.mark.parametrize(
    ("symmetric", "profit", "profit_std", "held_std"), [(False, 65.0, 6.6, 2.9), (True, 68.4, 12.7, 8.4)]
)
def test_avellaneda_stoikov_reaches_the_published_profits(symmetric, profit, profit_std, held_std):
    """Table 1 of the paper, gamma = 0.1, from 1,000 simulations; ours within four standard errors of both samples."""
    paths, theirs = 20_000, 1000
    depths = avellaneda_stoikov(1 - 0.005 * np.arange(200), 80, gamma=0.1, sigma=2.0, k=1.5)
    if symmetric:
        depths = np.broadcast_to(depths[:, :, 80:81], depths.shape)
    profits, held = simulate(depths, paths=paths, seed=1)
    share = np.sqrt(1 / paths + 1 / theirs)
    assert abs(profits.mean() - profit) < 4 * profits.std() * share
    assert abs(profits.std() - profit_std) < 4 * _deviation_of_std(profits) * share + 0.05  # printed to one decimal
    assert abs(held.std() - held_std) < 4 * _deviation_of_std(held) * share + 0.05
    assert abs(held.mean()) < 4 * held.std() / np.sqrt(paths)


def _deviation_of_std(sample):
    """The standard error of a sample's standard deviation, times the root of its size."""
    squares = (sample - sample.mean()) ** 2
    return squares.std() / (2 * sample.std())


def test_avellaneda_stoikov_by_hand():
    # gamma 0.1, sigma 2, k 1.5: the spread is 20 log(1 + 1/15) = 1.2908 at the end, and 0.4 more a unit of time before.
    assert spread(np.array([1.0, 0.0]), 0.1, 2.0, 1.5) == pytest.approx([1.690770, 1.290770], abs=1e-6)
    assert reservation_price(100.0, np.array([3.0]), np.array([0.5]), 0.1, 2.0) == pytest.approx(99.4)
    (bid, ask), _ = avellaneda_stoikov(np.array([0.5, 0.0]), 2, gamma=0.1, sigma=2.0, k=1.5)
    np.testing.assert_allclose(bid, [0.745385 + 0.2 * q for q in (-2, -1, 0, 1)] + [np.inf], atol=1e-6)
    np.testing.assert_allclose(ask, bid[::-1])


@pytest.mark.parametrize(("arrival_rate", "kappa", "published"), [(140, 1.5, 68.25583476), (50, 2, 18.21929052)])
def test_cartea_jaimungal_reaches_the_published_values(arrival_rate, kappa, published):
    numbers = {"phi": 0.01, "alpha": 0.001, "arrival_rate": arrival_rate, "kappa": kappa}
    h = value(1.0, 1, 100, **numbers)
    assert h[1, 100] == pytest.approx(published, abs=5e-9)
    np.testing.assert_allclose(value(0.02, 50, 100, **numbers)[-1], h[1], rtol=1e-11, atol=1e-11)
    # The same by integrating the equation of h itself, which is not linear.
    q = np.arange(-100, 101)

    def slope(_, h):
        gain = np.diff(h)
        up, down = np.append(np.exp(kappa * gain), 0), np.insert(np.exp(-kappa * gain), 0, 0)
        return -0.01 * q**2 + arrival_rate / (np.e * kappa) * (up + down)

    solved = solve_ivp(slope, (0, 1), -0.001 * q**2.0, method="DOP853", rtol=1e-11, atol=1e-11).y[:, -1]
    np.testing.assert_allclose(solved, h[1], atol=1e-7)
    assert solved[100] == pytest.approx(published, abs=2e-8)


def hamiltonian(payoff, k):
    """The best depth for a fill that pays `payoff(depth)` at rate exp(-k depth), found by search, and what it is worth."""
    found = minimize_scalar(
        lambda d: -np.exp(-k * d) * payoff(d), bounds=(-5, 30), method="bounded", options={"xatol": 1e-9}
    )
    return found.x, -found.fun


@pytest.mark.parametrize("model", ["utility", "penalty"])
def test_depths_are_the_best_and_values_solve_the_control_problem(model):
    """The Hamilton-Jacobi-Bellman equation itself: maximised over depths by search, its time derivative by differences."""
    q_max, k, fill_rate, step = 3, 1.2, 2.0, 1e-4
    if model == "utility":
        gamma, sigma = 0.4, 0.7
        decline, off = k * gamma * sigma**2 / 2 * units(q_max) ** 2, fill_rate * (1 + gamma / k) ** -(1 + k / gamma)
        rows = log_solution(decline, off, np.zeros(7), step, 10_000) / k
        depths = gueant_lehalle_fernandez_tapia(0.5, 2, q_max, gamma=gamma, sigma=sigma, k=k, fill_rate=fill_rate)[2]
        running = gamma * sigma**2 / 2
        worth = lambda x: -np.expm1(-gamma * x) / gamma  # noqa: E731
    else:
        rows = value(step, 10_000, q_max, phi=0.05, alpha=0.2, arrival_rate=fill_rate, kappa=k)
        depths = cartea_jaimungal(0.5, 2, q_max, phi=0.05, alpha=0.2, arrival_rate=fill_rate, kappa=k)[2]
        running, worth = 0.05, lambda x: x
    now, slope = rows[-2], (rows[-1] - rows[-3]) / (2 * step)
    for i, q in enumerate(range(-q_max, q_max + 1)):
        total = -running * q**2
        for side, other in ((BID, i + 1), (ASK, i - 1)):
            if not 0 <= other <= 2 * q_max:
                assert depths[side, i] == np.inf
                continue
            best, gained = hamiltonian(lambda d, change=now[other] - now[i]: worth(d + change), k)
            total += fill_rate * gained
            assert depths[side, i] == pytest.approx(best, abs=2e-3)  # `now` is a step from the end of `depths`
        assert slope[i] == pytest.approx(total, abs=1e-6)


def test_the_exact_quotes_settle_far_from_the_end():
    stationary = stationary_depths(30, **GUEANT)
    exact = gueant_lehalle_fernandez_tapia(300.0, 4, 30, **GUEANT)[1:]
    finite = np.isfinite(stationary)
    errors = [np.abs(row[finite] - stationary[finite]).max() for row in exact]
    assert errors == sorted(errors, reverse=True) and errors[1] < 1e-6 and errors[-1] < 1e-10
    np.testing.assert_array_equal(np.isfinite(exact[0]), finite)


def test_bounds_far_away_do_not_matter():
    near_flat = [stationary_depths(q_max, **GUEANT)[:, q_max - 2 : q_max + 3] for q_max in (5, 10, 20, 40, 80)]
    errors = [np.abs(found - near_flat[-1]).max() for found in near_flat[:-1]]
    assert errors == sorted(errors, reverse=True) and errors[0] > 0.1 and errors[-1] < 1e-9


def test_the_approximation_is_good_near_flat_and_better_the_slower_the_mid():
    """Figures 4 and 5 of the paper (sigma 0.4): very good for small inventories, not for large ones."""
    errors = []
    for sigma in (0.4, 0.1, 0.025):
        numbers = {**GUEANT, "sigma": sigma}
        found, exact = (f(150, **numbers)[BID, 145:160] for f in (approximate_depths, stationary_depths))
        errors.append(np.abs(found / exact - 1).max())
    assert errors[0] < 2e-3 and errors[1] < errors[0] / 4 and errors[2] < errors[1] / 4
    far = [
        f(40, **{**GUEANT, "sigma": 1.0, "fill_rate": 0.2})[BID, 70] for f in (approximate_depths, stationary_depths)
    ]
    assert abs(far[0] / far[1] - 1) > 0.05


def test_avellaneda_stoikov_is_the_expansion_of_the_exact_quotes_near_the_end():
    """As Gueant, Lehalle and Fernandez-Tapia remark (section 4): the same up to the square of the time left."""
    numbers = {name: GUEANT[name] for name in ("gamma", "sigma", "k")}
    errors, skew = [], 10 * GUEANT["gamma"] * GUEANT["sigma"] ** 2 * 0.4  # of ten units, at the first of the times left
    for left in (0.4, 0.2, 0.1):
        exact = gueant_lehalle_fernandez_tapia(left, 1, 20, **GUEANT)[1, :, 10:31]
        near = avellaneda_stoikov(np.array([left]), 20, **numbers)[0, :, 10:31]
        errors.append(np.abs(exact - near).max())
    assert errors[1] < errors[0] / 3.5 and errors[2] < errors[1] / 3.5
    assert 0 < errors[0] < 1e-2 * skew


def test_little_risk_aversion_is_a_running_penalty():
    """With gamma to 0 at gamma sigma^2 / 2 = phi, exponential utility becomes Cartea and Jaimungal's criterion."""
    gamma, phi = 1e-6, 0.02
    numbers = {"k": 1.3, "fill_rate": 1.7}
    utility = gueant_lehalle_fernandez_tapia(1.0, 3, 8, gamma=gamma, sigma=np.sqrt(2 * phi / gamma), **numbers)
    penalty = cartea_jaimungal(1.0, 3, 8, phi=phi, alpha=0.0, arrival_rate=1.7, kappa=1.3)
    np.testing.assert_allclose(utility, penalty, atol=1e-5)


def test_the_linear_system_is_solved_to_the_last_component():
    q = units(6)
    decline, coupling, terminal = 0.3 * q**2, 0.7, -0.2 * q**2
    matrix = np.diag(-decline) + coupling * (np.eye(13, k=1) + np.eye(13, k=-1))
    rows = log_solution(decline, coupling, terminal, 0.5, 4)
    for n in range(5):
        np.testing.assert_allclose(rows[n], np.log(expm(matrix * 0.5 * n) @ np.exp(terminal)), atol=1e-12)
    # The ends of a hard case lie hundreds of orders of magnitude below the middle; the fastest growing solution is reached all the same.
    decline = 40.0 * units(100) ** 2
    late = log_solution(decline, 0.5, -3.0 * units(100) ** 2, 0.05, 12)[-1]
    stationary = log_stationary(decline, 0.5)
    assert late[0] - late[100] < -900 * np.log(10) / 2
    np.testing.assert_allclose(late - late[100], stationary - stationary[100], rtol=1e-9)


def test_a_system_too_large_to_solve_says_so():
    with pytest.raises(ValueError, match="too large"):
        log_solution(1e6 * units(300) ** 2, 1.0, np.zeros(601), 60.0, 60)
    with pytest.raises(ValueError, match="q_max is 0"):
        units(0)
