"""What `bench train` trains: the execution agent at so many messages of the background a step, under a network."""

from typing import Any

from lobjax.flow import PoissonConfig
from lobjax.learn.algorithm import PPOConfig
from lobjax.learn.config import EvaluationConfig, TrainConfig
from lobjax.nets import MLPConfig, NetConfig, TransformerConfig
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig

LOTS = 40
QUEUE_PLACES, WARM_UP_S, STEP_S = 32, 12.0, 6.0
NETS: dict[str, NetConfig] = {
    "mlp": MLPConfig(),
    "transformer": TransformerConfig(layers=2, width=128, heads=4, window=64),
}
CELLS = (("mlp", 1), ("mlp", 100), ("transformer", 100))
WINDOW_DECISIONS, SHORT_DECISIONS, LONG_DECISIONS = 64, 10, 100


def cell(net: str, messages: int, n_envs: int, length: int, engine: str, devices: int = 1) -> TrainConfig:
    """The configuration of one measurement. A step ends when so many messages of the flow have come, at any time.

    `length` 0: rollouts of one episode. Episodes are as long as the Transformer's window; for the MLP 10 steps as in
    configs/train/execution.yaml, or 100 where a step is shorter than 10 messages: a start costs a warm-up of the market.
    """
    decisions = WINDOW_DECISIONS if net == "transformer" else SHORT_DECISIONS if messages >= 10 else LONG_DECISIONS
    length = length or decisions
    market: dict[str, Any] = {"engine": engine, "queue_places": QUEUE_PLACES}
    env = EnvConfig(
        task=ExecutionConfig(lots=LOTS, decisions=decisions, step_messages=messages, step_s=STEP_S),
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
