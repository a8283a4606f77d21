"""Places that are not a tidy desk: streams that are closed or full, odd names for --out, code that ends the process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from conftest import REFERENCE
from kexport import cleanup
from kexport.bundle import store
from kexport.bundle.data_files import writer_for
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import KexportError, UsageError
from kexport.user_code import run_imports
from kexport.visible import visible

RUN = f"{sys.executable} -m kexport run {{}} --input {{}}"
INSPECT = f"{sys.executable} -m kexport inspect {REFERENCE / 'lowpass'}"


def shell(command, **options):
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, errors="replace", timeout=120, check=False, **options
    )


def test_output_that_cannot_be_written_is_an_error_and_a_reader_that_goes_away_is_none():
    for target, why in (("/dev/full", "No space left"), ("&-", "closed")):
        done = shell(f"{INSPECT} >{target}")
        assert done.returncode == 2
        assert "standard output cannot be written" in done.stderr
        assert why in done.stderr
        assert "Traceback" not in done.stderr
    for target in ("/dev/full", "&-"):
        assert shell(f"{INSPECT} 2>{target}").returncode == 0
    gone = shell(f"{INSPECT} | true; echo ${{PIPESTATUS[0]}}")
    assert (gone.stdout, gone.stderr) == ("0\n", "")


def test_files_in_the_current_folder_shadow_no_package(tmp_path):
    for name in ("click", "rich", "numpy", "json", "process", "errors", "onnxruntime"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(77)")
    done = shell(f"{sys.executable} -m kexport verify {REFERENCE / 'lowpass'} --runtime onnxruntime", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_another_encoding_and_a_removed_folder_are_no_obstacle(tmp_path):
    place = tmp_path / "\u00fcn\u00ef"
    place.mkdir()
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(f"cp -r {REFERENCE / 'lowpass'} '{place}/b'; {sys.executable} -m kexport verify '{place}/b' "
                 "--runtime onnxruntime", env=plain)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (tmp_path / "x.csv").write_text("1,2,3\n")
    run = RUN.format(REFERENCE / "lowpass", tmp_path / "x.csv")
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; {INSPECT} && {run}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    build = f"{sys.executable} -m kexport build --model scaled --formats onnx --out"
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; {build} '{tmp_path / 'built'}'", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; {build} built", cwd=tmp_path)
    assert done.returncode == 2
    assert "the current folder has been removed: change to another one" in done.stderr


@pytest.mark.parametrize("end", ["sys.exit(0)", "os._exit(0)", "raise KeyboardInterrupt", "raise GeneratorExit",
                                 "sys.stdout.close(); os.close(1); os.close(2); sys.exit()", "input()"])  # fmt: skip
def test_code_that_ends_the_process_is_an_error_of_the_command(tmp_path, end):
    """In a command that runs the file without importing TensorFlow: the boundary is the same for all."""
    (tmp_path / "ends.py").write_text(f"import os, sys\nos.chdir('/')\n{end}\n")
    command = (
        "import sys; from kexport.cli import _boundary, _group, cmd_list; from kexport.user_code import run_imports\n"
        "import click\n"
        "@click.command('ends')\n"
        "def ends():\n"
        "    with _boundary.quiet_libraries():\n"
        "        run_imports(['ends.py'])\n"
        "cmd_list.COMMAND = ends; sys.argv[1:] = ['list']; _boundary.run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "ends.py:3" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_current_folder_is_what_it_was_after_a_users_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moves.py").write_text("import os\nos.chdir('/')\n")
    run_imports(["moves.py"])
    assert Path.cwd() == tmp_path
    (tmp_path / "exits.py").write_text("raise SystemExit(0)\n")
    with pytest.raises(UsageError, match=r"exits\.py:1"):
        run_imports(["exits.py"])


def test_the_current_folder_a_mounted_one_and_odd_names_are_refused_as_a_bundle(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for out in (".", "", "/", "..", "../here", str(tmp_path), "/proc", "a/..", "x" * 300, "a\0b", "\udcff", "\ud800"):
        with pytest.raises(KexportError), store.staging(store.resolved(out)):
            pytest.fail(out)
    with pytest.raises(UsageError, match="too long"), store.staging(store.resolved("x" * 250)):
        pytest.fail("the name of the rejected bundle is too long")
    with store.staging(store.resolved("x" * 240)) as folder:
        assert folder.is_dir()
    assert list((tmp_path / "here").iterdir()) == []


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "manifest.json").write_text("old")
    (tmp_path / "current").symlink_to("v1")
    target = store.resolved(tmp_path / "current")
    with store.staging(target) as folder:
        (folder / "manifest.json").write_text("new")
        store.place(folder, target)
    assert (tmp_path / "v1" / "manifest.json").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "v1"]
    assert (tmp_path / "current").is_symlink()


def test_what_dead_builds_left_is_removed_and_what_others_use_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_exchange", lambda one, other: False)
    dead = [".b.abcdefgh.building", ".b.abcd_fgh.building"]
    others = [".b.x.abcdefgh.building", ".c.abcdefgh.building", ".b.lock2", "b.x"]
    for name in (*dead, *others):
        (tmp_path / name).mkdir()
    old = tmp_path / ".b.ijklmnop.building.old"
    old.mkdir()
    (old / "manifest.json").write_text("between the two renames")
    with store.staging(tmp_path / "b"):
        assert (tmp_path / "b" / "manifest.json").exists()
        left = {path.name for path in tmp_path.iterdir()}
    assert set(others) <= left
    assert not {*dead, old.name} & left


def test_an_interruption_waits_for_the_exchange_and_says_what_it_left(tmp_path):
    waited = []
    with cleanup.undivided():
        assert cleanup.postponed(lambda: waited.append(True))
        assert waited == []
    assert waited == [True]
    with store.staging(tmp_path / "b") as folder:
        assert cleanup.stated() == f"{tmp_path / 'b'} is as it was"
        store.place(folder, tmp_path / "b")
        assert "new bundle is at" in cleanup.stated()


SLEEPER = """
import signal, sys, time
from kexport import cleanup
from kexport.cli import _boundary, cmd_list
import click
@click.command("sleeps")
def sleeps():
    with _boundary.quiet_libraries():
        cleanup.state("b is as it was")
        cleanup.register(lambda: open("undone", "w").close())
        open("ready", "w").close()
        time.sleep(60)
