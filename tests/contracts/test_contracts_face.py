"""The public face of kexport.contracts: what it names is there, and a type checker sees it."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from kexport import contracts, registry

FACE = Path(contracts.__file__)
TYPED = {
    alias.name
    for node in ast.walk(ast.parse(FACE.read_text()))
    if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kexport.contracts.")
    for alias in node.names
}


def test_every_kind_of_the_folder_has_a_public_name():
    classes = {registry.get("contracts", name, type, "CONTRACT").__name__ for name in registry.names("contracts")}
    assert classes <= set(contracts.__all__)


def test_what_a_type_checker_sees_is_what_there_is():
    assert set(contracts.__all__) == TYPED
    assert set(contracts.__all__) <= set(dir(contracts))


@pytest.mark.parametrize("name", contracts.__all__)
def test_a_public_name_is_the_object_of_its_module(name):
    each = getattr(contracts, name)
    if inspect.isclass(each) or inspect.isfunction(each):
        assert each is getattr(importlib.import_module(each.__module__), name)


def test_a_kind_is_imported_without_the_others():
    code = (
        "import sys\nfrom kexport.contracts import Bounded\n"
        "assert 'kexport.contracts.low_pass' not in sys.modules\n"
        "import kexport.contracts\n"
        "try: kexport.contracts.Unbounded\n"
        "except AttributeError: pass\n"
        "else: raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_type_checker_sees_classes_and_accepts_a_kind_of_ones_own(tmp_path):
    (tmp_path / "snippet.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\nimport kexport.contracts\n"
        "from kexport.contracts import Contract, Effort, Function, Measured, Slack, Verdict, hunt, register\n"
        "from kexport.parity.space import Population, Space\n\n\n"
        "@register\n@dataclass(frozen=True)\nclass Below:\n"
        "    level: float\n    kind: ClassVar[str] = 'below'\n\n"
        "    def words(self) -> str:\n        return f'is below {self.level:g}'\n\n"
        "    def check(self, model: Function, domain: Space, tolerance: Slack, effort: Effort) -> Verdict:\n"
        "        def measure(population: Population) -> Measured:\n"
        "            values = model(population)\n"
        "            return Measured(values.max(axis=1) - self.level, tolerance.of(model.outputs[0], values))\n\n"
        "        return hunt(measure, domain, tolerance.epsilon, effort, unit='above')\n\n\n"
        "contracts: list[Contract] = [\n"
        "    Below(2.0), kexport.contracts.Bounded(0, 1), kexport.contracts.LowPass(1, 2, 1, 40)\n]\n"
        + "".join(f"reveal_type(kexport.contracts.{name})\n" for name in contracts.__all__)
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", f"--cache-dir={tmp_path}",
         tmp_path / "snippet.py"],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    revealed = [line for line in done.stdout.splitlines() if "Revealed type" in line]
    assert len(revealed) == len(contracts.__all__)
    for name, line in zip(contracts.__all__, revealed, strict=True):
        assert '"Any"' not in line, (name, line)
