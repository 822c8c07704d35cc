"""One writer at a time: who is refused, who waits, and what a killed one leaves."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lobjax import locks
from lobjax.errors import InputError
from lobjax.files import whole_file, whole_folder
from tests.holding import start, writer

WAIT = """
import sys
from lobjax import locks
with locks.held(sys.argv[1], wait=True):
    print("mine", flush=True)
"""


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_second_is_refused_in_one_line_that_says_by_whom(tmp_path):
    folder = tmp_path / "run"
    with writer(folder) as process:
        link = tmp_path / "link"
        link.symlink_to(folder)
        for name in (folder, tmp_path / "x" / ".." / "run", link):
            with pytest.raises(InputError) as refused, locks.held(name):
                pass
            said = str(refused.value)
            assert f"in use by process {process.pid} since 2" in said and "\n" not in said and "-c" in said
    link.unlink()
    with locks.held(folder):
        assert not folder.exists()
    assert names(tmp_path) == []


def test_a_killed_writer_holds_nothing_and_what_it_began_is_cleared_away(tmp_path):
    folder, other = tmp_path / "run", tmp_path / ".run-2-abcd1234.part"
    folder.mkdir()
    (folder / ".run-abcd1234.part.json").write_text("{")  # a file that it was writing
    (folder / "kept").write_text("kept")
    other.mkdir()  # that of a writer of the folder run-2
    with writer(folder) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        begun = [name for name in names(tmp_path) if name.endswith(".part")]
        assert len(begun) == 2 and ".run.lobjax-lock" in names(tmp_path)
    with locks.held(folder):
        assert names(folder) == ["kept"]
    assert names(tmp_path) == [other.name, "run"]


def test_one_who_waits_says_so_once_and_has_its_turn(tmp_path):
    with writer(tmp_path / "run") as process:
        waiting = start(WAIT, tmp_path / "run")
        assert waiting.stderr is not None and process.stdin is not None
        assert f"in use by process {process.pid} since" in waiting.stderr.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        out, more = waiting.communicate()
        assert (waiting.returncode, out, more) == (0, "mine\n", "")
    assert names(tmp_path) == []


def test_a_folder_that_is_removed_while_it_is_written_is_still_in_use(tmp_path):
    (tmp_path / "run").mkdir()
    with writer(tmp_path / "run"):
        (tmp_path / "run").rmdir()
        with pytest.raises(InputError, match="in use"), locks.held(tmp_path / "run"):
            pass


def test_the_lock_of_a_folder_whose_parent_was_removed_is_not_anothers_to_remove(tmp_path):
    folder = tmp_path / "runs" / "a"
    with locks.held(folder):
        (tmp_path / "runs" / ".a.lobjax-lock").unlink()
        with locks.held(folder):  # nothing can be known of the first one any more
            assert names(tmp_path / "runs") == [".a.lobjax-lock"]


def test_parents_are_made_and_go_again_where_nothing_came_of_it(tmp_path):
    with pytest.raises(InputError, match="bad"), locks.held(tmp_path / "a" / "b" / "c"):
        raise InputError("bad")
    assert names(tmp_path) == []
    with locks.held(tmp_path / "a" / "b" / "c"), whole_file(tmp_path / "a" / "b" / "c" / "file") as temporary:
        temporary.write_text("x")
    assert names(tmp_path / "a" / "b") == ["c"]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_locks_that_is_said_once(tmp_path, monkeypatch, capsys, code):
    def flock(descriptor, kind):
        if kind != locks.fcntl.LOCK_UN:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    (tmp_path / ".run-abcd1234.part").mkdir()
    for _ in range(2):
        with locks.held(tmp_path / "run"):
            pass
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"knows no locks ({os.strerror(code)})" in said
    assert names(tmp_path) == [".run-abcd1234.part"], "it may be somebody's who writes now"


def test_without_flock_the_module_is_imported_and_folders_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locks, "fcntl", None)
    with locks.held(tmp_path / "run"):
        pass
    assert not locks.wait_for_writer(tmp_path / "run") and "no flock" in capsys.readouterr().err
    hide = "import sys; sys.modules['fcntl'] = None; import lobjax.locks; print(lobjax.locks.fcntl)"
    assert subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True).stdout == "None\n"


def test_a_lock_lies_inside_where_nothing_can_be_written_beside(tmp_path, monkeypatch):
    """As beside a folder that is mounted into a container; root may write anywhere, so the refusal is the test's."""
    folder, opened = tmp_path / "run", os.open
    folder.mkdir()

    def refuses(path, *arguments, **rest):
        if Path(path) == tmp_path / ".run.lobjax-lock":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **rest)

    monkeypatch.setattr(os, "open", refuses)
    with locks.held(folder):
        assert names(folder) == [".lobjax-lock"] and locks.is_free(folder)
        with pytest.raises(InputError, match=f"process {os.getpid()} since"), locks.held(folder):
            pass
    assert names(folder) == []
    folder.rmdir()
    with pytest.raises(PermissionError), locks.held(folder):
        pass


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b'{"pid": 1e400}', b'{"pid": "\x1b[2J"}', b"[" * 10**5])
def test_a_lock_whose_file_says_nothing_still_holds(tmp_path, damage):
    with writer(tmp_path / "run"):
        (tmp_path / ".run.lobjax-lock").write_bytes(damage)
        with pytest.raises(InputError, match="in use by another process"), locks.held(tmp_path / "run"):
            pass


