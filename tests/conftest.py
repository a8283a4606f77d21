"""What the tests share: which are quick, the command line as a user types it, and one built bundle."""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "artifacts" / "reference"

os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "kexport_hypothesis"))
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
for _name in ("COLUMNS", "LINES"):  # readline sets them in a process that starts test processes, which inherit them
    os.environ.pop(_name, None)

Kexport = Callable[..., subprocess.CompletedProcess[str]]

#: The tests that build, search, or start processes that import TensorFlow, by the beginning of their path. All other
#: tests are quick: `pytest -m quick` runs them in less than two minutes.
SLOW = (
    "cli/", "contracts/test_linear_time_invariant.py", "factory/", "field/comparison/", "field/search/test_bundle",
    "field/test_bundles_that_travel.py", "field/verification/", "layers/test_constraint_layers.py",
    "layers/test_layers_in_every_runtime.py", "page/test_page_in_chromium.py", "runtimes/keras_model/test_weights.py",
    "runtimes/test_saved_model_graph.py",
    "scripts/", "test_docs.py", "test_tutorials.py", "test_plugins.py",
    "test_same_bytes.py", "test_wheel.py", "test_workflows.py", "testing/",
)  # fmt: skip
#: These take minutes each, so they start first: no process is left with one of them at the end.
LONGEST = "scripts/test_samples_of_cases.py"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite in two processes, unless `-n` says otherwise; what is named on the command line, in one."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not hasattr(config, "workerinput")
    if whole and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses = 2
        config.option.dist = "worksteal"  # in halves, so that tests which share a bundle stay together


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick, by the rule above, and put the longest tests first."""
    places = {item: item.path.relative_to(ROOT / "tests").as_posix() for item in items}
    for item, place in places.items():
        if not place.startswith(SLOW):
            item.add_marker(pytest.mark.quick)
    items.sort(key=lambda item: places[item] != LONGEST)


def run_kexport(*args: object, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kexport", *map(str, args)]
    options.setdefault("env", dict(os.environ))  # without the COLUMNS that readline sets behind Python's back
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, **options
    )


@pytest.fixture
def kexport(tmp_path: Path) -> Kexport:
    """The command line, in an empty folder."""
    return lambda *args, **options: run_kexport(*args, cwd=options.pop("cwd", tmp_path), **options)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A copy of the reference bundle `lowpass` that a test may damage."""
    return Path(shutil.copytree(REFERENCE / "lowpass", tmp_path / "lowpass"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """`kexport build --model lowpass`, as typed: the folder it ran in, and what it said."""
    folder = tmp_path_factory.mktemp("built")
    return folder, run_kexport("build", "--model", "lowpass", cwd=folder)


#: A layer and a function of a user's own, which need a file beside theirs.
TAB = """
import keras
from tab_scale import SCALE

@keras.saving.register_keras_serializable(package="lab")
class Tab(keras.layers.Layer):
    def call(self, x):
        return x * SCALE

@keras.saving.register_keras_serializable(package="lab")
def act(x):
    return keras.ops.tanh(x)
"""
_NET = """
import keras
from tab import Tab, act

def net():
    x = keras.Input((4,), name="x")
    y = keras.layers.Dense(3, activation=act, kernel_initializer="ones", name="y")(Tab(name="tab")(x))
    return keras.Model(x, y)
"""


@pytest.fixture(scope="session")
def travelling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle `net`, built in another process from `tab.py`, and `code/`, which holds that file."""
    folder = tmp_path_factory.mktemp("travelling")
    code = folder / "code"
    code.mkdir()
    (code / "tab.py").write_text(TAB)
    (code / "tab_scale.py").write_text("SCALE = 2.0\n")
    (folder / "net.py").write_text(_NET)
    options = ("--formats", "keras,onnx", "--out", "net")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(code), os.environ.get("PYTHONPATH", "")])}
    built = run_kexport("build", "--model", "net.py:net", *options, cwd=folder, env=environment)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture
def converted(tmp_path):
    """`converted(function, format, *arrays)`: the outputs in each runtime, and the operators of the file.

    Every axis of the inputs is static but the first; `dynamic=True` makes all of them dynamic.
    """

    def convert(function, format_name, *arrays, dynamic=False):
        import numpy as np
        import tensorflow as tf

        from kexport.bundle.signature import Signature, TensorSpec
        from kexport.factory import formats
        from kexport.factory.emit import handover
        from kexport.factory.trace.program import Program
        from kexport.runtimes import every as every_runtime

        arrays = tuple(map(np.asarray, arrays))
        shapes = [(None,) * a.ndim if dynamic else (None, *a.shape[1:]) for a in arrays]
        inputs = tuple(
            TensorSpec(f"x{i}", a.dtype.name, shape) for i, (a, shape) in enumerate(zip(arrays, shapes, strict=True))
        )
        specs = [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in inputs]
        core = tf.function(lambda *x: tf.nest.flatten(function(*x)), autograph=False).get_concrete_function(*specs)
        outputs = tuple(
            TensorSpec(f"y{i}", t.dtype.name, tuple(t.shape.as_list())) for i, t in enumerate(core.structured_outputs)
        )
        signature = Signature(inputs, outputs)
        folder, target = Path(tempfile.mkdtemp(dir=tmp_path)) / "handover", tmp_path / f"model.{format_name}"
        handover.write(Program(SimpleNamespace(name="test", _flatten_layers=list), None, signature, core), folder)
        module, _, name = formats.get(format_name).converter.partition(":")
        (details,) = getattr(importlib.import_module(module), name)(str(folder), str(target), {})
        results = []
        for runtime in every_runtime():
            if runtime.reads != format_name:
                continue
            session = runtime.open(target, signature)
            results.append(list(session(dict(zip([s.name for s in inputs], arrays, strict=True))).values()))
        return results, set(details["ops"])

    return convert


@pytest.fixture
def exported(tmp_path):
    """`exported(model, format, *arrays)`: the outputs of a Keras model in each runtime, and the file's operators."""

    def export(model, format_name, *arrays):
        from kexport.factory import formats
        from kexport.factory.emit import handover
        from kexport.factory.trace.program import trace
        from kexport.runtimes import every as every_runtime

        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        program = trace(model)
        handover.write(program, folder / "handover")
        target = folder / f"model.{format_name}"
        module, _, name = formats.get(format_name).converter.partition(":")
        (details,) = getattr(importlib.import_module(module), name)(str(folder / "handover"), str(target), {})
        feeds = dict(zip([spec.name for spec in program.signature.inputs], arrays, strict=True))
        runtimes = [runtime for runtime in every_runtime() if runtime.reads == format_name]
        results = [list(runtime.open(target, program.signature)(feeds).values()) for runtime in runtimes]
        return results, details["ops"]

    return export
