"""What is built, with which options, and the environments in which the same bytes must come of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_FILE = Path(__file__).with_name("models.py")
#: The options of each build; `{samples}` stands for the path of recorded data.
CASES: dict[str, tuple[str, ...]] = {
    "dense": ("--search", "300", "--contract", "bounded(0, 1)"),
    "convolution": ("--search", "1s"),
    "quantized": ("--precision", "float16,dynamic,int16x8,int8"),
    "branches": (),
    "subclassed": (),
    "own_layer": ("--samples", "{samples}"),
    "preprocessing": ("--formats", "keras,saved_model,onnx"),
    "attention": (),
    "recurrent": (),
    "stateful": ("--formats", "keras,saved_model,tflite"),
    "constraints": (),
    "spectrum": (),
    "lstm": ("--opset", "15"),
    "mobile_net": (),
    "lowpass": ("--set", "kernel_size=9"),
    "regularized": (),
    "scaled": (),
}
_REGISTERED = ("lowpass", "regularized", "scaled")

_ONE_AFTER_ANOTHER = """
import sys
from kexport.cli.cmd_build import COMMAND
for arguments in (["--model", "scaled", "--out", "before"], sys.argv[1:]):
    code = COMMAND.main(arguments, standalone_mode=False)
sys.exit(code)
"""


@dataclass(frozen=True)
class Environment:
    """Where and how a build runs.

    Attributes:
        folder: the name of the folder that it runs in.
        variables: set in its environment.
        umask: the permissions that new files do not get.
        cores: how many it may use.
        command: what precedes the options of the build.
    """

    folder: str
    variables: dict[str, str] = field(default_factory=dict)
    umask: int = 0o022
    cores: int | None = None
    command: tuple[str, ...] = ("-m", "kexport", "build")


ENVIRONMENTS = (
    Environment("first", {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"}),
    Environment("a folder, größer", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"}, umask=0o077, cores=1),
    Environment("other/user", {"USER": "other", "LOGNAME": "other", "HOME": "{folder}", "PYTHONHASHSEED": "3"}),
    Environment("after", {"PYTHONHASHSEED": "4"}, command=("-c", _ONE_AFTER_ANOTHER)),
)


def build(name: str, environment: Environment, within: Path) -> Path:
    """Build a case in an environment; the bundle's folder.

    Raises:
        RuntimeError: the build fails.
    """
    folder = within / environment.folder
    folder.mkdir(parents=True, exist_ok=True)
    samples = folder / "samples.csv"
    np.savetxt(samples, np.random.default_rng(0).uniform(-2, 2, (60, 7)), "%.4f", ",")
    model = name if name in _REGISTERED else f"{_FILE}:{name}"
    options = [option.format(samples=samples) for option in CASES[name]]
    variables = {key: value.format(folder=folder) for key, value in environment.variables.items()}

    def prepare() -> None:
        os.umask(environment.umask)
        if environment.cores is not None:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: environment.cores])

    command = [sys.executable, *environment.command, "--model", model, "--out", name, *options]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=prepare,
    )
    if done.returncode:
        raise RuntimeError(f"{name} cannot be built in {environment.folder!r}:\n{done.stderr[-3000:]}")
    return folder / name
