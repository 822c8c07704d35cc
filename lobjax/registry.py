"""Things of a kind by name: tasks, flows, networks, heads, algorithms, strategies. An unknown name is an error, never another thing."""

import dataclasses
import typing
from collections.abc import ItemsView, Iterator, Mapping
from typing import Any, Generic, Literal, Protocol, TypeVar

from lobjax.errors import InputError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and what they stand for, in the order of registration. `what` is the word for one of them in errors.

    An entry is added once: a plugin that takes a name which is taken is an InputError, so that no import changes what a name means.
    """

    def __init__(self, what: str, entries: Mapping[str, T] | None = None) -> None:
        self.what = what
        self._entries: dict[str, T] = dict(entries or {})

    def add(self, name: str, entry: T) -> T:
        """Register `entry`; InputError where the name is taken by another."""
        if self._entries.setdefault(name, entry) is not entry:
            raise InputError(f"{self.what} '{name}' is registered already; choose another name")
        return entry

    def __getitem__(self, name: str) -> T:
        if not isinstance(name, str) or name not in self._entries:
            raise InputError(f"unknown {self.what} '{name}'; {nearest(str(name), self._entries)}")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> ItemsView[str, T]:
        """Names with their entries."""
        return self._entries.items()


class Configured(Protocol):
    """What a registry keeps of a kind that configurations name: among other things, the dataclass of its choices."""

    @property
    def config(self) -> type: ...


class OneOf:
    """What a field of a configuration may hold: the `config` of any entry of a registry, told apart by its `kind`.

    `task: Annotated[Any, OneOf(TASKS)]`. What is registered later is known from then on.
    """

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    @property
    def kinds(self) -> dict[str, type]:
        """The configurations by name."""
        return {name: entry.config for name, entry in self.registry.items()}

    def wrong(self, value: Any) -> str | None:
        """What is wrong with a value, in words; None where it is a configuration of a registered kind."""
        if type(value) in self.kinds.values():
            return None
        kind = getattr(value, "kind", None)
        if dataclasses.is_dataclass(value) and isinstance(kind, str) and kind not in self.registry:
            return f"unknown {self.registry.what} '{kind}'; {nearest(kind, self.registry)}"
        wanted = " or ".join(config.__name__ for config in self.kinds.values())
        return f"expected {wanted}; found {type(value).__name__}"


def kind_of(config: Any) -> str:
    """The name that a configuration's dataclass goes by; InputError unless it is frozen and has `kind: Literal["name"] = "name"`."""
    name = getattr(config, "__name__", repr(config))
    if not (isinstance(config, type) and dataclasses.is_dataclass(config)):
        raise InputError(f"{name}: not a dataclass; a configuration is a frozen one")
    frozen = config.__dataclass_params__.frozen  # type: ignore[attr-defined]
    hint = typing.get_type_hints(config).get("kind")
    names = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
    if not frozen or len(names) != 1 or getattr(config, "kind", None) != names[0] or not isinstance(names[0], str):
        raise InputError(f'{name}: make it a frozen dataclass with a field kind: Literal["name"] = "name"')
    return names[0]


def entry_of(registry: Registry[T], value: Any) -> T:
    """The entry whose configuration `value` is; InputError where there is none."""
    for _, entry in registry.items():
        if entry.config is type(value):  # type: ignore[attr-defined]
            return entry
    raise InputError(f"{registry.what}: {OneOf(registry).wrong(value)}")
