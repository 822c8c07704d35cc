"""One network in both frameworks, with the same numbers, and what each makes of one batch: outputs, layer by layer, and gradients."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import torch

from lobjax.learn import ppo
from lobjax.learn.algorithm import PPOConfig
from lobjax.learn.memory import KEPT, residual_bytes
from lobjax.learn.torch import ppo as torch_ppo
from lobjax.memory import tree_bytes
from lobjax.nets import Categoricals, TransformerConfig, make_net
from lobjax.nets.precision import EPSILON, Precision
from lobjax.nets.transformer import n_towers
from lobjax.torch_port import choose_layers
from lobjax.torch_port.agent import Agent, make_agent
from lobjax.torch_port.attention import Cache
from lobjax.torch_port.crossing import to_torch
from lobjax.torch_port.factory import Source
from lobjax.torch_port.weights import from_flax

ACTIONS, OBSERVATION = 11, 32
PPO = PPOConfig(epochs=1, minibatches=2, discount=0.99)
# Where a layer of ours and a module of torch give the same thing; Flax's path in the tree: torch's name.
_OUTER = {"embed": "embed", "norm": "norm"}
_INNER = {"query_key_value": "query_key_value", "merge": "merge", "down": "feed"}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The network's size and the batch [steps, envs]."""

    net: TransformerConfig
    envs: int = 16
    steps: int = 16
    seed: int = 0

    @property
    def head(self) -> Categoricals:
        """The reference size's: one of eleven lots, from -5 to +5."""
        return Categoricals((ACTIONS,))

    def flax(self, precision: Precision):
        """The Flax network."""
        return make_net(replace(self.net, precision=precision), OBSERVATION, self.head)

    def torch(self, precision: Precision, source: Source, device: torch.device) -> Agent:
        """The torch agent, its weights still its own."""
        layers = choose_layers(precision, EPSILON, source=source)
        return make_agent(replace(self.net, precision=precision), OBSERVATION, self.head, layers).to(device)


class Sizes(NamedTuple):
    """Bytes of a setting, once each."""

    weights: int
    batch: int
    layers: int  # what the layers of the network give for the batch, in float32
    residuals: float  # what the way forth keeps for the way back


def sizes(setting: Setting) -> Sizes:
    """From shapes alone: nothing is allocated."""
    net = setting.flax("float32")
    shapes = jax.eval_shape(lambda: {"net": net.init(jax.random.key(0)), "head": setting.head.init()})
    tokens, config = setting.steps * setting.envs, setting.net
    kept = residual_bytes(net, setting.head, shapes, OBSERVATION, setting.envs, setting.steps)
    return Sizes(
        weights=tree_bytes(shapes),
        batch=tree_bytes(jax.eval_shape(lambda: net.initial_carry(setting.envs))) + 4 * tokens * (OBSERVATION + 6),
        layers=4 * tokens * n_towers(config) * config.width * (5 * config.layers + 2),
        residuals=KEPT[config.kind] * kept,
    )


@dataclass(frozen=True)
class Result:
    """NumPy arrays by torch's names: outputs and values, what each layer gives, gradients of the loss."""

    forward: dict[str, np.ndarray]
    layers: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]


def weights(setting: Setting) -> dict[str, Any]:
    """Parameters {"net", "head"}: as a run starts, and a little noise so that no leaf is zero and could hide a mistake."""
    start = jax.jit(setting.flax("float32").init)(jax.random.key(setting.seed))
    rng = np.random.default_rng(setting.seed)
    noisy = jax.tree.map(lambda x: np.asarray(x) + rng.normal(0, 0.02, x.shape).astype(np.float32), start)
    return {"net": noisy, "head": ()}