def test_names_that_no_folder_can_have_are_one_line(tmp_path):
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "file").write_text("")
    for name in ("x" * 300, "a\0b", "round", "file/out"):
        with pytest.raises(InputError) as refused, locks.held(tmp_path / name):
            pass
        assert "cannot be a folder" in str(refused.value) and "\n" not in str(refused.value)
    with locks.held(tmp_path / ("y" * 255)), whole_folder(tmp_path / ("y" * 255)) as temporary:
        (temporary / "a").write_text("")
    assert names(tmp_path) == ["file", "round", "y" * 255]
    (tmp_path / ".run.lobjax-lock").symlink_to(tmp_path / "file")
    with pytest.raises(InputError, match="cannot be a lock"), locks.held(tmp_path / "run"):
        pass


def test_a_folder_is_replaced_whole_and_put_back_where_that_fails(tmp_path, monkeypatch):
    import lobjax.files as files

    def write(text):
        with whole_folder(tmp_path / "day", replace=True) as temporary:
            (temporary / "a").write_text(text)

    write("1")
    write("2")
    assert (tmp_path / "day" / "a").read_text() == "2" and names(tmp_path) == ["day"]
    monkeypatch.setattr(files, "_exchanged", lambda a, b: False)
    write("3")
    assert (tmp_path / "day" / "a").read_text() == "3" and names(tmp_path) == ["day"]
    renamed = Path.rename

    def fails(self, target):
        if self.name.endswith(".part"):
            raise OSError(errno.EIO, "Input/output error")
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="Input/output"):
        write("4")
    assert (tmp_path / "day" / "a").read_text() == "3" and names(tmp_path) == ["day"]


def test_a_folder_that_was_filled_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(InputError, match="put there meanwhile"), whole_folder(tmp_path / "out"):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_text("years of work")
    assert (tmp_path / "out" / "mine").exists() and names(tmp_path) == ["out"]


def test_lines_of_several_processes_are_not_mixed(tmp_path):
    code = """
import sys
from lobjax import locks
for _ in range(50):
    with open(sys.argv[1], "a") as file:
        locks.alone_on(file)
        file.write(sys.argv[2] * 9_000)
        file.flush()
        file.write("\\n")
"""
    for process in [start(code, tmp_path / "lines", letter) for letter in "ab"]:
        assert process.communicate()[1] == "" and process.returncode == 0
    lines = (tmp_path / "lines").read_text().splitlines()
    assert len(lines) == 100 and all(line in ("a" * 9_000, "b" * 9_000) for line in lines)
