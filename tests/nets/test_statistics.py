"""Running statistics: merging samples one by one gives what one sample of all would."""

import jax.numpy as jnp
import numpy as np

from lobjax.nets.statistics import CLIP, Statistics, merge, normalise, unit_statistics


def of(sample):
    return Statistics(
        count=jnp.float32(len(sample)), mean=jnp.asarray(sample.mean(0)), variance=jnp.asarray(sample.var(0))
    )


def test_merged_statistics_are_those_of_everything_seen():
    rng = np.random.default_rng(0)
    samples = [rng.normal(1000 * i, 1 + i, (50 * (i + 1), 3)).astype(np.float32) for i in range(4)]
    running = unit_statistics(3)
    for sample in samples:
        running = merge(running, of(sample))
    everything = np.concatenate(samples).astype(np.float64)
    assert running.count == len(everything)
    np.testing.assert_allclose(running.mean, everything.mean(0), rtol=1e-5)
    np.testing.assert_allclose(running.variance, everything.var(0), rtol=1e-4)


def test_normalised_observations_are_bounded_and_constants_vanish():
    sample = np.random.default_rng(1).normal(5, 2, (1000, 2)).astype(np.float32)
    sample[:, 1] = 7
    seen = normalise(of(sample), jnp.asarray(sample))
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(seen.std(0), [1, 0], atol=1e-3)
    assert jnp.abs(normalise(of(sample), jnp.full(2, 1e9))).max() == CLIP
