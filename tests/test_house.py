"""The shape of the code, held by figures: import circles, private names, widths, sizes and names."""

import ast
import collections
import functools
import re
import statistics
import sys
import threading
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

from conftest import REFERENCE, ROOT
from kexport import runtimes, verify
from kexport.bundle import Bundle
from kexport.field.trust import NO_TRUST
from kexport.field.verification.runtime_checks import RuntimeChecks
from kexport.parity.strictness import DERIVED

SOURCE = ROOT / "exporter" / "kexport"
#: What users call by these names keeps its keyword arguments, however many they are.
PUBLIC = {"build", "verify", "compare", "load", "assert_parity"}
#: Words that end as gerunds do and are nouns of the field.
NOUNS = {"naming", "loading", "conditioning", "testing", "recording", "rounding", "lowering"}
MOST_PARAMETERS, MOST_ARGUMENTS, WIDE_CALLS = 7, 7, 5
LONGEST_FILE, LONGEST_FUNCTION, MEDIAN_FILE = 300, 60, 80
MOST_ANY = 600
MOST_MODULES_ON_THE_WAY = 23


def module_of(path):
    parts = ("kexport", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def trees():
    return {module_of(path): ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}


@functools.cache
def lines():
    return {module_of(path): len(path.read_text().splitlines()) for path in sorted(SOURCE.rglob("*.py"))}


def imported(tree):
    """The modules and names of kexport that a module imports, at any place and for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kexport":
            for alias in node.names:
                yield node.module, alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "kexport":
                    yield alias.name, ""


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def parameters(function):
    arguments = function.args
    every = chain(arguments.posonlyargs, arguments.args, arguments.kwonlyargs)
    return [each.arg for each in every if each.arg not in ("self", "cls")]


def is_command(function):
    return any("click" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_no_import_runs_in_a_circle():
    known = trees()
    graph = {name: set() for name in known}
    for name, tree in known.items():
        for module, attribute in imported(tree):
            target = f"{module}.{attribute}" if f"{module}.{attribute}" in known else module
            # The package itself offers its public functions to type checkers and imports none of them.
            if target in known and name != target and "kexport" not in (name, target):
                graph[name].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_nobody_imports_what_another_package_keeps_private():
    crossing = []
    for name, tree in trees().items():
        for module, attribute in imported(tree):
            parts = [*module.split("."), attribute]
            private = next((index for index, part in enumerate(parts) if part.startswith("_")), None)
            home = ".".join(parts[:private])
            if private is not None and attribute != "__version__" and not f"{name}.".startswith(f"{home}."):
                crossing.append(f"{name} imports {module}.{attribute}")
    assert crossing == []


def test_no_two_classes_have_one_name():
    homes = collections.defaultdict(list)
    for name, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_modules_are_named_by_nouns():
    names = {part for name in trees() for part in name.split(".")}
    assert sorted(name for name in names if name.endswith("ing") and name.lstrip("_") not in NOUNS) == []


def test_no_function_takes_more_than_a_few_parameters():
    wide = [
        f"{name}.{function.name}"
        for name, tree in trees().items()
        for function in functions(tree)
        if len(parameters(function)) > MOST_PARAMETERS and function.name not in PUBLIC and not is_command(function)
    ]
    assert wide == []


def test_hardly_any_call_gives_more_than_a_few_arguments():
    wide = [
        f"{name}:{node.lineno}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and len(node.args) + len(node.keywords) > MOST_ARGUMENTS
    ]
    assert len(wide) <= WIDE_CALLS, wide


def test_what_trust_is_made_of_travels_as_trust():
    pairs = [
        f"{name}.{function.name}"
        for name, tree in trees().items()
        for function in functions(tree)
        if {"imports", "allow_lambda"} <= set(parameters(function)) and function.name not in PUBLIC
    ]
    assert pairs == []


def test_files_and_functions_are_short():
    assert {name: count for name, count in lines().items() if count > LONGEST_FILE} == {}
    assert statistics.median(lines().values()) <= MEDIAN_FILE
    long = {
        f"{name}.{function.name}": function.end_lineno - function.lineno + 1
        for name, tree in trees().items()
        for function in functions(tree)
        if function.end_lineno - function.lineno + 1 > LONGEST_FUNCTION and function.name not in PUBLIC
    }
    assert long == {}


def test_types_are_said_and_seldom_any():
    uses = [len(re.findall(r"\bAny\b", path.read_text())) for path in SOURCE.rglob("*.py")]
    assert sum(uses) < MOST_ANY


def test_the_bundle_of_a_verification_passes_through_few_modules():
    """The path, whatever lies below it, and the bundle opened from it, as arguments of any call in this process."""
    path, modules = REFERENCE / "lowpass", set()

    def note(frame, event, argument):
        name, code = frame.f_globals.get("__name__", ""), frame.f_code
        if event != "call" or not name.startswith("kexport."):
            return
        for parameter in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            value = frame.f_locals.get(parameter)
            below = isinstance(value, str | Path) and str(value).startswith(str(path))
            if below or isinstance(value, Bundle):
                modules.add(name)

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        report = verify(path, ["onnxruntime", "litert"], search="100")
        runtime_checks = RuntimeChecks(Bundle.open(path), NO_TRUST, DERIVED)  # what a worker process does
        checks = list(runtime_checks.here(runtimes.get("onnxruntime")))
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    assert report.passed
    assert checks
    assert len(modules) <= MOST_MODULES_ON_THE_WAY, sorted(modules)
