"""A softmax of many numbers in int8: what ends the process is named, and the way out leads out."""

import keras
import pytest

import kexport


def network():
    keras.utils.set_random_seed(0)
    x = keras.Input((16,), name="x")
    alike = keras.initializers.RandomNormal(stddev=1e-4)
    logits = keras.layers.Dense(600, kernel_initializer=alike, name="logits")(x)
    return keras.Model(x, keras.layers.Softmax(name="probs")(logits))


def build(folder, **options):
    return kexport.build(network(), folder / "b", formats=["tflite"], domain={"x": (-3, 3)}, **options)


def test_what_ends_the_process_is_named_with_its_layer_and_the_ways_out(tmp_path):
    bundle = build(tmp_path, precision="int8")
    assert not bundle.passed
    (note,) = [str(note) for note in bundle.report.notes if "SOFTMAX" in str(note)]
    assert note.startswith("model.int8.tflite: SOFTMAX of layer 'probs' (Softmax) is of 600 numbers")
    for report in (bundle.report, kexport.verify(bundle.path, runtimes=["litert_reference"])):
        (crash,) = [check for check in report.checks if check.kind == "runtime" and not check.passed]
        assert (crash.artifact, crash.runtime) == ("model.int8.tflite", "litert_reference")
        assert "SOFTMAX of layer 'probs' (Softmax) is of 600 numbers" in crash.detail
        assert "--keep LAYER" in crash.detail


@pytest.mark.parametrize("way_out", [{"precision": "int8", "keep": "probs"}, {"precision": "int16x8"}], ids=str)
def test_the_ways_out_lead_out(tmp_path, way_out):
    bundle = build(tmp_path, **way_out)
    assert bundle.passed
    assert {check.runtime for check in bundle.report.checks if check.compared} == {"litert", "litert_reference"}
    assert not [note for note in bundle.report.notes if "end the process" in str(note)]
