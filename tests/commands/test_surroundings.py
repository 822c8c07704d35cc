"""Locales, homes, streams and settings that are not as they should be: a command works, or ends with one line and status 2."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lobjax import caching, streams, surroundings
from lobjax.errors import InputError
from lobjax.exits import exits_cleanly

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "bench" / "records" / "2026-11-21-cpu" / "engine.jsonl"
NOWHERE = "/proc/none"  # where nobody can write, root neither


def ran(words: str, folder: Path, **env: str | None) -> subprocess.CompletedProcess:
    """A shell's words, in which $PY is Python; variables that are None are unset."""
    given = os.environ | {"PYTHONPATH": str(ROOT), "PY": sys.executable, "RECORDS": str(RECORDS)} | env
    given = {name: value for name, value in given.items() if value is not None}
    return subprocess.run(["bash", "-c", words], cwd=folder, env=given, capture_output=True, timeout=120)


def one_line(done: subprocess.CompletedProcess) -> str:
    said = done.stderr.decode().splitlines()
    assert done.returncode == 2 and len(said) == 1 and said[0].startswith("error: "), (done.returncode, said)
    return said[0]


@pytest.fixture(scope="module")
def stream(tmp_path_factory) -> str:
    """The words of a command that compiles nothing but the reference."""
    path = tmp_path_factory.mktemp("stream") / "in.npz"
    ones = np.ones((1, 2), np.int32)
    np.savez(path, kind=ones, side=ones, price=ones, size=ones, order_id=ones * [1, 2], owner=ones * 0)
    return f"$PY -m bench run-stream {path} --capacity 2 --out out.npz --engine"


@pytest.mark.parametrize(
    "env",
    [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}],
    ids=["locale", "encoding"],
)
def test_ascii_streams_take_any_character(env, tmp_path):
    done = ran("$PY -m bench table $RECORDS", tmp_path, **env)
    assert done.returncode == 0 and not done.stderr and rb"\xb7" in done.stdout


@pytest.mark.parametrize(
    "env",
    [{"HOME": NOWHERE}, {"XDG_CACHE_HOME": NOWHERE}, {"NUMBA_CACHE_DIR": NOWHERE}],
    ids=["home", "cache", "numba"],
)
def test_compiled_code_goes_to_a_private_folder_where_it_must(env, tmp_path):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "compiled.py").write_text("from numba import njit\n\n@njit(cache=True)\ndef one():\n    return 1\n")
    clean: dict[str, str | None] = {"XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": None, "TMPDIR": str(tmp_path / "tmp")}
    code = "import lobjax, compiled; lobjax.caching.say(); lobjax.caching.say(); print(compiled.one())"
    done = ran(f"$PY -c '{code}'", tmp_path, **clean | env)
    said = done.stderr.decode().splitlines()
    private = tmp_path / "tmp" / f"lobjax-{os.getuid()}"
    assert done.returncode == 0 and done.stdout == b"1\n" and len(said) == 1, said
    assert NOWHERE in said[0] and said[0].endswith(f"cannot be written: compiled code is kept in {private}")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700 and list(private.glob("numba-*/*/*.nbi"))


