"""What the build says of one model, before any format is written."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from kexport.errors import KexportError
from kexport.factory.diagnosis import diagnose, traced
from kexport.factory.inputs import resolve_domains

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Judgement:
    """What was said of a model.

    Attributes:
        outcome: `failed`, `note` or `passed`; `error` where it was refused.
        text: what was said.
    """

    outcome: str
    text: str


@dataclass(frozen=True)
class Case:
    """One file of the corpus."""

    path: Path
    module: ModuleType

    @property
    def line(self) -> int | None:
        """The line that is at fault; None where no single one is."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return next((number for number, line in enumerate(lines, 1) if "# at fault" in line), None)

    def missing(self, judgement: Judgement) -> list[str]:
        """What should have been said and was not."""
        wanted = [repr(self.module.LAYER), self.module.WORDS]
        wanted += [f"{self.path.name}:{self.line}"] if self.line else []
        missing = [words for words in wanted if words not in judgement.text]
        return missing + [self.module.OUTCOME] * (judgement.outcome != self.module.OUTCOME)


def names() -> list[str]:
    """The names of the cases."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def case(name: str) -> Case:
    """Run the file of that name."""
    path = FOLDER / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_model_case_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return Case(path, module)


def judgement(model: object) -> Judgement:
    """Judge a model on its default domains."""
    try:
        program = traced(model, {})  # type: ignore[arg-type]
        found = diagnose(program, resolve_domains(program, {}).domains)
    except KexportError as error:
        return Judgement("error", str(error))
    failed = [check for check in found.checks if not check.passed]
    text = "\n".join([*(str(fact) for check in found.checks for fact in check.facts), *found.notes])
    return Judgement("failed" if failed else "note" if found.notes else "passed", text)
