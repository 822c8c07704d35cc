"""What stands where a file should: pipes, sockets, devices, folders, links to nowhere, names that cannot be. No reader waits for any."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lobjax.errors import InputError
from lobjax.reading import exists, is_file, opened, read_bytes, read_json, read_text
from tests.fuzzing import read_or_refuse
from tests.reading.readers import NAMES, READERS


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's name may have a hundred bytes only
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


STANDS = {
    "nothing": (lambda path: None, "no such|no saved agent"),
    "pipe": (os.mkfifo, "is a pipe, not a file"),
    "socket": (_socket, "is a socket, not a file"),
    "zeros": (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
    "full": (lambda path: path.symlink_to("/dev/full"), "is a device, not a file"),
    "link to nowhere": (lambda path: path.symlink_to("gone"), "no such|no saved agent"),
    "link to itself": (
        lambda path: path.symlink_to(path.name),
        "no such|no saved agent|Too many levels of symbolic links",
    ),
    "empty file": (lambda path: path.write_bytes(b""), ""),
    "proc": (lambda path: path.symlink_to("/proc/self/status"), ""),
    "memory": (lambda path: path.symlink_to("/proc/self/mem"), ""),
}


@pytest.mark.parametrize("stands", STANDS)
@pytest.mark.parametrize("reader", READERS, ids=NAMES)
def test_what_is_no_file_is_refused_at_once(tmp_path, reader, stands):
    make, words = STANDS[stands]
    make(tmp_path / reader.name)
    found = read_or_refuse(lambda: reader.read(tmp_path / reader.name), seconds=2)
    is_yaml = stands == "proc" and reader.name.endswith(".yaml")  # which is a text of names and values
    assert isinstance(found, dict if is_yaml else InputError), found
    if words:
        assert any(word in str(found) for word in words.split("|")), found


@pytest.mark.parametrize(
    "reader", [reader for reader in READERS if reader.name != "policy.npz"], ids=[n for n in NAMES if n != "policy.npz"]
)
def test_a_folder_of_that_name_is_refused(tmp_path, reader):
    (tmp_path / reader.name).mkdir()
    found = read_or_refuse(lambda: reader.read(tmp_path / reader.name))
    assert isinstance(found, InputError) and any(
        word in str(found) for word in ("is a folder", "holds 0 LOBSTER days")
    ), found


@pytest.mark.parametrize("reader", READERS, ids=NAMES)
def test_names_that_no_file_can_have(tmp_path, reader):
    for name in ("n" * 300, "a/" * 3000, "nul\0byte", "half\ud800", "line\nend", "non\udcffutf"):
        found = read_or_refuse(lambda name=name: reader.read(tmp_path / (name + reader.name)))
        assert isinstance(found, InputError) and str(found).isprintable(), name


@pytest.mark.parametrize("reader", READERS, ids=NAMES)
def test_files_that_may_not_be_read(tmp_path, monkeypatch, reader):
    """Root may read all: the system's answer is put in its place."""
    reader.write(tmp_path / reader.name)
    real = os.open

    def denied(path, flags, *rest, **named):
        if not flags & (os.O_WRONLY | os.O_RDWR) and str(path).endswith(reader.name):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", denied)
        with pytest.raises(InputError, match="Permission denied"):
            reader.read(tmp_path / reader.name)


def test_a_file_that_grows_after_it_was_measured_is_not_read_on(tmp_path):
    path = tmp_path / "grows"
    path.write_bytes(b"x" * 10)
    with opened(path, most=10) as stream:
        path.write_bytes(b"x" * 10_000)
        assert len(stream.read(11)) == 11
    with pytest.raises(InputError, match="holds 10,000 bytes, more than 10"):
        read_bytes(path, most=10)
    with pytest.raises(InputError, match="holds more than 1 bytes"):  # its size is told as 0
        read_bytes("/proc/self/status", most=1)


def test_text_and_json(tmp_path):
    path = tmp_path / "it"
    for data, words in (
        (b"\xff\xfea", "not text in UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b"[1]", "holds a JSON list, not an object"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"{", "not JSON"),
        (b"\0" * 100, "not JSON"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=words):
            read_json(path)
    path.write_bytes("\ufeffé".encode())
    assert read_text(path) == "é" and is_file(path) and exists(path)
    assert not is_file(tmp_path / ("n" * 300)) and not exists("a\0b") and not exists("\ud800") and not is_file(tmp_path)


def test_commands_on_names_that_no_file_can_have(tmp_path):
    """Inputs and --out of one command of each program that reads data, in one process; exit status 2 and one line for each."""
    long = "n" * 300
    (tmp_path / "loop").symlink_to("loop")
    lines = [
        *(["lobjax", "data", "build", name, "--out", str(tmp_path / "x")] for name in (long, str(tmp_path / "loop"))),
        ["lobjax", "data", "build", __file__, "--out", long],
        ["lobjax", "data", "inspect", long],
        ["bench", "replay", long],
        ["bench", "run-stream", long, "--engine", "reference", "--capacity", "8", "--out", str(tmp_path / "x")],
        ["train", "run", long, "--out", str(tmp_path / "x")],
        ["train", "convert", long],
    ]
    code = "\n".join(
        [
            "import importlib, sys, contextlib, io",
            "for line in " + repr(lines) + ":",
            "    sys.argv, said = line, io.StringIO()",
            "    program = importlib.import_module(line[0] + '.__main__')",
            "    with contextlib.redirect_stderr(said):",
            "        try:",
            "            program.main(line[1:]) if line[0] == 'lobjax' else program.main()",
            "        except SystemExit as stop:",
            "            status = stop.code",
            "    assert status == 2 and said.getvalue().count(chr(10)) == 1, (line, status, said.getvalue())",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [entry.name for entry in tmp_path.iterdir()] == ["loop"]
