"""What comes out does not depend on JAX's settings: the parity core as users may have set JAX, beside the core with none set."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.settings import key_of, narrowed, threefry

ROOT = Path(__file__).parents[2]

WIDE = {"JAX_ENABLE_X64": "1"}
RANKS = {"JAX_NUMPY_RANK_PROMOTION": "raise"}
STRICT = {"JAX_NUMPY_DTYPE_PROMOTION": "strict"}
NANS = {"JAX_DEBUG_NANS": "1"}
REUSE = {"JAX_DEBUG_KEY_REUSE": "1"}
GUARD = {"JAX_TRANSFER_GUARD": "disallow"}
RBG = {"JAX_DEFAULT_PRNG_IMPL": "rbg"}
UNSAFE_RBG = {"JAX_DEFAULT_PRNG_IMPL": "unsafe_rbg"}
NOT_PARTITIONABLE = {"JAX_THREEFRY_PARTITIONABLE": "0"}
NO_JIT = {"JAX_DISABLE_JIT": "1"}
CHECKS = RANKS | STRICT | NANS | REUSE | GUARD

LIGHT = ("host", "xla short", "step", "snapshots", "policies", "update")
ALL = (
    "host",
    "xla",
    "kernel",
    "step",
    "recorded",
    "snapshots",
    "streams",
    "streams kernel",
    "policies",
    "updates",
    "update xla",
    "measured",
    "evaluations",
)
DRAWS = ("host short", "policies")
PLAYED = ("host short", "snapshots")


@functools.cache
def digests(parts: tuple[str, ...], settings: tuple[tuple[str, str], ...] = ()) -> dict[str, str]:
    command = [sys.executable, "-m", "tests.settings.core", *parts]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    surroundings = plain | {"JAX_PLATFORMS": "cpu"} | dict(settings)
    done = subprocess.run(command, env=surroundings, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def different(parts: tuple[str, ...], settings: dict[str, str], among: tuple[str, ...] = ()) -> list[str]:
    """Names of what differs from what comes out without these settings; `among`: the parts of the run to compare with."""
    expected = digests(among or parts)
    found = digests(parts, tuple(settings.items()))
    assert found
    return [name for name, value in found.items() if expected[name] != value]


def test_with_64_bits_and_every_check_of_jax_on():
    assert different(LIGHT, WIDE | CHECKS) == []


def test_with_another_generator_of_random_numbers():
    assert different(DRAWS, RBG | NOT_PARTITIONABLE, LIGHT) == []


@pytest.mark.slow
def test_without_jit():
    # Floats may be rounded once less where XLA fuses them: `tests.env.test_contract` says how much.
    assert [name for name in different(PLAYED, NO_JIT, LIGHT) if "integers" in name] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", (WIDE, RANKS, STRICT, NANS, REUSE, GUARD, RBG, UNSAFE_RBG, NOT_PARTITIONABLE), ids=str
)
def test_each_setting_alone(settings):
    assert different(ALL, settings) == []


def test_all_engines_agree_with_64_bits():
    found = digests(LIGHT, tuple((WIDE | CHECKS).items()))
    for kind in ("integers", "floats"):
        assert found[f"host: making ({kind})"] == found[f"xla: making ({kind})"]


def test_keys_of_other_generators_are_threefrys():
    ours = jax.random.key_data(key_of(5)).tolist()
    for key in (
        jax.random.key(5, impl="rbg"),
        jax.random.key(5),
        jax.random.PRNGKey(5),
        jax.random.PRNGKey(5, impl="rbg"),
    ):
        assert str(jax.random.key_impl(threefry(key))) == "threefry2x32"
        assert jax.random.key_data(threefry(key)).tolist() == ours


def test_a_seed_counts_by_its_lowest_32_bits():
    assert jax.random.key_data(key_of(2**32 + 5)).tolist() == jax.random.key_data(key_of(5)).tolist() == [0, 5]
    assert jax.random.key_data(key_of(-1)).tolist() == jax.random.key_data(jax.random.key(-1)).tolist()


@pytest.mark.parametrize(
    ("key", "name"),
    [(jnp.zeros(3, jnp.uint32), "unknown"), (jax.random.key(5, impl="philox4x32"), "philox4x32")],
    ids=("unknown", "philox"),
)
def test_a_generator_without_such_keys_is_refused_by_its_setting(key, name):
    with pytest.raises(InputError, match=f"'{name}'.*set jax_default_prng_impl to threefry2x32"):
        threefry(key)


def test_numbers_of_64_bits_are_narrowed_and_others_left():
    tree = {"a": np.array([1.5]), "b": np.int64(3), "c": jnp.int32(4), "d": 5.0, "e": True, "f": np.uint64(6)}
    narrow = narrowed(tree)
    assert [str(narrow[name].dtype) for name in "abcf"] == ["float32", "int32", "int32", "uint32"]
    assert narrow["c"] is tree["c"] and narrow["d"] == 5.0 and narrow["e"] is True
