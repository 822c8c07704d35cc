"""Checkpoints: the full state of a run, whole or not at all.

A checkpoint is a folder named by the updates done. In it, `meta.json` holds task, updates, configuration, settings, digest, and
the length and hash of each file; `state/` the arrays as orbax writes them, named by their path in the state. The folder
is written under a temporary name and renamed.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.files import whole_folder
from lobjax.reading import exists, opened, parsing
from lobjax.results import surroundings
from lobjax.schema import read_shape
from lobjax.settings import IMPLEMENTATION, settled

if TYPE_CHECKING:
    import orbax.checkpoint as ocp

META, STATE = "meta.json", "state"
ANOTHER = "name another checkpoint"


class Checkpoint(NamedTuple):
    """A complete checkpoint on disk."""

    path: Path
    task: str
    update: int
    config: dict[str, Any]
    digest: str
    settings: dict[str, Any] | None = None  # of the process that wrote it (`lobjax.results.surroundings`)


def to_arrays(state: Any) -> dict[str, np.ndarray]:
    """The leaves of a state on the host, by path; random keys as their words. Leaves of no elements are left out."""
    arrays = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if leaf.size == 0:  # orbax cannot write them, and they hold nothing
            continue
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        arrays[jax.tree_util.keystr(path, simple=True, separator=".")] = np.asarray(leaf)
    return arrays


def digest(state: Any) -> str:
    """SHA-256 of a state (or of its arrays): names, types, shapes and bytes of all leaves; nothing of the clock."""
    arrays = to_arrays(state)
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def save(
    folder: Path, state: Any, *, task: str, config: dict[str, Any], settings: dict[str, Any] | None = None
) -> Checkpoint:
    """Write a checkpoint of `state` into `folder`, named by the updates done; returns it. `settings`: if not those that JAX has here."""
    arrays = to_arrays(state)
    update = int(arrays["shared.update"])
    about = {"task": task, "update": update, "config": config, "digest": digest(arrays)}
    about["settings"] = surroundings.settings() if settings is None else settings
    final = folder / f"{update:08d}"
    with whole_folder(
        final, replace=True
    ) as temporary:  # there may be one: unfinished, or of the history that a named one cut off
        _write(temporary / STATE, arrays)
        (temporary / META).write_text(
            json.dumps(about | {"files": _files(temporary / STATE)}, indent=1), encoding="utf-8"
        )
    return Checkpoint(final, **about)


def numbered(folder: Path) -> dict[int, Path]:
    """What is named like a checkpoint in `folder`, by number, whatever it is."""
    found = (p for p in folder.glob("[0-9]*") if p.name.isascii() and p.name.isdecimal())
    return {int(p.name): p for p in sorted(found)}


def remove(path: Path) -> None:
    """Remove a checkpoint, or what stands in its place; of a link the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def cut_back(folder: Path, update: int) -> None:
    """Remove what was saved after `update` updates, so that going on from an older checkpoint leaves one history; and unfinished ones."""
    for number, path in numbered(folder).items():
        if number > update:
            remove(path)
    for path in folder.glob(".[0-9]*-*"):
        remove(path)


class Meta(TypedDict):
    """meta.json; `files`: [length, SHA-256] of each file by its path in the state."""

    task: str
    update: int
    config: dict[str, Any]
    digest: str
    settings: NotRequired[dict[str, Any] | None]
    files: dict[str, list[Any]]


def find(path: Path) -> Checkpoint:
    """The checkpoint at `path`; InputError when there is none or it is not whole."""
    if not exists(path / META):
        raise InputError(f"{path}: no checkpoint there, or one that was never finished; name another")
    about = read_shape(Meta, path / META, advice=ANOTHER)
    present = _files(path / STATE)
    for name in sorted(present.keys() | about["files"].keys()):
        if present.get(name) != about["files"].get(name):
            raise InputError(f"{path}: torn, {STATE}/{printable(name, 200)} is missing or damaged; {ANOTHER}")
    if not present:
        raise InputError(f"{path}: holds no state; {ANOTHER}")
    return Checkpoint(path, about["task"], about["update"], about["config"], about["digest"], about.get("settings"))


def complete(folder: Path) -> list[Checkpoint]:
    """All complete checkpoints in `folder`, oldest first; others are passed over."""
    found = []
    for path in numbered(folder).values():
        try:
            found.append(find(path))
        except InputError:
            continue
    return found


