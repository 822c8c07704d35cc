"""YAML of bounded size: nesting, nodes and what aliases expand to are limited, so that a small file cannot take all memory or time."""

from typing import Any

import yaml

MOST_BYTES = 1 << 20
MOST_NODES = 50_000  # aliases counted as often as they are used
MOST_DEPTH = 64

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """What `yaml.safe_load` gives, and its YAMLError; ValueError beyond the bounds, and where a key stands twice."""
    if len(text) > MOST_BYTES:
        raise ValueError(f"it has {len(text):,} characters, more than {MOST_BYTES:,}")
    _check_events(text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        try:
            return loader.construct_document(node)
        except (
            ValueError,
            OverflowError,
            TypeError,
            RecursionError,
        ) as error:
            # A date 2026-13-45, a number of 5,000 digits, a list as a key.
            raise ValueError(f"a value that cannot be: {error}") from None
    finally:
        loader.dispose()


def _check_events(text: str) -> None:
    """Depth and number of nodes as written. Events come one by one; building nodes would recurse."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > MOST_DEPTH:
            raise ValueError(f"it is nested more than {MOST_DEPTH} deep")
        if nodes > MOST_NODES:
            raise ValueError(f"it has more than {MOST_NODES:,} nodes")


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Nodes under `node` with aliases followed. `known`: of nodes counted before, by identity; 0 while one is being counted."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise ValueError("a part of it refers to itself")
        return known[id(node)]
    known[id(node)] = 0
    total = 1
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        total += sum(_count(part, known) for pair in node.value for part in pair)
    elif isinstance(node, yaml.SequenceNode):
        total += sum(_count(part, known) for part in node.value)
    if total > MOST_NODES:
        raise ValueError(f"its aliases expand to more than {MOST_NODES:,} nodes")
    known[id(node)] = total
    return total


def _check_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                raise ValueError(f"the key '{key.value[:80]}' stands twice, again in line {key.start_mark.line + 1}")
            seen.add((key.tag, key.value))
