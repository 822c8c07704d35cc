"""An agent played by its torch network, as a `lobjax.policy.Policy`: what a backtest or an evaluation takes.

The network is called back from the compiled program, on one device; observations, head and draws are the saved agent's own.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from lobjax.nets.attention import Cache as FlaxCache
from lobjax.nets.statistics import normalise
from lobjax.policy import LoadedPolicy, make_head
from lobjax.torch_port.agent import make_agent
from lobjax.torch_port.attention import Cache


class TorchPlayer:
    """Plays a `LoadedPolicy` with torch in place of Flax, in float32; InputError where its network is no Transformer."""

    def __init__(self, policy: LoadedPolicy) -> None:
        self.policy, config = policy, policy.config
        self.head = make_head(config.space, config.head)
        self.agent = make_agent(config.net, config.observation_size, self.head)
        self.agent.load_params(jax.device_get(policy.params))
        self.agent.eval()

    def initial_carry(self, n_envs: int) -> Any:
        return self.policy.initial_carry(n_envs)

    def act(self, key: jax.Array, carry: Any, observation: jax.Array, reset: jax.Array) -> tuple[Any, jax.Array]:
        config = self.policy.config
        if config.normalise_observations:
            observation = normalise(self.policy.statistics, observation)
        outputs = jax.ShapeDtypeStruct((observation.shape[0], len(self.head.bias)), jnp.float32)
        shapes = jax.eval_shape(lambda x: x, carry), outputs
        carry, outputs = jax.pure_callback(partial(_step, self.agent.net), shapes, carry, observation, reset)
        inputs = self.head.inputs(self.policy.params["head"], outputs, config.progress)
        raw = self.head.mode(inputs) if self.policy.deterministic else self.head.sample(key, inputs)
        return carry, self.head.to_action(raw)

    def check(self, env: Any) -> None:
        """As `LoadedPolicy.check`."""
        self.policy.check(env)


@torch.no_grad()
def _step(net: Any, carry: FlaxCache, observation: Any, reset: Any) -> tuple[FlaxCache, np.ndarray]:
    kind = net.initial_carry(1).keys[0].dtype
    keys, values = (tuple(_tensor(x).to(kind) for x in part) for part in (carry.keys, carry.values))
    cache = Cache(keys, values, _tensor(carry.valid), int(carry.position))
    cache, (outputs, _) = net.step(cache, _tensor(observation), _tensor(reset))
    keys, values = (
        tuple(x.float().numpy().astype(y.dtype) for x, y in zip(part, old, strict=True))
        for part, old in ((cache.keys, carry.keys), (cache.values, carry.values))
    )
    after = FlaxCache(keys, values, cache.valid.numpy(), np.asarray(cache.position, np.int32))  # type: ignore[arg-type]
    return after, outputs.numpy()


def _tensor(x: Any) -> torch.Tensor:
    array = np.array(x)
    return torch.from_numpy(array.astype(np.float32) if array.dtype == jnp.bfloat16 else array)
