"""`--search`, `--seed` and `--tolerance` as a user types them."""

import json

import pytest

from conftest import REFERENCE
from onnx_faults import light, plant, weight_off

ONE = ("--runtime", "onnxruntime")


@pytest.fixture
def bundle(tmp_path):
    return light(REFERENCE / "lowpass", tmp_path / "lowpass")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--search", "0"), "a budget of '0' searches nothing"),
        (("--search", "abc"), "unreadable budget 'abc'"),
        (("--search", ""), "unreadable budget ''"),
        (("--search", "10", "--seed", "-1"), "--seed cannot be read"),
        (("--search", "10", "--seed", "x"), "--seed cannot be read"),
        (("--tolerance", "nosuch=1"), "'nosuch', which is not an output of the model"),
        (("--tolerance", "filtered=-1"), "unreadable tolerance '-1'"),
        (("--tolerance", "filtered=0"), "unreadable tolerance '0'"),
        (("--tolerance", "filtered=much"), "unreadable tolerance 'much'"),
        (("--tolerance", "filtered"), "filtered"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_is_told_and_nothing_runs(kexport, bundle, arguments, words):
    result = kexport("verify", bundle, *ONE, *arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "pass" not in result.stdout


def test_an_unreadable_budget_is_told_before_a_build_begins(kexport, tmp_path):
    result = kexport("build", "--model", "scaled", "--search", "soon")
    assert result.returncode == 2
    assert "unreadable budget 'soon'" in result.stderr
    assert not (tmp_path / "artifacts").exists()


def test_a_search_has_its_own_table_and_its_check_tells_the_budget(kexport, bundle):
    result = kexport("verify", bundle, "--search", "1000", "--seed", "4", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    checks = [check for check in json.loads(result.stdout)["checks"] if check["kind"] == "search"]
    assert [check["metrics"]["evaluations"] for check in checks] == [1000] * 3
    assert {check["metrics"]["seed"] for check in checks} == {4}
    assert {check["metrics"]["budget"] for check in checks} == {"1000 evaluations"}
    table = kexport("verify", bundle, "--search", "1000", "--seed", "4").stdout
    assert "worst / limit" in table
    assert "each runtime against the others, 1000 evaluations, seed 4" in table


def test_a_fault_is_exit_1_and_its_input_turns_the_next_run_red(kexport, bundle):
    plant(bundle, weight_off(1e-3))
    found = kexport("verify", bundle, *ONE, "--search", "1000")
    assert found.returncode == 1
    assert "FAIL search model.onnx onnxruntime" in found.stdout
    assert "the input is kept in witnesses/" in found.stdout
    again = kexport("verify", bundle, *ONE)
    assert again.returncode == 1
    assert "FAIL witness model.onnx onnxruntime" in again.stdout


def test_without_a_partner_a_search_is_exit_3(kexport, tmp_path):
    bundle = light(REFERENCE / "lowpass", tmp_path / "lowpass", "onnx")
    result = kexport("verify", bundle, "--search", "1000")
    assert result.returncode == 3
    assert "not checked search model.onnx onnxruntime" in result.stdout
    assert "nothing to compare it with" in result.stdout


def test_a_tolerance_and_its_reason_stand_in_the_report(kexport, bundle):
    tolerance = "filtered=1e-3: 12-bit sensor"
    result = kexport("verify", bundle, "--tolerance", tolerance, "--json")
    assert result.returncode == 0
    report = json.loads(result.stdout)
    parity = [check for check in report["checks"] if check["kind"] == "parity"]
    assert len(parity) == 3
    for check in parity:  # the same for every runtime, whatever its kernels
        assert check["limit"] == 1e-3
        assert check["metrics"]["limit_source"] == "declared"
        assert check["metrics"]["limit_reason"] == "12-bit sensor"
    text = kexport("verify", bundle, "--tolerance", tolerance).stdout
    assert "note: the limit of output filtered, 0.001, was declared: 12-bit sensor" in text


def test_a_tolerance_decides_in_the_goldens_and_in_the_search(kexport, bundle):
    plant(bundle, weight_off(1e-4))
    tight, wide = ("--tolerance", "filtered=1e-6"), ("--tolerance", "filtered=1e-3: a known weight")
    assert kexport("verify", bundle, "--search", "1000", *wide).returncode == 0
    assert kexport("verify", bundle, *tight).returncode == 1
    assert kexport("verify", bundle).returncode == 1


def test_a_tolerance_in_decibels_is_held_from_below(kexport, bundle):
    result = kexport("verify", bundle, *ONE, "--tolerance", "filtered=100dB: 16 bits", "--json")
    assert result.returncode == 0
    (check,) = [check for check in json.loads(result.stdout)["checks"] if check["kind"] == "parity"]
    assert check["unit"] == "dB"
    assert check["figure"] > check["limit"] == 100
    failed = kexport("verify", bundle, *ONE, "--tolerance", "filtered=300dB")
    assert failed.returncode == 1
    assert "dB" in failed.stdout
