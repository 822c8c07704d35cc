"""A small Transformer agent for the execution environment of the backtest tests, saved as `python -m train run` saves one."""

import jax
import numpy as np

from lobjax.nets import TransformerConfig, make_net
from lobjax.nets.statistics import Statistics
from lobjax.policy import PolicyConfig, load_policy, make_head, save_policy
from lobjax.tasks import make
from tests.backtest.conftest import small

NET = TransformerConfig(layers=2, width=32, heads=2, window=4, towers="separate")


def saved_agent(folder):
    """Save it, and return it loaded."""
    env = make(small())
    head = make_head(env.action_space, None)
    shapes = jax.eval_shape(make_net(NET, env.observation_size, head).init, jax.random.key(0))
    rng = np.random.default_rng(0)
    net = jax.tree.map(lambda x: rng.normal(0, 0.3, x.shape).astype(np.float32), shapes)
    size = env.observation_size
    statistics = Statistics(
        count=np.float32(100), mean=rng.normal(size=size).astype(np.float32), variance=np.ones(size, np.float32)
    )  # type: ignore[arg-type]
    about = PolicyConfig(task=env.name, actions=env.actions, observation_size=size, space=env.action_space, net=NET)
    save_policy(folder, {"net": net, "head": head.init()}, statistics, about)
    return load_policy(folder)
