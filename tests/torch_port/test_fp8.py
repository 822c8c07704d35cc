"""FP8 in both frameworks: hand cases, codes and scales to the bit, products and gradients, delayed scaling over steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from bench.verification.parity.codes import compare_codes
from lobjax.errors import InputError
from lobjax.nets import TransformerConfig, fp8
from lobjax.torch_port import fp8 as theirs
from lobjax.torch_port.factory import check_multiples, check_real_fp8, choose_layers
from lobjax.torch_port.quantise import E4M3, E5M2, amax_of, quantise, scale_of
from tests.torch_port.both import distance


def test_a_tensor_quantised_by_hand():
    x = torch.tensor([1.0, -0.3, 0.07])
    scale = scale_of(amax_of(x), E4M3)
    assert scale == 448.0
    # 134.4 lies between 128 and 144, 31.36 between 30 and 32; e4m3 keeps three bits after the first.
    assert quantise(x, scale, E4M3).values().tolist() == [448.0, -128.0, 32.0]
    assert quantise(torch.tensor([1e9, -1e9]), torch.tensor(1.0), E5M2).values().tolist() == [57344.0, -57344.0]
    for amax in (0.0, float("inf"), float("nan")):
        assert scale_of(torch.tensor(amax), E4M3) == 1
    assert scale_of(torch.tensor(1e-38), E4M3) == torch.finfo(torch.float32).max


def test_codes_and_scales_are_equal_to_the_bit():
    rng = np.random.default_rng(0)
    tensors = {f"of size {s}": (s * rng.normal(size=4000)).astype(np.float32) for s in (1e-20, 1e-3, 1.0, 3e4)}
    tensors |= {f"amax {i}": np.exp(rng.normal(0, 3, 3)).astype(np.float32) for i in range(40)}
    found = compare_codes(tensors)
    assert found.differing == [] and found.tensors == 51 and found.codes > 40_000


def test_a_difference_in_codes_is_found(monkeypatch):
    """As it was where torch divides a number by a tensor: by the reciprocal, a bit off."""
    from bench.verification.parity import codes

    monkeypatch.setattr(codes.theirs, "scale_of", lambda amax, kind: (1 / amax) * codes.theirs.LARGEST[kind])
    rng = np.random.default_rng(0)
    tensors = {str(i): np.exp(rng.normal(0, 3, 3)).astype(np.float32) for i in range(20)}
    assert len(compare_codes(tensors).differing) > 5


def operands(n=32):
    rng = np.random.default_rng(3)
    x, kernel, slope = rng.normal(size=(n, 48)), rng.normal(0, 0.1, (48, 16)), rng.normal(0, 1e-4, (n, 16))
    return [a.astype(np.float32) for a in (x, kernel, slope)]


def torch_product(scaling, x, kernel, slope):
    x, weight = torch.from_numpy(x).requires_grad_(), torch.from_numpy(kernel.T.copy()).requires_grad_()
    y = theirs.linear(x, weight, None, scaling)
    y.backward(torch.from_numpy(slope))
    return y.detach(), x.grad, weight.grad.T


def test_products_and_gradients_are_those_of_flax_and_near_the_exact_ones():
    x, kernel, slope = operands()
    y, back = jax.vjp(fp8.product, jnp.asarray(x), jnp.asarray(kernel))
    mine = (y, *back(jnp.asarray(slope)))
    yours = torch_product(theirs.Scaling("current"), x, kernel, slope)
    exact = (x @ kernel, slope @ kernel.T, x.T @ slope)
    for a, b, c in zip(yours, mine, exact, strict=True):
        assert distance(a, b) < 1e-6
        assert 5e-3 < distance(a, c) < 0.08


def test_delayed_scaling_follows_the_same_history_in_both():
    x, kernel, slope = operands()
    scaling, scalings = theirs.Scaling("delayed"), fp8.unit_scalings()
    for step in range(theirs.HISTORY + 4):
        grown = [np.float32(1 + (step * 7) % 5) * a for a in (x, kernel, slope)]
        y, back = jax.vjp(fp8.product_delayed, jnp.asarray(grown[0]), jnp.asarray(grown[1]), scalings)
        *slopes, scalings = back(jnp.asarray(grown[2]))
        yours = torch_product(scaling, *grown)
        theirs.advance(scaling)
        for a, b in zip(yours, (y, *slopes), strict=True):
            assert distance(a, b) < 1e-6
        for name, own in zip(("input", "weight", "gradient"), scalings, strict=True):
            assert np.array_equal(getattr(scaling, f"{name}_scale"), own.scale), (step, name)
            assert np.array_equal(getattr(scaling, f"{name}_history"), own.history), (step, name)
    assert scaling.gradient_scale > 1e6 and scaling.input_scale != 1
    scaling.eval()
    before = scaling.input_history.clone()
    scaling.scale("input", torch.full((3,), 1e6))
    assert torch.equal(scaling.input_history, before), "acting leaves the history alone"


def test_sizes_that_fp8_cannot_take_and_machines_without_it_are_one_line():
    with pytest.raises(ValueError, match="width is 24; FP8 products need a multiple of 16"):
        TransformerConfig(width=24, heads=4, precision="fp8")
    with pytest.raises(InputError, match="n_envs is 24; FP8 products need a multiple of 16"):
        check_multiples(width=32, n_envs=24)
    if not torch.cuda.is_available():
        with pytest.raises(
            InputError, match="needs an NVIDIA GPU, and torch finds none; choose bfloat16, or --computed-fp8"
        ):
            check_real_fp8()
        with pytest.raises(InputError, match="transformer_engine: needs an NVIDIA GPU"):
            choose_layers("fp8", 1e-5, source="transformer_engine")
        said = choose_layers("fp8", 1e-5).said
        assert "FP8 computed in float32 (current scaling)" in said and "\n" not in said
