"""Things of a kind by name: tasks, flows, networks, heads, algorithms, strategies. An unknown name is an error, never another thing."""

from collections.abc import ItemsView, Iterator, Mapping
from typing import Generic, TypeVar

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
