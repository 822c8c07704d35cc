"""A wheel of lobjax alone, in an environment and a folder of its own: it trains, loads the agent, and shows how far it is.

The packages that lobjax stands on are those of this environment, found by a path; lobjax itself is the wheel's.
"""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from lobjax.policy import load_policy
from tests.compiling import FLAGS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "train_in_python.py"
SHORT = ("n_envs=16", "total_steps=1600", "evaluation.episodes=0", "env.market.engine=xla", "compile=quick")
LIMIT_S = 400


def run(command: list, **rest) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S, **rest)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """The source archive of a fresh clone, and the wheel built from that archive."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    folder = tmp_path_factory.mktemp("build")
    for name in run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).split("\0"):
        if name and os.path.lexists(ROOT / name):
            (folder / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / "clone" / name, follow_symlinks=False)
    run([sys.executable, "-m", "build", "--outdir", folder, folder / "clone"])
    (archive,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return {"archive": archive, "wheel": wheel}


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The Python of an empty environment with the wheel in it, which finds lobjax's dependencies where this one has them."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--no-deps",
            "--no-index",
            "--quiet",
            built["wheel"],
        ]
    )
    packages = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(EXAMPLE, folder)
    return folder


def surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"XLA_FLAGS": FLAGS, "JAX_PLATFORMS": "cpu", "TERM": "xterm", "COLUMNS": "120"}


def test_it_holds_lobjax_alone_with_the_configurations(built):
    with zipfile.ZipFile(built["wheel"]) as wheel:
        names = wheel.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"lobjax"}
    with tarfile.open(built["archive"]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    ours = {f"lobjax/configs/{path.relative_to(ROOT / 'configs')}" for path in (ROOT / "configs").glob("*/*.yaml")}
    assert len(ours) > 10 and ours <= set(names) and ours <= held
    assert "lobjax/py.typed" in names and any(name.endswith("licenses/LICENSE") for name in names)
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "lobjax").rglob("*.py")}
    assert sources == {name for name in names if name.endswith(".py")}


def test_it_trains_and_loads_with_a_bar_on_a_terminal(installed, elsewhere):
    found = "import lobjax, importlib.util as i; print(lobjax.__file__, [i.find_spec(n) for n in ('train', 'bench', 'backtest')])"
    place, _, commands = run([installed, "-c", found], cwd=elsewhere, env=surroundings()).strip().partition(" ")
    assert Path(place).is_relative_to(installed.parents[1]) and commands == "[None, None, None]"
    ours, theirs = pty.openpty()
    command = [str(word) for word in (installed, EXAMPLE.name, "out", *SHORT)]
    with subprocess.Popen(command, cwd=elsewhere, env=surroundings(), stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # how Linux tells that the other end is closed
                break
            said += part
        process.wait(LIMIT_S)
    os.close(ours)
    text = said.decode()
    assert process.returncode == 0, text[-3000:]
    assert re.search(r"train.*━.*steps/s", text), "a bar"
    assert "execution:" in text and "20 updates, out/curve.png; the agent's first action:" in text
    assert load_policy(elsewhere / "out").config.task == "execution"
    assert (elsewhere / "out" / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((elsewhere / "out" / "run.json").read_text())["command"] == "lobjax.learn.train"


NOTEBOOK = f"""
import lobjax
from lobjax.learn import load_config
run = lobjax.train(load_config("smoke", *{SHORT}))
print(lobjax.__file__, run.folder, len(run.metrics), run.policy.config.task)
"""


def test_it_shows_a_bar_in_a_notebook(installed, elsewhere):
    """Cells run in Jupyter's kernel; a program beside it takes the part of the page."""
    program = elsewhere / "page.py"
    program.write_text(PAGE, encoding="utf-8")
    heard = json.loads(run([sys.executable, program, installed], cwd=elsewhere, env=surroundings(), input=NOTEBOOK))
    assert heard["status"] == "ok", heard["error"]
    place, *rest = heard["stdout"].split()
    assert Path(place).is_relative_to(installed.parents[1]) and rest == ["None", "20", "execution"]
    assert "application/vnd.jupyter.widget-view+json" in heard["shown"], "a widget, which the bar is drawn in"
    assert re.search(r"train.*━", heard["html"]), "a bar"


PAGE = """
import json, sys
from jupyter_client.manager import KernelManager

manager = KernelManager()
manager.kernel_spec.argv[:] = [sys.argv[1], "-m", "ipykernel_launcher", "-f", "{connection_file}"]
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=120)
heard = {"status": None, "error": "", "stdout": "", "shown": [], "html": ""}

def hear(message):
    content = message["content"]
    if message["msg_type"] == "stream" and content["name"] == "stdout":
        heard["stdout"] += content["text"]
    elif message["msg_type"] == "display_data":
        heard["shown"] += list(content["data"])
        heard["html"] += content["data"].get("text/html", "")

answer = client.execute_interactive(sys.stdin.read(), output_hook=hear, timeout=300)["content"]
heard["status"], heard["error"] = answer["status"], "\\n".join(answer.get("traceback", []))
client.stop_channels()
manager.shutdown_kernel(now=True)
print(json.dumps(heard))
"""
