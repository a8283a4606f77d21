"""What a build is asked for: one request, whoever asks."""

import dataclasses

import click.testing
import pytest

import kexport
from kexport.cli.cmd_build import COMMAND
from kexport.errors import UsageError
from kexport.factory import BuildRequest, Conversion, Declarations, pipeline
from kexport.field.trust import Trust
from kexport.parity.budget import Budget
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import Tolerance

REQUEST = BuildRequest(
    "scaled",
    "somewhere",
    {"size": "3"},
    Declarations({"features": "uniform(-5, 5)"}, None, ("bounded(0, 1)",)),
    Conversion(("onnx", "tflite"), 15, 60.0, keep_going=True),
    Trust(("layers.py",), allow_lambda=True),
    Strictness(Budget(evaluations=200, seed=3), {"y": Tolerance(1e-4, reason="12-bit sensor")}),
)


@pytest.fixture
def requests(monkeypatch):
    """The requests that reach the pipeline, which does nothing about them."""

    class StoppedError(Exception):
        pass

    made = []

    def build_bundle(request, *observers, fresh=False):
        made.append(request)
        raise StoppedError

    monkeypatch.setattr(pipeline, "build_bundle", build_bundle)
    return made, StoppedError


def test_the_command_line_and_the_function_make_the_same_request(requests):
    made, stopped = requests
    with pytest.raises(stopped):
        kexport.build(
            "scaled", "somewhere", settings={"size": "3"}, domain={"features": "uniform(-5, 5)"},
            contracts=("bounded(0, 1)",), formats=("onnx", "tflite"), opset=15, timeout=60, keep_going=True,
            imports=["layers.py"], allow_lambda=True, search=Budget.parse("200", 3),
            tolerance={"y": "1e-4: 12-bit sensor"},
        )  # fmt: skip
    words = [
        "--model",
        "scaled",
        "--out",
        "somewhere",
        "--set",
        "size=3",
        "--formats",
        "onnx,tflite",
        "--opset",
        "15",
        "--timeout",
        "60",
    ]
    words += ["--keep-going", "--import", "layers.py", "--allow-lambda", "--search", "200", "--seed", "3"]
    words += ["--domain", "features=uniform(-5, 5)", "--contract", "bounded(0, 1)"]
    words += ["--tolerance", "y=1e-4: 12-bit sensor"]
    with pytest.raises(stopped):
        click.testing.CliRunner().invoke(COMMAND, words, catch_exceptions=False)
    assert made == [REQUEST, REQUEST]


def test_what_nobody_asks_for_has_the_same_defaults_everywhere(requests):
    made, stopped = requests
    with pytest.raises(stopped):
        kexport.build("scaled")
    with pytest.raises(stopped):
        click.testing.CliRunner().invoke(COMMAND, ["--model", "scaled"], catch_exceptions=False)
    assert made == [BuildRequest("scaled"), BuildRequest("scaled")]


def test_a_plan_has_the_model_its_formats_and_its_folder():
    plan = BuildRequest("scaled", conversion=Conversion(("tflite", "onnx", "tflite"))).plan()
    assert plan.source.name == "scaled"
    assert [form.name for form in plan.formats] == ["tflite", "onnx"]
    assert plan.target.as_posix() == "artifacts/scaled"
    assert set(plan.domain) == {"features"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "nothing"}, "nothing"),
        ({"conversion": Conversion(("tensorrt",))}, "unknown format 'tensorrt'"),
        ({"conversion": Conversion(opset=3)}, "does not support this opset"),
        ({"declarations": Declarations({"features": "unifrom(0, 1)"})}, "unifrom"),
        ({"declarations": Declarations(contracts=["bownded(0, 1)"])}, "bownded"),
        ({"trust": Trust(("nowhere.py",))}, "--import nowhere.py"),
    ],
)
def test_a_wrong_request_is_refused_before_tensorflow_is_imported(change, words):
    with pytest.raises(UsageError, match=words):
        dataclasses.replace(BuildRequest("scaled"), **change).plan()
