"""Configuration: frozen dataclasses that validate themselves, and a strict YAML reader for them.

An unknown key is an error that names the nearest one; a value of the wrong type is an error that says which was wanted
(`yaml.safe_load("3e-4")` is a string: it is read as a number only where a number is wanted). A union of dataclasses is told apart by
its `kind` field, a `Literal` with one value; so is what a registry knows (`lobjax.registry.OneOf`). A number must lie in the range that
is stated beside its field (`lobjax.ranges`). A field that had another name is read by that too (`formerly`).
"""

import contextlib
import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from lobjax import bounded_yaml
from lobjax.errors import InputError, nearest
from lobjax.ranges import number, shown, stated
from lobjax.reading import parsing, read_text
from lobjax.registry import OneOf

C = TypeVar("C")
_FORMERLY = "formerly"


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping; a missing, unreadable or malformed file is an InputError (bounds: `lobjax.bounded_yaml`)."""
    text = read_text(path, most=bounded_yaml.MOST_BYTES, what="configuration file", advice="see configs/ for examples")
    with parsing(path, "a configuration in YAML", "see configs/ for examples"):
        data = bounded_yaml.load(text)
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a mapping of keys to values, found {type(data).__name__}")
    return data


def build(cls: type[C], data: dict[str, Any], where: str = "config") -> C:
    """Build the dataclass `cls` from a mapping, strictly; nested dataclasses too. `where` names the place in errors."""
    if not isinstance(data, dict):
        raise InputError(f"{where}: expected a mapping, found {type(data).__name__} {shown(data)}")
    data = renamed(cls, data, where)
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            name = shown(str(key))[1:-1]
            raise InputError(f"{where}: unknown key '{name}'; {nearest(name, fields)}")
    values = {key: _convert(hints[key], value, f"{where}.{key}") for key, value in data.items()}
    required = {f.name for f in fields.values() if f.default is f.default_factory is dataclasses.MISSING}
    if missing := sorted(required - values.keys()):
        raise InputError(f"{where}: missing key '{missing[0]}'; add it")
    try:
        return cls(**values)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


def formerly(name: str) -> dict[str, str]:
    """Metadata of a field: the name that it had, by which files that were written then are still read."""
    return {_FORMERLY: name}


def renamed(cls: type, data: dict[str, Any], where: str = "config") -> dict[str, Any]:
    """A mapping with the names that the fields of the dataclass `cls` have now. InputError where a field is there by both of its names."""
    now = {f.metadata[_FORMERLY]: f.name for f in dataclasses.fields(cls) if _FORMERLY in f.metadata}
    if twice := next((name for name in now if name in data and now[name] in data), None):
        raise InputError(
            f"{where}: '{twice}' is the former name of '{now[twice]}', and both are there; remove '{twice}'"
        )
    return {now.get(key, key): value for key, value in data.items()}


def override(data: dict[str, Any], assignments: list[str]) -> dict[str, Any]:
    """Apply `a.b.c=value` assignments (values in YAML) to a nested mapping; returns a new mapping."""
    result = _copy(data)
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"override {shown(assignment)}: expected key.path=value")
        *parents, leaf = key.split(".")
        node = result
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise InputError(f"override {shown(assignment)}: '{parent}' is a value, not a group of keys")
        try:
            node[leaf] = bounded_yaml.load(text)
        except (yaml.YAMLError, ValueError) as error:
            raise InputError(f"override {shown(assignment)}: the value is not valid YAML: {error}") from None
    return result


def to_dict(config: Any) -> Any:
    """The inverse of `build`: plain mappings, lists and scalars, for JSON or YAML."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return {f.name: to_dict(getattr(config, f.name)) for f in dataclasses.fields(config) if f.init}
    if isinstance(config, (list, tuple)):
        return [to_dict(item) for item in config]
    if isinstance(config, Path):
        return str(config)
    return config


def _copy(data: Any) -> Any:
    return {key: _copy(value) for key, value in data.items()} if isinstance(data, dict) else data


def _convert(hint: Any, value: Any, where: str) -> Any:
    hint, limit = stated(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(limit, OneOf):
        return _convert_kind(limit.kinds, value, where)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _convert_union(arguments, value, where)
    if origin is Literal:
        if type(value) is not type(arguments[0]) or value not in arguments:
            raise InputError(f"{where}: {shown(value)} is not allowed; {nearest(shown(value), map(str, arguments))}")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where}: expected a list, found {type(value).__name__} {shown(value)}")
        if limit is not None and (wrong := limit.wrong(value)):
            raise InputError(f"{where}: {wrong}")
        items = [arguments[0]] * len(value) if len(arguments) == 2 and arguments[1] is ... else list(arguments)
        if len(items) != len(value):
            raise InputError(f"{where}: expected {len(items)} values, found {len(value)}")
        return tuple(_convert(h, v, f"{where}[{i}]") for i, (h, v) in enumerate(zip(items, value, strict=True)))
    if dataclasses.is_dataclass(hint):
        return build(hint, value, where)  # type: ignore[arg-type]
    return _convert_scalar(hint, limit, value, where)


def _convert_union(arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    choices = [a for a in arguments if a is not type(None)]
    if len(choices) == 1:
        return _convert(choices[0], value, where)
    return _convert_kind({typing.get_args(typing.get_type_hints(c)["kind"])[0]: c for c in choices}, value, where)


def _convert_kind(kinds: dict[str, Any], value: Any, where: str) -> Any:
    """The configuration that a mapping's `kind` names."""
    if not isinstance(value, dict) or "kind" not in value:
        raise InputError(f"{where}: missing key 'kind'; known: {', '.join(sorted(kinds))}")
    if not isinstance(value["kind"], str) or value["kind"] not in kinds:
        raise InputError(f"{where}.kind: {shown(value['kind'])} is not known; {nearest(shown(value['kind']), kinds)}")
    return build(kinds[value["kind"]], value, where)


def _convert_scalar(hint: Any, limit: Any, value: Any, where: str) -> Any:
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, str):  # YAML 1.1 reads 3e-4 as a string
        with contextlib.suppress(ValueError):
            value = float(value)
    if hint is int or hint is float:
        try:
            return number(hint, limit, value, where) + hint(0)  # without the sign of -0.0
        except ValueError as error:
            raise InputError(str(error)) from None
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise InputError(
        f"{where}: expected {getattr(hint, '__name__', hint)}, found {type(value).__name__} {shown(value)}"
    )
