"""What every plug-in must pass; a new file in a plug-in folder, or a new model or layer, is picked up from there."""

import doctest
import importlib
import inspect
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import kexport
from conftest import REFERENCE, ROOT
from kexport import metrics, registry, runtimes
from kexport.bundle.domain import parse
from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.bundle.signature import TensorSpec
from kexport.factory import formats, lowerings
from kexport.field.verification import verify

MODELS = registry.offers("kexport.models")
LAYERS = registry.offers("kexport.layers")


@pytest.mark.parametrize("name", registry.names("runtimes"))
def test_a_runtime_is_named_as_its_file_and_checks_a_bundle_it_can_read(name):
    runtime = runtimes.get(name)
    assert runtime.name == name
    assert runtime.reads in formats.names()
    assert runtime.package.version
    report = verify(REFERENCE / "regularized", [name])
    assert report.passed, report
    assert {check.kind for check in report.checks if check.runtime == name} == {"signature", "parity"}


@pytest.mark.parametrize("name", registry.names("runtimes"))
def test_a_runtime_gives_an_array_for_an_array_and_a_mapping_for_a_mapping(name):
    code = (
        "import kexport, numpy as np\n"
        f"model = kexport.load({str(REFERENCE / 'scaled')!r}, {name!r})\n"
        "x = np.array([[1, -2, 3]], 'float32')\n"
        f"assert model.runtime == {name!r} and model.signature.inputs[0].name == 'features'\n"
        "for batch in (x, np.tile(x, (4, 1)), x[:, :1]):\n"
        "    assert np.array_equal(model(batch), batch * 2)\n"
        "out = model({'features': x})\n"
        "assert list(out) == ['scaled_features'] and np.array_equal(out['scaled_features'], x * 2)\n"
        "print(repr(model))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert f"<model on {name}" in done.stdout


def test_no_two_runtimes_have_one_rank():
    ranks = [runtime.rank for runtime in runtimes.every()]
    assert len(set(ranks)) == len(ranks)


@pytest.mark.parametrize("name", registry.names("factory/formats"))
def test_a_format_is_named_as_its_file_and_has_one_way_to_be_written_and_a_runtime(name):
    form = formats.get(name)
    assert form.name == name
    assert (form.writer is None) != (form.converter is None)
    assert any(runtime.reads == name for runtime in runtimes.every())
    artifact = kexport.Bundle.open(REFERENCE / "lowpass").artifacts_of(name)[0]
    assert artifact.path == form.path


@pytest.mark.parametrize("name", registry.names("factory/lowerings"))
def test_a_lowering_is_named_as_its_file_says_its_source_and_has_a_test_of_its_own(name):
    lowering = lowerings.get(name)
    assert lowering.name == name
    assert lowering.ops
    assert set(lowering.formats) <= set(formats.names())
    module = importlib.import_module(f"kexport.factory.lowerings.{name}")
    assert "Source:" in module.__doc__
    assert (ROOT / "tests" / "factory" / "lowerings" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", registry.names("reports"))
def test_a_report_shows_failures_and_checks_that_could_not_be_made(name, capsys):
    report = Report(
        "b",
        (
            Check(
                CheckKind.PARITY,
                True,
                Subject("model.onnx", "onnxruntime", "y"),
                Measurement(1e-7, 2e-7, "of output scale"),
            ),
            Check(
                CheckKind.PARITY,
                False,
                Subject("model.onnx", "litert", "y"),
                Measurement(1.0, 2e-7, "of output scale"),
                ("worst \x00 <&",),
            ),
            Check.not_run(CheckKind.RUNTIME, Subject(runtime="keras"), "not installed"),
        ),
        ("a note",),
    )
    module = importlib.import_module(f"kexport.reports.{name}")
    if hasattr(module, "render"):
        text = module.render(report)
    else:
        module.show(report, kexport.Bundle.open(REFERENCE / "lowpass"), sys.stdout)
        text = capsys.readouterr().out
    for word in ("litert", "keras", "worst", "not installed"):
        assert word in text


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_a_metric_is_named_as_its_file_and_tells_a_right_model_from_a_wrong_one(name):
    metric, labels = metrics.get(name), np.eye(8)
    assert metric.name == name
    assert metric.summary
    fitted = metric.fit(labels, TensorSpec("y", "float32", (None, 8)))
    right, wrong = (metric.score(fitted, outputs) for outputs in (labels, 1 - labels))
    assert metric.drop(right.value(), wrong.value()) > 0
    interval = right.interval()
    assert interval.low <= right.value() <= interval.high
    assert interval.method
    assert right.samples == len(right.goodness) == 8
    assert (right.goodness > wrong.goodness).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_declares_its_domain_and_builds_in_every_format(name, tmp_path):
    function: Any = MODELS[name].load(object)
    domains = sys.modules[function.__module__].DOMAINS
    assert MODELS[name].summary()
    assert all(
        parameter.default is not inspect.Parameter.empty
        for parameter in inspect.signature(function).parameters.values()
    )
    bundle = kexport.build(name, tmp_path / "b")
    assert bundle.passed, bundle.report
    assert bundle.manifest.domains == {name: str(parse(text)) for name, text in domains.items()}
    assert [spec.name for spec in bundle.signature.inputs] == list(domains)
    assert all(spec.shape[0] is None for spec in (*bundle.signature.inputs, *bundle.signature.outputs))
    assert {check.runtime for check in bundle.report.checks if check.kind == "parity"} == set(runtimes.names())


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_registered_documented_and_made_again_from_its_config(name):
    import keras

    layer_class: Any = LAYERS[name].load(type)
    assert keras.saving.get_registered_name(layer_class).startswith("kexport>")
    text = inspect.getdoc(layer_class)
    shapes = ("Input shape:", "Output shape:") if issubclass(layer_class, keras.Layer) else ()
    for heading in ("Args:", *shapes, "Raises:", "Example:"):
        assert heading in text
    layer: Any = next(value for value in example_of(name).values() if type(value) is layer_class)
    config = layer.get_config()
    json.dumps(config)  # plain numbers, no tensors
    assert layer_class.from_config(config).get_config() == config


def example_of(name):
    """Run the example of a layer; what it leaves behind, by name."""
    module = importlib.import_module(LAYERS[name].module)
    tests = [t for t in doctest.DocTestFinder().find(module) if t.examples]
    assert tests
    for test in tests:
        assert doctest.DocTestRunner().run(test, clear_globs=False).failed == 0
    return tests[0].globs


@pytest.mark.parametrize("name", LAYERS)
def test_the_example_of_a_layer_runs(name):
    assert example_of(name)


def test_the_example_of_load_runs():
    result = kexport.load(REFERENCE / "scaled", "onnxruntime")(np.ones((1, 3), "float32"))
    assert result.tolist() == [[2.0, 2.0, 2.0]]
