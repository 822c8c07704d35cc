"""policy.safetensors from outside: damaged, edited or declaring what it does not hold; refused in one line, and nothing is written."""

import json
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobjax.errors import InputError
from lobjax.torch_port.convert import TORCH_FILE, from_safetensors, load_torch_agent, to_safetensors
from tests.fuzzing import damaged, edited, fuzzed, read_or_refuse
from tests.torch_port.saved import saved_agent


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("agent")
    saved_agent(folder)
    load_torch_agent(to_safetensors(folder))  # what is compiled for that is in no example's time
    return (folder / TORCH_FILE).read_bytes()


def parts(whole: bytes) -> tuple[dict, bytes]:
    (size,) = struct.unpack_from("<Q", whole)
    return json.loads(whole[8 : 8 + size]), whole[8 + size :]


def joined(header: object, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@fuzzed(25)
@given(data=st.data())
def test_damaged_bytes(whole, tmp_path, data):
    (tmp_path / TORCH_FILE).write_bytes(data.draw(damaged(whole)))
    read_or_refuse(lambda: load_torch_agent(tmp_path / TORCH_FILE))


@fuzzed(40)
@given(data=st.data())
def test_edited_headers(whole, tmp_path, data):
    header, tensors = parts(whole)
    (tmp_path / TORCH_FILE).write_bytes(joined(data.draw(edited(header)), tensors))
    read_or_refuse(lambda: load_torch_agent(tmp_path / TORCH_FILE))


def test_headers_that_cannot_be(whole, tmp_path):
    header, tensors = parts(whole)
    name = next(name for name in header if name != "__metadata__" and len(header[name]["shape"]) == 2)
    path = tmp_path / TORCH_FILE
    cases = {
        "terabytes": joined({**header, name: {**header[name], "shape": [1 << 40, 4]}}, tensors),
        "overlapping": joined({**header, name: {**header[name], "data_offsets": [0, 8]}}, tensors),
        "beyond": joined({**header, name: {**header[name], "data_offsets": [0, 1 << 50]}}, tensors),
        "bfloat16": joined({**header, name: {**header[name], "dtype": "BF16"}}, tensors),
        "integers": joined({**header, name: {**header[name], "dtype": "I32"}}, tensors),
        "no configuration": joined({key: value for key, value in header.items() if key != "__metadata__"}, tensors),
        "long header": struct.pack("<Q", 1 << 60) + whole[8:],
        "longer than the file": struct.pack("<Q", len(whole)) + whole[8:],
        "deep": struct.pack("<Q", 200_000) + b"[" * 200_000,
        "cut": whole[:-100],
        "short": whole[:5],
        "empty": b"",
    }
    for what, content in cases.items():
        path.write_bytes(content)
        found = read_or_refuse(lambda: from_safetensors(path), size=len(content))
        assert isinstance(found, InputError) and str(path) in str(found), (what, found)
    path.unlink()
    os.mkfifo(path)
    assert isinstance(read_or_refuse(lambda: from_safetensors(path)), InputError)
    assert [entry.name for entry in tmp_path.iterdir()] == [TORCH_FILE]
