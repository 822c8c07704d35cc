"""The warning of a policy that does nothing: given for one that waits or trades nothing, not for others, and not all the time."""

import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.learn.collapse import Watch, habits


def lines(n, **metrics):
    return [{"update": u + 1, "episode/count": 4, **metrics} for u in range(n)]


def spoken(watch, metrics):
    return [line["update"] for line in metrics if watch.look(line)]


def test_the_idle_share_of_a_simplex_and_of_choices():
    shares = jnp.array([[[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]])
    found = habits(2, shares)
    assert found.scalars["action/idle"] == pytest.approx(0.4)
    np.testing.assert_allclose(found.vectors["largest"], [0.5, 0, 0.5])
    choices = jnp.array([[[3, 3], [3, 1], [0, 3], [3, 3]]])
    assert habits((3, 3), choices).scalars["action/idle"] == pytest.approx(0.5)
    assert habits(None, choices).scalars == {}


def test_a_policy_that_waits_is_warned_of_once_in_so_many_updates():
    assert spoken(Watch(every=10), lines(25, **{"action/idle": 0.99})) == [3, 13, 23]


@pytest.mark.parametrize("name", ["fill_rate", "traded_lots"])
def test_a_policy_that_trades_nothing_is_warned_of(name):
    assert spoken(Watch(), lines(5, **{"action/idle": 0.2, f"episode/{name}": 0.0})) == [3]


@pytest.mark.parametrize(
    "metrics",
    [
        lines(9, **{"action/idle": 0.9, "episode/fill_rate": 0.1}),
        lines(2, **{"action/idle": 1.0}),
        lines(9),
        [{"update": u, "episode/count": 0, "episode/fill_rate": 0.0} for u in range(9)],  # no episode ended
        [{"update": u, "episode/count": 1, "action/idle": 1.0 if u % 2 else 0.5} for u in range(9)],
    ],
)
def test_others_are_not(metrics):
    assert spoken(Watch(), metrics) == []


def test_the_warning_is_one_line_that_says_what_was_seen():
    watch = Watch()
    (said,) = [
        text for line in lines(3, **{"action/idle": 0.995, "episode/fill_rate": 0.0}) if (text := watch.look(line))
    ]
    assert said.startswith("warning: update 3: ") and "\n" not in said
    assert "99.5% of its actions wait" in said and "episode/fill_rate is 0.000" in said
