"""The mutation run sees every way in which an operation can go wrong, and takes nothing healthy for wrong."""

import argparse
import json
import subprocess
import sys
from dataclasses import replace

import pytest

import mutations
from conftest import ROOT
from kexport import verify
from kexport.bundle import Bundle
from kexport.errors import KexportError
from kexport.runtimes.soundness import require_sound_tflite
from mutation_cases import _bases, _mutation, _operations, _page, _tflite_operators

#: Operations that do what none may do, in place of `load`; run in a process of its own, which forks.
PLANTED = """
import json, os, pickle, signal, sys, time
from dataclasses import replace
from pathlib import Path

import kexport
import mutations
from mutation_cases import _children, _mutation, _npy, _operations

class Break:
    def raises(mutation, folder): {}["x"]
    def hangs(mutation, folder): time.sleep(60)
    def dies(mutation, folder): os.kill(os.getpid(), signal.SIGSEGV)
    def takes_memory(mutation, folder): bytearray(b"x") * (1200 << 20)
    def writes(mutation, folder): (folder.parent.parent / "watched" / "new").write_text("x")
    def writes_far_away(mutation, folder): os.mkdir(sys.argv[1] + "/new")
    def runs_code(mutation, folder): pickle.loads(pickle.dumps(_npy._Canary()))
    def escapes(mutation, folder): return _operations._refusal("a \\x1b[31mred name", "BundleError")[0]
    def accepts_another_signature(mutation, folder):
        inputs = mutation.base.signature.inputs
        other = replace(mutation.base.signature, inputs=tuple(replace(each, name="other") for each in inputs))
        _operations._require_same_signature(replace(mutation, kind="manifest"), other)
        return "served"
    def refuses(mutation, folder): raise kexport.KexportError("no")
    def serves(mutation, folder): return "served"

sys.argv[2:] = []
work = Path(sys.argv.pop(1))
sys.argv += ["--work", str(work / "run"), "--limit", "3", "--only", "^tflite$"]
options = mutations.command_line()
options.limit = 3
run = mutations.Run(options, work / "run")
sys.argv.append(str(work))
sys.argv[1] = str(work)
mutation = next(each for each in run.draw(range(100)) if each.operation == "load" and not each.stale)
found = {}
for name, planted in vars(Break).items():
    if not name.startswith("_"):
        _operations._OPERATIONS["load"] = planted
        (outcome,) = _children.run([mutation], run.folder, options.limit)
        found[name] = outcome.verdict
_operations._OPERATIONS["load"] = Break.serves
(outcome,) = _children.run([replace(mutation, stale=True)], run.folder, options.limit)
found["accepts_a_wrong_digest"] = outcome.verdict
company = [replace(mutation, number=number) for number in range(5)]
_operations._OPERATIONS["load"] = lambda m, f: Break.dies(m, f) if m.number == 2 else "served"
found["company"] = [each.verdict for each in _children.run(company, run.folder, options.limit)]
print(json.dumps(found))
"""


def test_everything_that_goes_wrong_is_seen(tmp_path):
    command = [sys.executable, "-c", PLANTED, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT / "scripts")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "raises": "raw",
        "hangs": "hang",
        "dies": "died",
        "takes_memory": "memory",
        "writes": "wrote",
        "writes_far_away": "wrote",
        "runs_code": "ran",
        "escapes": "wrong",
        "accepts_another_signature": "wrong",
        "refuses": "refused",
        "serves": "served",
        "accepts_a_wrong_digest": "wrong",
        "company": ["served", "served", "died", "served", "served"],
    }


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    return _bases.every(tmp_path_factory.mktemp("bases"))


def drawn(bases, kind, **wanted):
    """The first mutation like that."""
    mutations = (_mutation.draw(bases, 1, number, [kind]) for number in range(10_000))
    return next(m for m in mutations if all(getattr(m, key) == value for key, value in wanted.items()))


def test_every_kind_of_file_and_every_operation_is_drawn(bases):
    mutations = [_mutation.draw(bases, 1, number) for number in range(5000)]
    assert {each.kind for each in mutations} == set(_mutation.KINDS)
    assert {each.operation for each in mutations} == set(_mutation.OPERATIONS)
    assert any(each.stale for each in mutations)


def test_seed_and_number_name_a_mutation(bases):
    for number in range(60):
        one, other = (_mutation.files_of(_mutation.draw(bases, 1, number)) for _ in range(2))
        assert one == other
    assert _mutation.draw(bases, 1, 7) != _mutation.draw(bases, 2, 7)


