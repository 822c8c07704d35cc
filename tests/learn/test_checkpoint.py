"""Checkpoints: exact, and refused in one line when torn or foreign."""

import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import struct

from lobjax.errors import InputError
from lobjax.learn import checkpoint


@struct.dataclass
class Shared:
    update: jax.Array
    key: jax.Array
    weights: tuple


@struct.dataclass
class State:
    shared: Shared


def state(update=3, size=4):
    key = jax.random.key(update)
    weights = jnp.arange(size, dtype=jnp.float32) / 3, jnp.zeros((2, 0)), jnp.array([True, False])
    return State(Shared(jnp.int32(update), key, weights))


@pytest.fixture
def saved(tmp_path):
    return checkpoint.save(tmp_path, state(), task="selling", config={"a": (1, 2)})


def test_a_checkpoint_restores_to_the_bit(saved):
    template = jax.eval_shape(state)
    back = checkpoint.restore(checkpoint.find(saved.path), template, "selling")
    assert checkpoint.digest(back) == checkpoint.digest(state()) == saved.digest
    assert jax.tree.structure(back) == jax.tree.structure(state())
    assert jax.random.uniform(back.shared.key) == jax.random.uniform(state().shared.key)


def test_the_digest_sees_values_names_and_types():
    arrays = {"a": np.zeros(2, np.float32), "b": np.zeros(2, np.float32)}
    digests = {
        checkpoint.digest(arrays),
        checkpoint.digest({**arrays, "a": np.float32([0, 1e-30])}),
        checkpoint.digest({"a": arrays["a"], "c": arrays["b"]}),
        checkpoint.digest({**arrays, "a": np.zeros(2, np.int32)}),
        checkpoint.digest({**arrays, "a": np.zeros((2, 1), np.float32)}),
    }
    assert len(digests) == 5


def test_a_torn_checkpoint_is_refused_when_named_and_passed_over_otherwise(saved, tmp_path):
    newer = checkpoint.save(tmp_path, state(5), task="selling", config={})
    assert [c.update for c in checkpoint.complete(tmp_path)] == [3, 5]
    files = sorted((p for p in newer.path.rglob("*") if p.is_file() and p.name != "meta.json"), key=lambda p: str(p))
    largest = max(files, key=lambda p: p.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-7])
    with pytest.raises(InputError, match="torn"):
        checkpoint.find(newer.path)
    assert [c.update for c in checkpoint.complete(tmp_path)] == [3]
    (newer.path / "meta.json").write_text("{")
    with pytest.raises(InputError, match=r"meta\.json: not JSON"):
        checkpoint.find(newer.path)
    shutil.rmtree(newer.path / "state")
    (newer.path / "meta.json").unlink()
    with pytest.raises(InputError, match="never finished"):
        checkpoint.find(newer.path)


def test_a_foreign_checkpoint_is_refused(saved):
    with pytest.raises(InputError, match="of the task 'selling', not 'making'"):
        checkpoint.restore(saved, jax.eval_shape(state), "making")
    with pytest.raises(InputError, match=r"'shared\.weights\.0' does not fit"):
        checkpoint.restore(saved, jax.eval_shape(lambda: state(size=5)), "selling")
    assert json.loads((saved.path / "meta.json").read_text())["config"] == {"a": [1, 2]}


@pytest.mark.parametrize("error", [OSError(28, "No space left"), ValueError("Failed to write [os_error_code='28']")])
def test_nothing_is_left_when_the_disk_is_full(tmp_path, monkeypatch, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(ocp.Checkpointer, "save", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path, state(), task="selling", config={})
    assert list(tmp_path.iterdir()) == []
