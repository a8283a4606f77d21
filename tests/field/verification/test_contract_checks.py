"""The promises of a bundle, checked on a device: what a failure says, and what is never taken for a pass."""

import json
import shutil

import numpy as np
import pytest

from conftest import REFERENCE
from kexport.bundle import counterexamples, manifest
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.folder import Bundle
from kexport.contracts import EFFORT
from kexport.field.verification import verify
from kexport.field.verification.contract_checks import effort_of, notes
from kexport.parity.budget import Budget

BROKEN = ContractEntry("bounded", {"low": 0, "high": 1}, ("features",), ("scaled_features",), "hidden")
KEPT = ContractEntry("finite", {}, ("features",), ("scaled_features",))
RUNTIMES = ["onnxruntime", "litert"]


@pytest.fixture
def promising(tmp_path):
    """`promising(*promises, **entries)`: a copy of the bundle `scaled` whose manifest has these."""

    def make(*promises, **entries):
        path = tmp_path / "scaled"
        shutil.copytree(REFERENCE / "scaled", path)
        content = json.loads((path / manifest.FILE_NAME).read_text())
        content |= {"contracts": [promised.to_json() for promised in promises], **entries}
        (path / manifest.FILE_NAME).write_text(json.dumps(content))
        return path

    return make


def contracts_in(report):
    return [check for check in report.checks if check.kind == "contract"]


def test_a_broken_promise_says_who_promised_what_and_on_which_input_it_broke(promising):
    path = promising(BROKEN)
    report = verify(path, ["onnxruntime"])
    (check,) = contracts_in(report)
    assert (check.passed, check.ran, report.exit_code) == (False, True, 1)
    who, *rest = check.facts
    assert who == "layer hidden promised that it lies between 0 and 1"
    (file,) = counterexamples.paths(path)
    assert rest[-1] == f"the input is in {file}"
    _, probe = counterexamples.read(path / file, Bundle.open(path).signature)
    shown = json.loads(rest[-2].removeprefix("features = "))
    assert np.array_equal(np.array(shown, "float32"), probe["features"][0])


def test_a_promise_of_a_person_names_no_layer(promising):
    path = promising(ContractEntry("bounded", {"high": -100}, ("features",), ("scaled_features",)))
    (check,) = contracts_in(verify(path, ["litert"]))
    assert check.facts[0] == "promised at build time that it is at most -100"


def test_what_broke_a_promise_is_tried_first_the_next_time(promising):
    path = promising(BROKEN)
    verify(path, ["onnxruntime"])
    (again,) = contracts_in(verify(path, ["litert"]))
    assert again.metrics["tried"] <= 1 + 4, "one, and its four neighbours"


def test_a_damaged_breach_file_is_one_failure_a_runtime_and_the_promises_are_judged(promising):
    path = promising(BROKEN, KEPT)
    verify(path, ["onnxruntime"])
    (file,) = counterexamples.paths(path)
    damaged_file = file.replace(file[-20:-4], "0" * 16)  # what a hunt finds again heals a file of its own name
    (path / damaged_file).write_bytes((path / file).read_bytes()[:-9])
    checks = contracts_in(verify(path, RUNTIMES))
    for runtime in RUNTIMES:
        own = [check for check in checks if check.runtime == runtime]
        damaged = [check for check in own if check.contract is None]
        assert [f"{damaged_file} is damaged" in check.detail for check in damaged] == [True]
        assert {check.contract: check.passed for check in own if check.contract} == {
            "bounded(low=0, high=1)": False, "finite()": True,
        }  # fmt: skip


def test_a_model_with_state_cannot_be_judged_and_is_no_pass(promising):
    report = verify(promising(KEPT, stateful=True), ["onnxruntime"])
    (check,) = contracts_in(report)
    assert not check.ran
    assert not check.passed
    assert "keeps state between calls" in check.detail
    assert report.exit_code == 3


def test_a_search_that_was_asked_for_is_shared_among_the_promises():
    assert effort_of(None, 3) == EFFORT
    long = effort_of(Budget(seconds=60.0, seed=7), 3)
    assert (long.seconds, long.seed) == (20.0, 7)
    assert long.samples > EFFORT.samples
    assert effort_of(Budget(seconds=0.1), 3).seconds == EFFORT.seconds, "never less than without a search"
    assert effort_of(Budget(evaluations=10 * EFFORT.samples), 3).samples == 10 * EFFORT.samples


def test_the_note_on_a_promise_about_weights_names_its_parameters():
    (note,) = notes([ContractEntry("sparse", {"share": 0.5}, (), (), "hidden"), KEPT])
    assert note == "sparse(share=0.5) of layer hidden is about weights: checked when the bundle was built"