def arrays_of(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint by path; InputError where they cannot be read, or are others than were saved."""
    with parsing(checkpoint.path, "a whole checkpoint", ANOTHER), _checkpointer() as checkpointer:
        restored = checkpointer.restore((checkpoint.path / STATE).absolute())
        arrays = {k: np.asarray(v) for k, v in restored.items()}
    if digest(arrays) != checkpoint.digest:
        raise InputError(f"{checkpoint.path}: its state is not the one that {META} names; {ANOTHER}")
    if "shared.update" not in arrays or int(arrays["shared.update"]) != checkpoint.update:
        raise InputError(f"{checkpoint.path}: {META} names another number of updates than its state; {ANOTHER}")
    return arrays


@settled
def restore(checkpoint: Checkpoint, template: Any, task: str) -> Any:
    """The state in a checkpoint, in the shape of `template` (arrays or shapes); InputError when it is of another run."""
    if checkpoint.task != task:
        raise InputError(f"{checkpoint.path}: a checkpoint of the task '{checkpoint.task}', not '{task}'; name another")
    arrays, shapes = arrays_of(checkpoint), _shapes(template)
    wanted = {name: (leaf.shape, leaf.dtype) for name, leaf in shapes.items() if leaf.size}
    have = {name: (array.shape, array.dtype) for name, array in arrays.items()}
    if wrong := sorted(name for name in wanted.keys() | have.keys() if wanted.get(name) != have.get(name)):
        raise InputError(f"{checkpoint.path}: '{wrong[0]}' does not fit this configuration; name one of this run's")
    leaves = [_as_leaf(arrays.get(name), leaf) for name, leaf in zip(shapes, jax.tree.leaves(template), strict=True)]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def check_run(checkpoint: Checkpoint, config: dict[str, Any]) -> None:
    """InputError when a checkpoint is of a run with another configuration than `config`, as run.json has it."""
    theirs, ours = _flat(checkpoint.config), _flat(config)
    different = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
    if different:
        name = different[0]
        raise InputError(
            f"{checkpoint.path}: a checkpoint of another run (its {name} is {theirs.get(name)}, here {ours.get(name)}); "
            "name one of this run's"
        )
    if checkpoint.settings is not None:
        surroundings.check_same(checkpoint.settings, checkpoint.path)


def _flat(config: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(config, dict):
        return {prefix: config}
    return {k: v for name, value in config.items() for k, v in _flat(value, f"{prefix}.{name}".lstrip(".")).items()}


def _checkpointer() -> "ocp.Checkpointer":
    """Of this process alone: the arrays are whole, and only one process writes."""
    import orbax.checkpoint as ocp  # a second's import, which a run that is refused need not wait for

    alone = ocp.options.MultiprocessingOptions(
        primary_host=jax.process_index(), active_processes={jax.process_index()}, barrier_sync_key_prefix="alone"
    )
    return ocp.Checkpointer(ocp.PyTreeCheckpointHandler(multiprocessing_options=alone), multiprocessing_options=alone)


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    try:
        with _checkpointer() as checkpointer:
            checkpointer.save(path.absolute(), arrays)
    except ValueError as error:  # how orbax's storage layer reports a failed system call, a full disk among them
        code = re.search(r"os_error_code='(\d+)'", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error


def _files(folder: Path) -> dict[str, list]:
    """Length and SHA-256 of every file; InputError for what is none, as a link or a pipe."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        if path.is_symlink():
            raise InputError(f"{path}: is a link, not a file of a checkpoint; {ANOTHER}")
        total, length = hashlib.sha256(), 0
        with opened(path, advice=ANOTHER) as stream:
            while part := stream.read(1 << 20):
                total.update(part)
                length += len(part)
        files[str(path.relative_to(folder))] = [length, total.hexdigest()]
    return files


def _shapes(template: Any) -> dict[str, jax.ShapeDtypeStruct]:
    def words(leaf):
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jax.eval_shape(jax.random.key_data, leaf) if is_key else leaf

    leaves = jax.tree_util.tree_leaves_with_path(template)
    return {jax.tree_util.keystr(path, simple=True, separator="."): words(leaf) for path, leaf in leaves}


def _as_leaf(array: np.ndarray | None, like: Any) -> jax.Array:
    if array is None:
        return jnp.zeros(like.shape, like.dtype)
    if jnp.issubdtype(like.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(array), impl=IMPLEMENTATION)
    return jnp.asarray(array)
