"""Saved agents across frameworks: policy.npz (`lobjax.policy`) and policy.safetensors hold the same numbers under each other's names."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.policy import FILE, LoadedPolicy, policy_of, read_agent
from lobjax.reading import MOST_ARRAYS, exists, parsing, read_bytes
from lobjax.torch_port.weights import flatten, from_flax, to_flax

try:
    import safetensors.torch
except ImportError:
    raise InputError("safetensors: not installed; pip install -e '.[torch]'") from None

TORCH_FILE = "policy.safetensors"
_NET = "params.net."
_MOST_HEADER = 1 << 24
_AGAIN = "convert it again"


def to_safetensors(source: str | Path, out: str | Path | None = None) -> Path:
    """Write the agent in the folder `source` as policy.safetensors into the folder `out` (the same one); returns the file.

    The network is under torch's names, the rest under those of policy.npz; the metadata holds the configuration. InputError where the agent
    is missing, damaged or no Transformer.
    """
    path = Path(source) / FILE
    arrays = read_agent(path)
    policy_of(arrays, path)  # says what is wrong with it
    config = str(arrays.pop("config"))
    net = {name.removeprefix(_NET): arrays.pop(name) for name in list(arrays) if name.startswith(_NET)}
    rest = {name: torch.from_numpy(np.array(x)) for name, x in arrays.items()}
    tensors = {**{_NET + name: x for name, x in from_flax(net).items()}, **rest}
    path = Path(out or source) / TORCH_FILE
    with whole_file(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata={"config": config})
    return path


def from_safetensors(source: str | Path, out: str | Path | None = None) -> Path:
    """Write policy.npz into the folder `out` (beside it) from an agent's policy.safetensors; returns the file. InputError as above."""
    source = Path(source)
    arrays = _read(source)
    policy_of(arrays, source)  # says what is wrong with it
    path = Path(out or source.parent) / FILE
    with whole_file(path) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]
    return path


def load_torch_agent(source: str | Path, *, deterministic: bool = True) -> LoadedPolicy:
    """The agent of a policy.safetensors as `lobjax.policy` has it, ready for a backtest in Flax."""
    return policy_of(_read(Path(source)), source, deterministic=deterministic)


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of policy.npz, the configuration among them."""
    if not exists(path):
        raise InputError(f"{path}: no such file; `python -m train convert DIR` writes one")
    data = read_bytes(path, most=MOST_ARRAYS, advice=_AGAIN)
    config = _metadata(path, data).get("config")
    if not isinstance(config, str):
        raise InputError(f"{path}: holds no configuration of an agent; convert it from a run's folder")
    with parsing(path, "a whole safetensors file", _AGAIN):
        # Their types are compared with the configuration's later; what NumPy has no type for (bfloat16) is refused here.
        tensors: dict[str, Any] = safetensors.torch.load(data)
        arrays = {name: x.numpy() for name, x in tensors.items()}
    net = {name.removeprefix(_NET): tensors[name] for name in tensors if name.startswith(_NET)}
    rest = {name: x for name, x in arrays.items() if not name.startswith(_NET)}
    return {"config": np.array(config), **rest, **{_NET + name: x for name, x in flatten(to_flax(net)).items()}}


def _metadata(path: Path, data: bytes) -> dict[str, Any]:
    """What the header of a safetensors file says beside its arrays: eight bytes of length, then JSON."""
    with parsing(path, "a whole safetensors file", _AGAIN):
        (size,) = struct.unpack_from("<Q", data)
        if size > min(len(data) - 8, _MOST_HEADER):
            raise ValueError(f"a header of {size:,} bytes in {len(data):,}")
        return dict(dict(json.loads(data[8 : 8 + size])).get("__metadata__", {}))
