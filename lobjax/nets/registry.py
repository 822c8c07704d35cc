"""Networks and action heads by the kind that a configuration names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from lobjax.errors import InputError
from lobjax.nets.heads import SPACES, Head
from lobjax.nets.interface import NetFns
from lobjax.registry import OneOf, Registry, entry_of, kind_of
from lobjax.settings import settled


@dataclass(frozen=True, kw_only=True)
class NetSpec:
    """A kind of network. `make(config, observation_size, outputs, bias)`: its `outputs` numbers start near the constants `bias`."""

    config: type  # a frozen dataclass with `kind`
    make: Callable[[Any, int, int, tuple[float, ...]], NetFns]
    # Operations of attention for one token that sees all that the network keeps, and a trajectory: (config, its length) -> operations.
    attention: Callable[[Any, int], int] = lambda config, trajectory: 0


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """A kind of action head. `make(size, config)`, ValueError where the numbers do not fit the size."""

    config: type  # a frozen dataclass with `kind`
    make: Callable[[Any, Any], Head]
    space: str  # where it acts, see `lobjax.nets.heads.SPACES`
    default: bool = False  # of its space, where a configuration names no head


NETS: Registry[NetSpec] = Registry("network")
HEADS: Registry[HeadSpec] = Registry("head")
NetConfig = Annotated[Any, OneOf(NETS)]
HeadConfig = Annotated[Any, OneOf(HEADS)]


def register_net(spec: NetSpec) -> NetSpec:
    """Make a network known by the kind of its configuration; InputError where the name is taken."""
    return NETS.add(kind_of(spec.config), spec)


def register_head(spec: HeadSpec) -> HeadSpec:
    """Make a head known by the kind of its configuration; InputError where the name is taken, or the space has a default already."""
    if spec.space not in SPACES:
        raise InputError(f"head '{kind_of(spec.config)}': no space '{spec.space}'; known: {', '.join(SPACES)}")
    if spec.default and any(head.default and head.space == spec.space for _, head in HEADS.items()):
        raise InputError(
            f"head '{kind_of(spec.config)}': the {spec.space} has a default head already; set default to False"
        )
    return HEADS.add(kind_of(spec.config), spec)


def make_net(config: NetConfig, observation_size: int, head: Head) -> NetFns:
    """The network that `config` describes, for observations of `observation_size`, giving what `head` reads."""
    functions = entry_of(NETS, config).make(config, observation_size, len(head.bias), head.bias)
    return NetFns(*map(settled, functions))  # Flax promotes by JAX's settings


def head_on(space: str, size: Any, config: HeadConfig | None) -> Head:
    """The head that `config` describes (None: the default one), in a space of this size.

    InputError for an unknown head; ValueError where it is of another space, or its numbers do not fit.
    """
    if config is None:
        spec = next(head for _, head in HEADS.items() if head.default and head.space == space)
        return spec.make(size, spec.config())
    spec = entry_of(HEADS, config)
    if spec.space != space:
        raise ValueError(f"no head of kind '{config.kind}' acts on a {space}; leave it out to take the default")
    return spec.make(size, config)
