"""Shared by the measuring scripts: the environment, the tables in docs/ and the pages made from them, and options."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"
PACKAGES = ("keras", "tensorflow-cpu", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert")
Record = dict[str, Any]


def quiet_environment() -> None:
    """Set, before TensorFlow is imported: Keras on TensorFlow, on the CPU, without the libraries' log messages."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """Without what libraries write to standard error, past Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """The installed versions."""
    return {name: importlib.metadata.version(name) for name in packages}


@dataclass(frozen=True)
class Measurements:
    """A table of measurements, `docs/NAME.json`, and the page `docs/NAME.md` made from it.

    Attributes:
        name: the name of both files.
        package: the package of the cases. It is imported late, since most cases import Keras.
    """

    name: str
    package: str

    @property
    def table(self) -> Path:
        """The path of the table."""
        return DOCS / f"{self.name}.json"

    @property
    def page(self) -> Path:
        """The path of the page."""
        return DOCS / f"{self.name}.md"

    def cases(self, module: str = "") -> Any:
        """The package of the cases, or a module of it."""
        return importlib.import_module(f"{self.package}.{module}" if module else self.package)

    def read(self) -> Record:
        """The table, empty where there is none."""
        return dict(json.loads(self.table.read_text(encoding="utf-8"))) if self.table.exists() else {}

    def write(self, table: Mapping[str, Any]) -> None:
        """Write the table, one line per record, and the page."""
        sections = []
        for key, value in table.items():
            text = json.dumps(value)
            if isinstance(value, dict) and all(isinstance(record, dict) for record in value.values()):
                lines = [f"  {json.dumps(name)}: {json.dumps(record)}" for name, record in sorted(value.items())]
                text = "{\n" + ",\n".join(lines) + "\n }"
            sections.append(f" {json.dumps(key)}: {text}")
        self.write_text("{\n" + ",\n".join(sections) + "\n}\n", self.cases("_page").page(table))

    def write_text(self, table: str, page: str) -> None:
        """Write both files as they are given."""
        self.table.write_text(table, encoding="utf-8")
        self.page.write_text(page, encoding="utf-8")
        print(f"written: {self.table} and {self.page}")


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help keeps the lines of the script's docstring."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_options(options: argparse.ArgumentParser, measurements: Measurements, cases: str) -> None:
    """Add the options that the measuring scripts share.

    Args:
        options: the parser.
        measurements: what `--write` writes.
        cases: what `--only` chooses from, as its help says it.
    """
    options.add_argument("--work", metavar="DIR", help="where bundles and records are kept")
    options.add_argument("--only", default="", metavar="REGEX", help=f"{cases} whose name matches")
    options.add_argument("--jobs", type=int, default=1, help="how many run at a time (%(default)s)")
    options.add_argument("--resume", action="store_true", help="keep the results that DIR already holds")
    options.add_argument("--sample", action="store_true", help="the part that the tests run")
    options.add_argument("--write", action="store_true", help=f"write docs/{measurements.name}.json and its page")


def parsed(options: argparse.ArgumentParser, parts: Sequence[str], default: Sequence[str]) -> argparse.Namespace:
    """Parse the command line, `--parts` included: a list in the result.

    Args:
        options: the parser, with the shared options.
        parts: all there are.
        default: those that are run unless others are asked for.
    """
    options.add_argument("--parts", default=",".join(default), help="some of: " + ",".join(parts))
    given = options.parse_args()
    given.parts = given.parts.split(",")
    if unknown := sorted(set(given.parts) - set(parts)):
        options.error(f"unknown parts: {', '.join(unknown)}")
    if not (given.work or given.sample):
        options.error("--work DIR is missing")
    return given
