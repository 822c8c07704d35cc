"""Which files of a package compiled code comes from: every name that a function uses, through imports, to where it is defined.

By reading, not by running, so that nothing is compiled. Annotations are left out: no compiled code comes from them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

Name = tuple[str, str]  # a module, and a name at its top


class Module(NamedTuple):
    """A module's file and what its top level defines: the nodes, and the names that are imported, None for a module itself."""

    path: Path
    nodes: dict[str, list[ast.stmt]]
    imported: dict[str, tuple[str, str | None]]


class Sources:
    """The modules of a package that lies in `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules: dict[str, Module] = {}
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.modules[name] = _read(path)

    def of(self, *names: Name) -> set[str]:
        """The files, relative to the package, from which these names come."""
        seen: set[Name] = set()
        waiting = [*names]
        while waiting:
            module, name = waiting.pop()
            if module in self.modules and (module, name) not in seen:
                seen.add((module, name))
                waiting += self._used(module, name)
        return {self.modules[module].path.relative_to(self.root).as_posix() for module, _ in seen}

    def decorated(self, *words: str) -> dict[str, list[str]]:
        """By module the functions of its top level, and what it assigns by a call, that a decorator of these words makes."""
        found: dict[str, list[str]] = {}
        for module, (_, nodes, _) in self.modules.items():
            for name, statements in nodes.items():
                for node in (inner for statement in statements for inner in ast.walk(statement)):
                    makers = node.decorator_list if isinstance(node, ast.FunctionDef) else []
                    makers += (
                        [node.value.func] if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) else []
                    )
                    if any(ast.unparse(maker).split("(")[0] in words for maker in makers):
                        found.setdefault(module, []).append(name)
        return found

    def _used(self, module: str, name: str) -> Iterator[Name]:
        nodes, imported = self.modules[module].nodes, self.modules[module].imported
        if name in imported and name not in nodes:
            of, original = imported[name]
            yield of, original or ""
        for node in (inner for statement in nodes.get(name, []) for inner in _without_annotations(statement)):
            if isinstance(node, ast.ImportFrom):
                yield from ((node.module or "", alias.name) for alias in node.names)
            elif chain := _chain(node):
                yield self._resolved(module, *chain)

    def _resolved(self, module: str, first: str, *rest: str) -> Name:
        """What `first.of.rest` means in a module: a name at the top of one, "" for a module as a whole."""
        of, original = self.modules[module].imported.get(first, ("", None))
        inside = of if original is None else f"{of}.{original}"
        if inside not in self.modules:
            return module, first
        while rest and f"{inside}.{rest[0]}" in self.modules:
            inside, rest = f"{inside}.{rest[0]}", rest[1:]
        return inside, rest[0] if rest else ""


def _chain(node: ast.AST) -> list[str]:
    """`a.b.c` as words; nothing if it is something else."""
    if isinstance(node, ast.Name):
        return [node.id]
    before = _chain(node.value) if isinstance(node, ast.Attribute) else []
    return [*before, node.attr] if before and isinstance(node, ast.Attribute) else []


def _read(path: Path) -> Module:
    nodes: dict[str, list[ast.stmt]] = {}
    imported: dict[str, tuple[str, str | None]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            imported |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            imported |= {alias.asname or alias.name: (alias.name, None) for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            nodes.setdefault(node.name, []).append(node)
        else:  # all that it binds, a condition's branches included
            for name in (inner for inner in ast.walk(node) if isinstance(inner, ast.Name)):
                if isinstance(name.ctx, ast.Store):
                    nodes.setdefault(name.id, []).append(node)
    return Module(path, nodes, imported)


def _without_annotations(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _without_annotations(child)
