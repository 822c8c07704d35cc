"""Labels: the contract's figures, ends that are undefined, nothing from beyond the window."""

import numpy as np
import pytest

from lobjax.forecast import labels

P = np.array([100, 100.01, 100.02, 100.01, 100.03, 100.05, 100.04, 100.02, 100.00, 99.99, 100.00, 100.01])
NAN = np.nan


@pytest.mark.parametrize(
    ("rule", "k", "h", "units"),
    [
        ("deeplob", 2, None, [NAN, 0.99995, 0.499925, 2.499625, 2.4995, -0.9996, -3.498426, -3.49895, -1.49985, 1.00005, NAN, NAN]),
        ("fi2010", 2, None, [1.5, 0.49995, 0, 2.9997, 1.49955, -1.999, -2.99880, -2.49950, -0.5, 1.500150, NAN, NAN]),
        ("tlob", 1, 4, [NAN, 3.499825, 2.99955, 1.499775, -0.9998, -4.4982, -4.997751, -2.499250, NAN, NAN, NAN, NAN]),
    ],
)  # fmt: skip
def test_the_contracts_figures(rule, k, h, units):
    np.testing.assert_allclose(labels.labels(rule, P, k, h) * 1e4, units, atol=6e-7)


def test_classes_are_strict():
    found = labels.classes(labels.deeplob(P, 2), 1e-4)
    assert found.tolist() == [-1, 1, 1, 2, 2, 1, 0, 0, 0, 2, -1, -1]
    assert labels.classes(np.array([-1e-4, 1e-4, 0, -2e-4, 2e-4]), 1e-4).tolist() == [1, 1, 1, 0, 2]


@pytest.mark.parametrize("rule", [*labels.RULES])
@pytest.mark.parametrize("k", [1, 2, 3, 7, 11, 12, 40])
@pytest.mark.parametrize("h", [1, 4, 10])
def test_each_label_from_its_definition(rule, k, h):
    """Means taken by hand; a label is undefined just where its windows reach beyond the ends, also where they never fit."""
    p = 100 * np.exp(np.cumsum(np.random.default_rng(k).normal(0, 1e-3, 30)))
    found = labels.labels(rule, p, k, h)
    for t in range(len(p)):
        if rule == "tlob":
            spans, base = ((t + h - k, t + h), (t - k, t)), None
        else:
            spans, base = ((t + 1, t + k), (t - k + 1, t)), p[t] if rule == "fi2010" else None
        inside = [a >= 0 and b < len(p) for a, b in (spans if base is None else spans[:1])]
        if not all(inside):
            assert np.isnan(found[t])
            continue
        after, before = (np.mean(p[a : b + 1]) if a >= 0 else NAN for a, b in spans)
        before = before if base is None else base
        assert found[t] == pytest.approx((after - before) / before, abs=1e-14)


@pytest.mark.parametrize("rule", [*labels.RULES])
def test_what_comes_after_the_window_changes_nothing(rule):
    p = 2_238_100 + np.cumsum(np.random.default_rng(0).integers(-3, 4, 200)) * 100.0
    whole = labels.labels(rule, p, 5, 8)
    for stop in (20, 21, 77, 150):
        known = stop - labels.reach(rule, 5, 8)
        np.testing.assert_array_equal(labels.labels(rule, p[:stop], 5, 8)[:known], whole[:known])


def test_alpha():
    found = labels.deeplob(P, 2)
    assert labels.alpha_of_quantile(found) == pytest.approx(np.quantile(np.abs(found[1:-2]), 1 / 3), abs=1e-18)
    assert labels.alpha_of_cost(np.array([1e-4, 3e-4])) == pytest.approx(2e-4)
    with pytest.raises(ValueError, match="no label"):
        labels.alpha_of_quantile(np.full(3, NAN))


def test_what_is_refused():
    for rule, k, h in (("deeplob", 0, None), ("fi2010", -1, None), ("tlob", -1, 2), ("tlob", 2, 0)):
        with pytest.raises(ValueError, match="is"):
            labels.labels(rule, P, k, h)
    with pytest.raises(ValueError, match="above 0"):
        labels.deeplob(np.array([1.0, 0.0]), 1)
    assert np.isnan(labels.deeplob(np.array([]), 3)).all() and np.isnan(labels.tlob(P[:1], 1, 0)).all()
