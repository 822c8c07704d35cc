"""What `bench train` trains: the execution agent at so many messages of the background a step, under a network."""

from typing import Any

from lobjax.env import EnvConfig, ExecutionConfig, MarketConfig
from lobjax.flow import PoissonConfig
from lobjax.nets import MLPConfig, NetConfig, TransformerConfig
from train.algorithm import PPOConfig
from train.config import EvaluationConfig, TrainConfig

LOTS, DECISIONS = 40, 10
QUEUE_PLACES, WARM_UP_S, STEP_S = 32, 12.0, 6.0
# Of the reference size only the update is of interest: what plays is the same.
NETS: dict[str, NetConfig] = {
    "mlp": MLPConfig(),
    "transformer": TransformerConfig(layers=2, width=128, heads=4, window=64),
}
CELLS = (("mlp", 1), ("mlp", 100), ("transformer", 100))


def cell(net: str, messages: int, n_envs: int, length: int, engine: str, devices: int = 1) -> TrainConfig:
    """The configuration of one measurement. A step ends when so many messages of the flow have come, at any time."""
    market: dict[str, Any] = {"engine": engine, "queue_places": QUEUE_PLACES}
    env = EnvConfig(
        task=ExecutionConfig(lots=LOTS, decisions=DECISIONS, step_messages=messages, step_s=STEP_S),
        flow=PoissonConfig(warm_up_s=WARM_UP_S),
        market=MarketConfig(max_messages=max(64, messages) + QUEUE_PLACES, **market),
    )
    algorithm = PPOConfig(discount=1.0, learning_rate=5e-4, schedule="linear")
    return TrainConfig(
        env=env,
        net=NETS[net],
        algorithm=algorithm,
        devices=devices,
        n_envs=n_envs,
        rollout_length=length,
        total_steps=1000 * n_envs * length,
        evaluation=EvaluationConfig(episodes=0),
    )
