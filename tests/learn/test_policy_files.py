"""Saved agents whose description or numbers cannot be: refused before a network of such a size is described."""

import json
from pathlib import Path

import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.policy import FILE, load_policy
from tests.fuzzing import read_or_refuse
from tests.reading.readers import agent


@pytest.fixture(scope="module")
def arrays(tmp_path_factory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("agent")
    agent(folder)
    load_policy(folder)  # what JAX traces is in no test's time
    with np.load(folder / FILE) as archive:
        return dict(archive)


def refusal(folder: Path, arrays: dict[str, np.ndarray]) -> str:
    np.savez(folder / FILE, **arrays)  # type: ignore[arg-type]
    found = read_or_refuse(lambda: load_policy(folder), size=(folder / FILE).stat().st_size)
    assert isinstance(found, InputError) and str(folder / FILE) in str(found), found
    return str(found)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((("observation_size",), value) for value in (-3, 0, 7.5, 2**31, 10**30, "4", None, True, [4], 5)),
        *((("net", "hidden"), value) for value in ([2**31], [10**9], [-8], [0], [8.5], [], [8, 8])),
        *((("net", "hidden"), value) for value in ([1] * 10**5, 8, {"a": 1}, [[8]], [True])),
        *((("space", "nvec"), value) for value in ([2**31, 2], [-3, 2], [], [3.5, 2], 3, [[3]], [3, 3], [1] * 10**5, None)),
        *((("space", "class"), value) for value in ("Box", "Simplex", None, ["MultiDiscrete"])),
        *((("space",), value) for value in (None, [], 3, {})),
        *((("net",), value) for value in (None, [], {"kind": "gru"}, {"kind": "transformer", "layers": 10**9}, {"kind": "no"})),
        *((("head",), value) for value in (3, {"kind": "dirichlet"}, [])),
        (("progress",), 2.0),
        (("extra",), 1),
    ],
)  # fmt: skip
def test_descriptions(tmp_path, arrays, place, value):
    about = json.loads(str(arrays["config"]))
    node = about
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    refusal(tmp_path, {**arrays, "config": np.array(json.dumps(about))})


@pytest.mark.parametrize("config", [3, b"{}", "[", "[]", "3", '{"a":' * 10**5, ["{}"], None], ids=range(8))
def test_no_description(tmp_path, arrays, config):
    refusal(tmp_path, {name: array for name, array in {**arrays, "config": config}.items() if array is not None})


def test_numbers(tmp_path, arrays):
    name = next(name for name in arrays if name.endswith("kernel"))
    for value in (np.nan, np.inf, -np.inf):
        changed = arrays[name].copy()
        changed[0, 0] = value
        assert f"'{name}' has numbers that are not finite" in refusal(tmp_path, {**arrays, name: changed})
    for wrong in (
        arrays[name].astype(np.float64),
        arrays[name].astype(np.complex64),
        arrays[name].astype(">f4"),
        arrays[name].T,
        arrays[name][None],
    ):
        assert "do not fit its configuration" in refusal(tmp_path, {**arrays, name: wrong})
    assert "do not fit its configuration" in refusal(tmp_path, {**arrays, "other": arrays[name]})
    assert "statistics of observations" in refusal(
        tmp_path, {**arrays, "statistics.variance": -arrays["statistics.variance"]}
    )
    assert "array of type object" in refusal(tmp_path, {**arrays, name: np.array([None])})