cmd_list.COMMAND = sleeps
sys.argv[1:] = ["list"]
_boundary.run()
"""


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, -15, "terminated")]
)
def test_signals_clean_up_and_tell_the_truth(tmp_path, number, status, word):
    with subprocess.Popen([sys.executable, "-c", SLEEPER], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as command:
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        command.send_signal(number)
        _, said = command.communicate(timeout=60)
    assert (command.returncode, said) == (status, f"{word}: b is as it was\n")
    assert (tmp_path / "undone").exists()


def test_what_a_terminal_would_obey_is_shown(reference):
    assert visible("a\x1b[31mb\r\x07\u202e\u2028\udc80\x9b\tc\n") == (
        "a\\x1b[31mb\\r\\x07\\u202e\\u2028\\udc80\\x9b\tc\n"
    )
    assert "\x1b" not in str(KexportError("\x1b[2J", got="\x1b[31m"))
    manifest = reference / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"name": "lowpass"', '"name": "low\\u001b]0;\\u0007[red]pass"'))
    done = shell(f"{sys.executable} -m kexport inspect {reference}")
    assert "\x1b" not in done.stdout + done.stderr
    assert "low\\x1b]0;\\x07[red]pass" in done.stdout + done.stderr


def test_outputs_of_any_name_are_written_whole_or_not_at_all(tmp_path):
    outputs = {"file": np.ones(2, "float32"), "allow_pickle": np.zeros(1, "int64")}
    signature = Signature((), tuple(TensorSpec(name, str(a.dtype), a.shape) for name, a in outputs.items()))
    writer_for(str(tmp_path / "y.npz"), signature)(outputs, sys.stdout)
    with np.load(tmp_path / "y.npz") as stored:
        assert {name: stored[name].tolist() for name in stored.files} == {"file": [1, 1], "allow_pickle": [0]}
    (tmp_path / "link.npz").symlink_to("y.npz")
    writer_for(str(tmp_path / "link.npz"), signature)(outputs, sys.stdout)
    assert (tmp_path / "link.npz").is_symlink()
    with pytest.raises(AttributeError):
        writer_for(str(tmp_path / "y.npz"), signature)({"file": np.ones(2), "y": None}, sys.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.npz", "y.npz"]


def test_where_no_process_can_be_started_nothing_was_checked(tmp_path):
    np.savetxt(tmp_path / "x.csv", np.ones((1, 64)), "%d", ",")
    done = shell(f"ulimit -n 12; {RUN.format(REFERENCE / 'lowpass', tmp_path / 'x.csv')}")
    assert done.returncode == 3, done.stderr
    assert "raise the limits of open files" in done.stderr


@pytest.mark.parametrize("runtime", ["onnxruntime", "litert"])
def test_a_path_that_no_runtime_can_open_is_not_checked_and_named(runtime, tmp_path):
    shutil.copytree(REFERENCE / "lowpass", tmp_path / os.fsdecode(b"b\xff"))
    np.savetxt(tmp_path / "x.csv", np.ones((1, 64)), "%d", ",")
    done = shell(f"{RUN.format('b*', 'x.csv')} --runtime {runtime}", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "no runtime opens a path that is not UTF-8" in done.stderr


STUCK = """
import sys, tensorflow as tf
from kexport import cleanup
from kexport.cli import _boundary, cmd_list
import click
@click.command()
def sticks():
    with _boundary.quiet_libraries():
        cleanup.state("b is as it was")
        cleanup.register(lambda: open("undone", "w").close())
        _boundary.heed_in_native_code()
        loop = tf.function(lambda x: tf.while_loop(lambda y: y >= 0, lambda y: [tf.abs(y)], [x])[0])
        open("ready", "w").close()
        loop(tf.constant(1.0))
cmd_list.COMMAND = sticks
sys.argv[1:] = ["list"]
_boundary.run()
"""


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_signals_end_a_model_that_never_ends(tmp_path, number, status, word):
    with subprocess.Popen([sys.executable, "-c", STUCK], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as command:
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        time.sleep(2)
        command.send_signal(number)
        try:
            _, said = command.communicate(timeout=20)
        finally:
            command.kill()
    assert command.returncode == status
    assert said.endswith(f"{word}: b is as it was\n")
    assert (tmp_path / "undone").exists()


def test_signals_of_a_process_that_has_handlers_of_its_own_are_left_to_these():
    code = (
        "import os, signal, time\n"
        "from kexport.cli import _boundary\n"
        "_boundary.heed_in_native_code()\n"
        "signal.signal(signal.SIGINT, lambda number, frame: print('mine', flush=True))\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "time.sleep(5)\n"
        "print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "mine\nalive\n"), done.stderr
