"""Flows by the kind that a configuration names, and how each is made from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lobjax.errors import InputError
from lobjax.flow.base import Flow
from lobjax.registry import Registry, entry_of, kind_of


class Needs(NamedTuple):
    """What an environment wants of its flow."""

    capacity: int  # orders a side of the book
    episode_s: float  # how long an episode lasts by the clock; 0 where its steps are counted in messages
    episode_messages: int  # of the flow in an episode; 0 where steps go by the clock


class Made(NamedTuple):
    """A flow with its numbers."""

    flow: Flow
    params: Any  # a pytree
    warm_up_s: float = 0.0  # that the market is played for before an episode
    starts: int = 0  # openings by number, where the flow has them


@dataclass(frozen=True, kw_only=True)
class FlowSpec:
    """A kind of flow. `make` raises ValueError or InputError where the numbers do not fit."""

    config: type  # a frozen dataclass with `kind`
    make: Callable[[Any, Needs], Made]
    # Of a record: the files that it is read from, and their sha256 by name.
    files: Callable[[Any], tuple[Path, ...]] = lambda config: ()
    sources: Callable[[Any], dict[str, str]] = lambda config: {}
    # What a report says of it, from the configuration as plain mappings.
    told: Callable[[Mapping[str, Any]], str] = lambda config: f"The market is played by the flow '{config['kind']}'."


FLOWS: Registry[FlowSpec] = Registry("flow")


def register(spec: FlowSpec) -> FlowSpec:
    """Make a flow known by the kind of its configuration; InputError where the name is taken."""
    return FLOWS.add(kind_of(spec.config), spec)


def make_flow(config: Any, needs: Needs) -> Made:
    """The flow of a configuration. InputError where a file is bad or numbers do not fit each other."""
    try:
        return entry_of(FLOWS, config).make(config, needs)
    except ValueError as error:
        raise InputError(f"env.flow: {error}") from None


def data_files(config: Any) -> tuple[Path, ...]:
    """The files that a flow is read from; () of a simulated one."""
    return entry_of(FLOWS, config).files(config)