@pytest.mark.parametrize("kind", ["onnx", "tflite", "keras", "saved_model", "external"])
def test_a_changed_artifact_reaches_its_parser(bases, tmp_path, kind):
    mutation = drawn(bases, kind=kind, stale=False)
    files, _ = _mutation.files_of(mutation)
    assert files[mutation.path] != mutation.base.files[mutation.path]
    _operations.write(files, tmp_path / "bundle", tmp_path)
    bundle = Bundle.open(tmp_path / "bundle")
    for artifact in bundle.manifest.artifacts:
        bundle.checked_path(artifact)


@pytest.mark.filterwarnings("ignore:.*is served from a process of its own")
@pytest.mark.parametrize("kind", _mutation.OPERATORS)
def test_a_file_of_one_operator_is_loaded_and_called_as_a_bundle(bases, tmp_path, kind):
    verdicts = []
    for number in range(12):
        mutation = replace(drawn(bases, kind=kind), number=number, edits=0, runtime="")
        files, _ = _mutation.files_of(mutation)
        _operations.write(files, tmp_path / str(number), tmp_path)
        runtime = "onnxruntime" if kind == "onnx_operator" else "litert"
        verdicts.append(_operations.judged(replace(mutation, runtime=runtime), files, tmp_path / str(number))[0])
    assert set(verdicts) <= {"served", "refused"}
    assert verdicts.count("served") > 6


def test_every_template_of_a_tflite_operator_is_sound(tmp_path):
    for name, content in _tflite_operators.templates():
        (tmp_path / f"{name}.tflite").write_bytes(content)
        require_sound_tflite(tmp_path / f"{name}.tflite")


def test_a_stale_digest_is_noticed(bases, tmp_path):
    mutation = drawn(bases, kind="onnx", stale=True)
    _operations.write(_mutation.files_of(mutation)[0], tmp_path / "bundle", tmp_path)
    bundle = Bundle.open(tmp_path / "bundle")
    with pytest.raises(KexportError):
        bundle.checked_path(bundle.artifacts_of("onnx")[0])


def test_the_healthy_bundle_is_restored(bases, tmp_path):
    for kind in ("folder", "manifest", "witness", "input"):
        mutation = drawn(bases, kind=kind)
        folder = tmp_path / kind
        _operations.write(dict(mutation.base.files), folder, tmp_path)
        with _operations.in_place(_mutation.files_of(mutation)[0], mutation.base, folder, tmp_path):
            pass
        assert _bases.read(folder).files == mutation.base.files


@pytest.mark.parametrize("operation", ["load", "run", "inspect", "goldens", "witnesses"])
def test_nothing_healthy_is_refused(bases, tmp_path, operation):
    for base in bases:
        mutation = drawn([base], kind="manifest", operation="load", runtime="onnxruntime")
        mutation = type(mutation)(**{**vars(mutation), "operation": operation, "path": "input.npz"})
        files = {**base.files, **{f"../{name}": content for name, content in base.tables.items()}}
        _operations.write(files, tmp_path / base.name, tmp_path)
        verdict, told = _operations.judged(mutation, files, tmp_path / base.name)
        assert verdict == "served", told


def test_the_bundles_to_change_are_right_themselves(bases, tmp_path):
    for base in bases:
        _operations.write(dict(base.files), tmp_path / base.name, tmp_path)
        report = verify(tmp_path / base.name, ["onnxruntime", "litert"])
        assert report.passed, report


def test_what_was_cured_is_counted_anew(tmp_path, bases):
    options = argparse.Namespace(seed=1, only="", operation="", bases=None, jobs=0, limit=20)
    run = mutations.Run(options, tmp_path)
    (mutation,) = run.draw([3])
    run.counts[mutation.kind, mutation.operation, "refused"] = 1
    name = f"{mutation.kind} {mutation.operation}"
    before = {
        "failed": {"3": "raw"},
        "table": {"rows": {name: {"raw": 1, "refused": 4}}, "run": {"seed": 1, "count": 5, "cured": 0}},
    }
    table = run.corrected(before)
    assert table["rows"] == {name: {"raw": 0, "refused": 5}}
    assert table["run"]["cured"] == 1
    assert not table["failures"]


def test_the_page_is_made_of_the_table():
    table = json.loads((ROOT / "docs" / "mutations.json").read_text())
    assert (ROOT / "docs" / "mutations.md").read_text() == _page.page(table)
    totals = {
        fate: sum(row.get(fate, 0) for row in table["rows"].values()) for fate in ("raw", "wrong", "wrote", "ran")
    }
    assert not any(totals.values()), totals
    # A loop without an end, and a size that only a call has, cannot be read from a file.
    assert all(name.split()[0].endswith("_operator") for name in table["failures"]), sorted(table["failures"])
    assert sum(row.get("died", 0) for row in table["rows"].values()) <= 1e-4 * table["run"]["count"]
    assert set(table["rows"]) >= {f"{kind} {op}" for kind in ("onnx", "tflite") for op in ("load", "verify", "compare")}
