"""Train an agent from Python, draw its learning curve, load it and let it act: about a minute on two idle cores.

Run: python docs/examples/train_in_python.py FOLDER [KEY=VALUE ...], such as total_steps=20000 "net={kind: gru}"
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
from matplotlib.figure import Figure

import lobjax
from lobjax.learn import load_config

LARGER = (
    "n_envs=256", "total_steps=500000", "algorithm.learning_rate=0.002", "checkpoint_every=100", "evaluation.episodes=256",
    "env.market.engine=auto", "compile=full",
)  # fmt: skip


def main(out: Path, *assignments: str) -> None:
    config = load_config("smoke", *LARGER, *assignments)  # a name of configs/train, or a file of your own
    env = lobjax.make(config.env)
    print(f"{env.name}: {env.observation_size} numbers to see, actions in {env.action_space}")

    run = lobjax.train(config, out)  # with a progress bar, on a terminal or in a notebook
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.add_subplot(xlabel="environment steps", ylabel="mean return of an episode")
    axes.plot(*run.curve("episode/return"))
    figure.savefig(out / "curve.png")

    agent = lobjax.load_policy(out)
    agent.check(env)
    observation, _ = env.reset(jax.random.key(0), env.default_params)
    carry, first = agent.initial_carry(1), jnp.ones(1, bool)
    _, action = agent.act(jax.random.key(1), carry, observation[None], first)
    print(f"{len(run.metrics)} updates, {out / 'curve.png'}; the agent's first action: {action[0].tolist()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
