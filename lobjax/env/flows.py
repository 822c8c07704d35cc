"""The flow of an environment, from its configuration."""

from typing import Any

from lobjax.data.store import load_day
from lobjax.env.config import EnvConfig, RecordedConfig, seconds_of_day
from lobjax.env.recorded import recorded_params
from lobjax.errors import InputError
from lobjax.flow import MixedConfig, MixedFlow, PoissonConfig, PoissonFlow, RecordedFlow, StrategicFlow
from lobjax.flow.mixed import mixed_params
from lobjax.flow.strategic import strategic_params


def flow_of(config: EnvConfig) -> tuple[Any, Any, float]:
    """The flow, its numbers, and the seconds that its market is warmed up for. InputError where a file is bad or does not fit."""
    if isinstance(config.flow, RecordedConfig):
        return RecordedFlow(), _recorded(config, config.flow), 0.0
    try:
        if isinstance(config.flow, MixedConfig):
            flows = config.flow.flows
            return MixedFlow(), mixed_params(flows, config.market.capacity), flows[0].warm_up_s
        return _simulated(config.flow, config.market.capacity)
    except ValueError as error:
        raise InputError(f"env.flow: {error}") from None


def _simulated(config: PoissonConfig, capacity: int) -> tuple[Any, Any, float]:
    flow, params = PoissonFlow(), PoissonFlow().params(config, capacity)
    if config.strategic is None:
        return flow, params, config.warm_up_s
    return StrategicFlow(flow), strategic_params(config.strategic, params), config.warm_up_s


def _recorded(config: EnvConfig, recorded: RecordedConfig) -> Any:
    return recorded_params(
        load_day(recorded.path, recorded.book, **_given(levels=recorded.levels, instrument=recorded.instrument)),
        from_s=seconds_of_day(recorded.from_time),
        until_s=seconds_of_day(recorded.until_time),
        episode_s=0.0 if config.task.step_messages else config.task.decisions * config.task.step_s,
        episode_messages=config.task.decisions * config.task.step_messages,
        every_s=recorded.start_every_s,
        capacity=config.market.capacity,
    )


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}
