"""On a GPU with Transformer Engine: its FP8 against the computed one. Run by `make gpu-check`; elsewhere each skips, with the reason."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lobjax.nets import TransformerConfig
from lobjax.nets.precision import EPSILON
from lobjax.torch_port import choose_layers, from_flax, load_into, make_actor_critic, to_flax
from lobjax.torch_port.factory import why_no_transformer_engine
from lobjax.torch_port.quantise import E4M3, amax_of, quantise, scale_of
from tests.torch_port.both import HEAD, SIZE, distance, lively, trajectory

pytestmark = pytest.mark.gpu
NET = TransformerConfig(layers=2, width=128, heads=4, window=8, towers="separate")
PARAMS = lively(NET, scale=0.05)


@pytest.fixture(scope="module")
def gpu():
    """torch's GPU."""
    if not torch.cuda.is_available():
        pytest.skip("torch finds no NVIDIA GPU")
    return torch.device("cuda")


@pytest.fixture(scope="module")
def engine(gpu):
    """Transformer Engine."""
    if missing := why_no_transformer_engine():
        pytest.skip(f"Transformer Engine {missing}")
    return gpu


def run(precision, source, device, recipe="current"):
    """Outputs, and gradients by name, of one trajectory."""
    layers = choose_layers(precision, EPSILON, source=source, recipe=recipe)
    model = make_actor_critic(replace(NET, precision=precision), SIZE, HEAD.bias, layers).to(device)
    load_into(model, from_flax(PARAMS))
    observation, reset = (torch.from_numpy(x).to(device) for x in trajectory(0, 16, 16))
    for _ in range(3 if recipe == "delayed" else 1):  # delayed scaling knows no amax at first
        model.zero_grad()
        outputs, value = model(model.initial_carry(16), observation, reset)
        (outputs.square().sum() + value.square().sum()).backward()
    gradients = {name: p.grad.float().cpu().numpy() for name, p in model.named_parameters()}
    return torch.cat([outputs, value[..., None]], dim=-1).detach().float().cpu().numpy(), gradients


def test_plain_layers_on_the_gpu_equal_the_cpu(gpu):
    torch.backends.cuda.matmul.allow_tf32 = False
    (outputs, gradients), (wanted, slopes) = (run("float32", "plain", d) for d in (gpu, torch.device("cpu")))
    assert distance(outputs, wanted) < 1e-6
    assert max(distance(gradients[name], slopes[name]) for name in slopes) < 1e-5


@pytest.mark.parametrize("recipe", ["current", "delayed"])
def test_real_fp8_is_near_the_computed_one_and_float32(engine, recipe):
    outputs, gradients = run("fp8", "transformer_engine", engine, recipe)
    exact, slopes = run("float32", "plain", engine)
    computed, _ = run("fp8", "plain", engine)
    assert 1e-3 < distance(outputs, exact) < 0.1 and distance(outputs, computed) < 0.1
    total, wanted = (np.concatenate([g[name].ravel() for name in sorted(slopes)]) for g in (gradients, slopes))
    assert distance(total, wanted) < 0.25


def test_bfloat16_by_transformer_engine_is_near_float32(engine):
    outputs, gradients = run("bfloat16", "transformer_engine", engine)
    exact, slopes = run("float32", "plain", engine)
    assert distance(outputs, exact) < 2e-2
    total, wanted = (np.concatenate([g[name].ravel() for name in sorted(slopes)]) for g in (gradients, slopes))
    assert distance(total, wanted) < 8e-2


def test_its_quantiser_gives_the_computed_codes_and_scales(engine):
    import transformer_engine_torch as tex  # pyright: ignore[reportMissingImports]
    from transformer_engine.pytorch import Float8CurrentScalingQuantizer  # pyright: ignore[reportMissingImports]

    x = torch.randn(64, 128, device=engine)
    theirs = Float8CurrentScalingQuantizer(tex.DType.kFloat8E4M3, device=engine)(x)
    ours = quantise(x.cpu(), scale_of(amax_of(x.cpu()), E4M3), E4M3)
    assert torch.equal(theirs._data.cpu().view(torch.uint8), ours.codes.view(torch.uint8))
    assert torch.equal(theirs._scale_inv.cpu().view(()), ours.scale.reciprocal())


def test_weights_make_the_round_trip_through_transformer_engine(engine):
    model = make_actor_critic(NET, SIZE, HEAD.bias, choose_layers("bfloat16", EPSILON, source="transformer_engine"))
    load_into(model.to(engine), from_flax(PARAMS))
    for name, array in from_flax(to_flax(model.state_dict())).items():
        assert torch.equal(array, from_flax(PARAMS)[name]), name