def batch(setting: Setting, number: int = 0) -> ppo.Batch:
    """A random batch in NumPy, with memory from before it in the ring: float32, for every precision the same numbers."""
    rng = np.random.default_rng([setting.seed, number])
    shape, net = (setting.steps, setting.envs), setting.net
    blank = setting.flax("float32").initial_carry(setting.envs)
    size = (setting.envs, net.heads, net.window, net.width // net.heads)
    rings = [tuple(_normal(rng, size).astype(jnp.bfloat16).astype(np.float32) for _ in blank.keys) for _ in range(2)]
    valid = rng.random(blank.valid.shape) < 0.8
    cache = blank.replace(keys=rings[0], values=rings[1], valid=valid, position=np.int32(net.window // 2))
    parts: dict[str, Any] = {
        "carry": cache,
        "observation": _normal(rng, (*shape, OBSERVATION)),
        "reset": rng.random(shape) < 0.05,
        "raw_action": rng.integers(0, ACTIONS, (*shape, 1), dtype=np.int32),
        "log_prob": np.full(shape, -np.log(ACTIONS), np.float32) + np.float32(0.1) * _normal(rng, shape),
        "value": _normal(rng, shape),
        "advantage": _normal(rng, shape),
        "target": _normal(rng, shape),
    }
    return ppo.Batch(**parts)


def in_flax(setting: Setting, precision: Precision, params: Any, data: ppo.Batch) -> Result:
    """What Flax makes of the batch."""
    net = setting.flax(precision)
    loss = ppo.make_loss(PPO, net, setting.head)
    kind = net.initial_carry(1).keys[0].dtype
    rings = [tuple(jnp.asarray(x, kind) for x in part) for part in (data.carry.keys, data.carry.values)]
    data = data._replace(carry=data.carry.replace(keys=rings[0], values=rings[1]))

    @jax.jit
    def compute(params, data):
        said: dict[str, Any] = {}
        with nn.intercept_methods(partial(_listen, said)):
            outputs, value = net.sequence(params["net"], data.carry, data.observation, data.reset)
        gradient = jax.grad(lambda p: loss(p, data, jnp.float32(0))[0])(params)
        return {"outputs": outputs, "value": value}, said, gradient["net"]

    forward, layers, gradient = jax.device_get(compute(params, data))
    layers = {name: np.asarray(x, np.float32) for name, x in layers.items()}
    return Result(forward, layers, {name: x.numpy() for name, x in from_flax(gradient).items()})


def in_torch(agent: Agent, params: Any, data: ppo.Batch, device: torch.device) -> Result:
    """What a torch agent makes of it."""
    agent.load_params(params)
    said: dict[str, np.ndarray] = {}
    hooks = [
        module.register_forward_hook(partial(_hear, said, name))
        for name, module in agent.net.named_modules()
        if name.rpartition(".")[2] in {*_OUTER.values(), *_INNER.values()}
    ]
    theirs = torch_batch(agent, data, device)
    with torch.no_grad():
        outputs, value = agent.net(theirs.cache, theirs.observation, theirs.reset)
    for hook in hooks:
        hook.remove()
    agent.zero_grad()
    torch_ppo.loss(PPO, agent, theirs, 0.0)[0].backward()
    gradients = {name: p.grad.float().cpu().numpy() for name, p in agent.net.named_parameters() if p.grad is not None}
    return Result({"outputs": outputs.cpu().numpy(), "value": value.cpu().numpy()}, said, gradients)


def torch_batch(agent: Agent, data: ppo.Batch, device: torch.device) -> torch_ppo.Batch:
    """The batch in torch, its ring in the type that the agent remembers in."""
    kind = agent.net.initial_carry(1).keys[0].dtype
    rings = [tuple(to_torch(x, device).to(kind) for x in part) for part in (data.carry.keys, data.carry.values)]
    cache = Cache(rings[0], rings[1], to_torch(data.carry.valid, device), int(data.carry.position))
    return torch_ppo.Batch(cache, *(to_torch(x, device) for x in data[1:]))


def _listen(said: dict[str, Any], call: Any, args: Any, kwargs: Any, context: Any) -> Any:
    """Take note of what a layer of the Flax network gives, under torch's name."""
    result = call(*args, **kwargs)
    path = context.module.path
    if context.method_name == "__call__" and len(path) > 1:
        if len(path) == 3 and path[2] in _INNER:
            said[f"{path[0]}.{path[1]}.{_INNER[path[2]]}".replace("_", ".", 1).replace("blocks_", "blocks.")] = result
        elif len(path) == 2 and path[1] in _OUTER:
            said[f"{path[0]}.{_OUTER[path[1]]}".replace("_", ".", 1)] = result
    return result


def _hear(said: dict[str, np.ndarray], name: str, module: Any, inputs: Any, result: torch.Tensor) -> None:
    said[name] = result.float().cpu().numpy()


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)
