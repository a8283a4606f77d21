"""Who may import what: the design's first rule, and the direction between the packages."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REFERENCE, ROOT

SOURCE = ROOT / "exporter" / "kexport"
HEAVY = {"tensorflow", "keras", "tf2onnx", "onnx"}
#: Only these may import TensorFlow, Keras, tf2onnx or onnx, and only inside functions.
MAY_IMPORT_HEAVY = (
    "factory/",
    "runtimes/keras.py",
    "runtimes/saved_model.py",
    "runtimes/saved_model_graph/",
    "runtimes/keras_model/",
)
#: Each may import those of a smaller rank, and its own.
RANKS = {
    "code_places": -1, "errors": 0, "cleanup": 0, "confinement": 1, "process": 1, "user_code": 1, "registry": 1,
    "notebook": 1, "argument_types": 1, "python_call": 1, "bundle": 1, "runtimes": 2, "parity": 2, "metrics": 2,
    "contracts": 3, "field": 4, "reports": 4, "page": 5, "factory": 5, "cli": 6, "testing": 6,
}  # fmt: skip


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_run_one_way(path):
    place = path.relative_to(SOURCE).as_posix()
    package = place.split("/")[0].removesuffix(".py")
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top in HEAVY:
            assert place.startswith(MAY_IMPORT_HEAVY), f"{place} imports {name}"
        if top in ("click", "rich"):
            assert package == "cli" or place == "reports/terminal.py", f"{place} imports {name}"
        assert top != "kexport_layers", f"{place} imports {name} by name"
        if top == "kexport" and rest and package in RANKS and rest[0] in RANKS and rest[0] != package:
            assert RANKS[rest[0]] < RANKS[package] or RANKS[package] == RANKS[rest[0]] == 1, f"{place} imports {name}"


def test_no_module_shadows_a_public_function():
    assert not {"build", "load", "verify"} & {path.stem for path in SOURCE.rglob("*.py")}


BLOCKED = """
import importlib.abc, pathlib, sys
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Block())
"""


def run_blocked(code: str, blocked: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(blocked=sorted(blocked)) + code],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_field_half_imports_where_the_factory_packages_are_blocked():
    run_blocked(
        "import importlib, kexport\n"
        f"root = pathlib.Path({str(SOURCE)!r})\n"
        "for path in root.rglob('*.py'):\n"
        "    if '__main__' not in path.name:\n"
        "        importlib.import_module('kexport.' + '.'.join(path.relative_to(root).with_suffix('').parts))\n"
        f"import numpy\nmodel = kexport.load({str(REFERENCE / 'lowpass')!r})\n"
        "assert model.runtime == 'onnxruntime'\nmodel(numpy.zeros((1, 9), 'float32'))\n",
        HEAVY,
    )


def test_library_use_of_the_field_needs_numpy_and_one_runtime_alone():
    for runtime, others in (("onnxruntime", {"ai_edge_litert"}), ("litert", {"onnxruntime"})):
        run_blocked(
            f"import kexport, numpy\nmodel = kexport.load({str(REFERENCE / 'lowpass')!r}, {runtime!r})\n"
            "model(numpy.zeros((1, 9), 'float32'))\n",
            HEAVY | others | {"click", "rich", "scipy"},
        )


def test_every_kind_of_contract_imports_and_checks_with_numpy_alone():
    run_blocked(
        "import importlib, numpy\nfrom kexport import contracts, registry\nfrom kexport.contracts import kinds\n"
        f"for path in (pathlib.Path({str(SOURCE)!r}) / 'contracts').glob('*.py'):\n"
        "    importlib.import_module('kexport.contracts.' + path.stem)\n"
        "assert registry.names('contracts') and all(kinds.get(kind).kind == kind for kind in kinds.names())\n"
        "from kexport.bundle.domain import Uniform\nfrom kexport.bundle.limits import OutputLimit\n"
        "from kexport.bundle.signature import Signature, TensorSpec\nfrom kexport.parity.space import Space\n"
        "x, y = (TensorSpec(name, 'float32', (None, 3)) for name in 'xy')\n"
        "space = Space(Signature((x,), (y,)), {'x': Uniform(-1, 1)}, [{'x': (1, 3)}])\n"
        "slack = contracts.Slack({'y': OutputLimit('y', 1.0, 1e-7, 1e-6, 'exact')}, 1e-7)\n"
        "function = contracts.Function(lambda feeds: {'y': numpy.abs(feeds['x'])}, space, ['x'], ['y'])\n"
        "assert contracts.Bounded(0, 1).check(function, space, slack).passed\n"
        "assert not contracts.Bounded(0.5, 1).check(function, space, slack).passed\n",
        HEAVY | {"click", "rich", "scipy", "matplotlib", "onnxruntime", "ai_edge_litert"},
    )


def test_importing_kexport_imports_neither_click_nor_rich_nor_anything_heavy():
    code = (
        "import sys, kexport\nheavy = {'click', 'rich', 'onnxruntime', 'ai_edge_litert', 'tensorflow', 'keras'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_processes_that_verify_never_import_tensorflow():
    code = (
        "import sys\nfrom kexport.field.trust import NO_TRUST\nfrom kexport.parity.strictness import DERIVED\n"
        "from kexport.field.verification.runtime_checks import serve\n"
        "task = NO_TRUST.to_json(), DERIVED.to_json()\n"
        "for runtime in ('onnxruntime', 'litert', 'litert_reference'):\n"
        f"    checks = list(serve({str(REFERENCE / 'lowpass')!r}, runtime, *task))\n"
        "    assert checks and all(check['passed'] for check in checks), checks\n"
        "assert not {'tensorflow', 'keras', 'onnx', 'tf2onnx'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
