"""Saved agents across frameworks: policy.npz (`lobjax.policy`) and policy.safetensors hold the same numbers under each other's names."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.policy import FILE, LoadedPolicy, load_policy
from lobjax.torch_port.weights import flatten, from_flax, to_flax

try:
    import safetensors
    import safetensors.torch
except ImportError:
    raise InputError("safetensors: not installed; pip install -e '.[torch]'") from None

TORCH_FILE = "policy.safetensors"
_NET = "params.net."


def to_safetensors(source: str | Path, out: str | Path | None = None) -> Path:
    """Write the agent in the folder `source` as policy.safetensors into the folder `out` (the same one); returns the file.

    The network is under torch's names, the rest under those of policy.npz; the metadata holds the configuration. InputError where the agent
    is missing, damaged or no Transformer.
    """
    load_policy(source)  # says what is wrong with it
    with (Path(source) / FILE).open("rb") as file, np.load(file, allow_pickle=False) as archive:
        arrays = dict(archive)
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
    arrays, config = _read(source)
    path = Path(out or source.parent) / FILE
    with whole_file(path) as temporary:
        np.savez(temporary, config=np.array(config), **arrays)  # type: ignore[arg-type]
        _check(temporary)
    return path


def load_torch_agent(source: str | Path, *, deterministic: bool = True) -> LoadedPolicy:
    """The agent of a policy.safetensors as `lobjax.policy` has it, ready for a backtest in Flax."""
    with tempfile.TemporaryDirectory() as folder:
        from_safetensors(source, folder)
        return load_policy(folder, deterministic=deterministic)


def _check(file: Path) -> None:
    """Read it as an agent, under the name that agents have."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_bytes(file.read_bytes())
        load_policy(folder)


def _read(path: Path) -> tuple[dict[str, np.ndarray], str]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            config = (file.metadata() or {})["config"]
        json.loads(config)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `python -m train convert DIR` writes one") from None
    except KeyError:
        raise InputError(f"{path}: holds no configuration of an agent; convert it from a run's folder") from None
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise InputError(f"{path}: not a whole safetensors file ({error}); convert it again") from None
    net = {name.removeprefix(_NET): tensors.pop(name) for name in list(tensors) if name.startswith(_NET)}
    arrays = {name: x.numpy() for name, x in tensors.items()}
    return arrays | {_NET + name: x for name, x in flatten(to_flax(net)).items()}, config