def test_help_needs_no_home_and_no_place_for_files(tmp_path):
    clean: dict[str, str | None] = {"NUMBA_CACHE_DIR": None, "XDG_CACHE_HOME": NOWHERE, "TMPDIR": NOWHERE}
    for home in (None, "", NOWHERE):
        done = ran("$PY -m train run --help", tmp_path, HOME=home, **clean)
        assert done.returncode == 0 and not done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_user_without_a_name(tmp_path):
    """A user id that the system has no entry for, and no HOME."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    for folder in (tmp_path, *tmp_path.parents[:3]):  # a worker's folder lies one deeper
        if folder.stat().st_uid == os.getuid() and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o011)
    code = (
        "import os, tempfile, lobjax; from lobjax import caching; del os.environ['NUMBA_CACHE_DIR']; os.setgid(54321); os.setuid(54321); "
        "caching.set_up(); caching.say(); print(os.environ['NUMBA_CACHE_DIR'])"
    )
    clean: dict[str, str | None] = {"HOME": None, "XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": None}
    done = ran(f'$PY -c "{code}"', tmp_path, TMPDIR=str(tmp_path / "tmp"), **clean)
    assert done.returncode == 0 and str(tmp_path / "tmp" / "lobjax-54321") in done.stdout.decode(), done.stderr
    assert done.stderr.decode().startswith("a folder for caches cannot be written: ")


def test_a_folder_that_another_may_write_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    open_to_all = tmp_path / f"lobjax-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    found = caching._private()
    assert found is not None and found != open_to_all and stat.S_IMODE(found.stat().st_mode) == 0o700
    open_to_all.rmdir()
    (tmp_path / "elsewhere").mkdir()
    open_to_all.symlink_to(tmp_path / "elsewhere")
    assert caching._private() != open_to_all


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("$PY -m bench table $RECORDS | sleep 0; exit ${PIPESTATUS[0]}", (0, 141)),
        ("$PY -m train --help | sleep 0; exit ${PIPESTATUS[0]}", (141,)),
        ("$PY -m train --help >&-", (0,)),
        ("$PY -m train nonsense 2>&-", (2,)),
        ("$PY -m train nonsense >&- 2>&- <&-", (2,)),
        ("$PY -m train nonsense 2>/dev/full", (2,)),
        ("COLUMNS=1 $PY -m train run --help", (0,)),
        ("COLUMNS=0 TERM=dumb $PY -m train run --help", (0,)),
        ("$PY -OO -m train run --help", (0,)),
    ],
)
def test_streams_that_are_closed_or_strange(words, status, tmp_path):
    done = ran(words, tmp_path)
    assert done.returncode in status and not done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("$PY -m train --help >/dev/full", "No space left on device"),
        ("$PY -m bench table $RECORDS >/dev/full", "No space left on device"),
        ("mkdir gone; cd gone; rmdir ../gone; $PY -m backtest run --out x", "the working directory is gone"),
        ("$PY -m train run $(printf 'a%.0s' {1..300}).yaml --out x", "too long"),
        ("$PY -m backtest report $(printf 'a\\377')", "'a\\udcff' is no text in utf-8"),
        ("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $PY -m backtest report ä", "set LC_ALL=C.UTF-8"),
    ],
)
def test_what_the_system_refuses_is_one_line(words, said, tmp_path):
    assert said in one_line(ran(words, tmp_path))


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"NUMBA_NUM_THREADS": "0"}, "NUMBA_NUM_THREADS=0: choose a whole number from 1"),
        ({"NUMBA_NUM_THREADS": "-1"}, "choose a whole number from 1"),
        ({"NUMBA_NUM_THREADS": "abc"}, "choose a whole number from 1"),
        ({"NUMBA_NUM_THREADS": "1000000"}, "choose a whole number from 1"),
        ({"NUMBA_THREADING_LAYER": "omq"}, "did you mean 'omp'?"),
        ({"XLA_FLAGS": "--xla_nonsense=1"}, "Unknown flag in XLA_FLAGS"),
        ({"XLA_FLAGS": "--xla_force_host_platform_device_count=abc"}, "Couldn't interpret value abc"),
        ({"XLA_FLAGS": "nonsense"}, "Could not open file"),
    ],
)
def test_a_setting_that_libraries_would_die_of_is_one_line(env, said, monkeypatch):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as error:
        surroundings.check()
    assert said in str(error.value) and "\n" not in str(error.value)


def test_settings_that_are_right_pass(monkeypatch):
    for name, value in {
        "NUMBA_NUM_THREADS": "2",
        "NUMBA_THREADING_LAYER": "omp",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }.items():
        monkeypatch.setenv(name, value)
    surroundings.check()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"JAX_PLATFORMS": "cuda"}, "JAX finds no device"),
        ({"JAX_PLATFORMS": "nonsense"}, "Unable to initialize backend 'nonsense'"),
        ({"JAX_ENABLE_X64": "maybe"}, "invalid truth value 'maybe'"),
        ({"JAX_NUM_CPU_DEVICES": "x"}, 'Invalid value "x" for JAX flag'),
        ({"NUMBA_DISABLE_JIT": "1"}, "NUMBA_DISABLE_JIT is set"),
    ],
)
def test_settings_of_jax_are_one_line(env, said, tmp_path, stream):
    assert said in one_line(ran(f"{stream} host", tmp_path, **env))


def test_a_device_that_is_the_default_and_not_here_is_one_line(tmp_path):
    code = "import jax; from lobjax.exits import exits_cleanly; exits_cleanly(lambda: jax.numpy.zeros(3))()"
    assert "JAX finds no device" in one_line(ran(f"$PY -c '{code}'", tmp_path, JAX_DEFAULT_DEVICE="tpu"))


def test_a_setting_of_matplotlib_is_one_line(tmp_path):
    assert "Matplotlib refuses a setting" in one_line(ran("$PY -m backtest report .", tmp_path, MPLBACKEND="nonsense"))


def test_an_interrupt_is_one_line(tmp_path):
    code = "import time\nfrom lobjax.exits import exits_cleanly\nexits_cleanly(lambda: (print('begun', flush=True), time.sleep(60)))()"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    assert process.stdout and process.stdout.readline() == b"begun\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and said == b"interrupted\n"


def test_an_interrupt_in_a_callback_is_not_lost():
    class Late:
        def __del__(self):
            raise KeyboardInterrupt

    def body():
        late = Late()
        del late
        time.sleep(30)
        raise AssertionError("went on")

    with pytest.raises(SystemExit) as stop:
        exits_cleanly(body)()
    assert stop.value.code == 130


def nested():
    return nested()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 3 TiB"), "memory is not enough (Unable to allocate 3 TiB)"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "cannot write 'x': No space left on device"),
        (OSError(errno.EMFILE, "Too many open files", "x"), "raise ulimit -n"),
        (
            OSError(errno.ELOOP, "Too many levels of symbolic links", "x"),
            "cannot use 'x': Too many levels of symbolic links",
        ),
        (OSError(errno.EIO, "Input/output error"), "the system refuses: Input/output error"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "set TMPDIR"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "save it in UTF-8"),
        (UnicodeEncodeError("ascii", "a\udcff", 1, 2, "not in range"), "choose a name in UTF-8"),
        (ImportError("x.so: failed to map segment from shared object"), "raise ulimit -v"),
        (RuntimeError("can't start new thread"), "no further thread"),
        (RuntimeError("cannot cache function 'f': no locator available for file 'f.py'"), "set NUMBA_CACHE_DIR"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_is_left_over_is_one_line(error, said, capsys):
    def body():
        raise error

    with pytest.raises(SystemExit) as stop:
        exits_cleanly(body)()
    told = capsys.readouterr().err
    assert stop.value.code == 2 and said in told and told.count("\n") == 1


def test_a_recursion_is_one_line_and_a_fault_of_ours_keeps_its_traceback(capsys):
    with pytest.raises(SystemExit):
        exits_cleanly(nested)()
    assert "nested too deeply" in capsys.readouterr().err
    for fault in (ValueError("ours"), KeyError("ours"), RuntimeError("ours"), AssertionError()):

        def body(fault=fault):
            raise fault

        with pytest.raises(type(fault)):
            exits_cleanly(body)()


def test_streams_are_left_as_they_were_where_they_are_others(capsys):
    with streams.prepared():
        print("±")
    assert capsys.readouterr().out == "±\n"
