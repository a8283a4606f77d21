"""Bare files that compute the same on noise, and not on what they were made for."""

import numpy as np
import pytest
from onnx import helper

import kexport
import onnx_models as models

node = helper.make_node


def pixels(path, factor):
    """A network that answers to numbers above 50 alone, and hands its input on."""
    nodes = [
        node("Sub", ["x", "level"], ["above"]),
        node("Relu", ["above"], ["kept"]),
        node("Mul", ["kept", "factor"], ["scaled"]),
        node("Add", ["x", "scaled"], ["y"]),
    ]
    sizes = ("x", models.FLOAT, ["n", 4]), ("y", models.FLOAT, ["n", 4])
    constants = {"level": np.array([50], "float32"), "factor": np.array([factor], "float32")}
    return models.save(path, nodes, [sizes[0]], [sizes[1]], **constants)


def steps(path, factor):
    """One that answers where the halves of its input lie far apart, as in noise they never do."""
    half = np.full(64, 1 / 64)
    weights = np.concatenate([half, -half])[:, None].astype("float32")
    nodes = [
        node("MatMul", ["x", "weights"], ["apart"]),
        node("Abs", ["apart"], ["distance"]),
        node("Sub", ["distance", "level"], ["above"]),
        node("Relu", ["above"], ["kept"]),
        node("Mul", ["kept", "factor"], ["scaled"]),
        node("Add", ["x", "scaled"], ["y"]),
    ]
    sizes = ("x", models.FLOAT, ["n", 128]), ("y", models.FLOAT, ["n", 128])
    constants = {"weights": weights, "level": np.array([0.4], "float32"), "factor": np.array([factor], "float32")}
    return models.save(path, nodes, [sizes[0]], [sizes[1]], **constants)


@pytest.mark.parametrize("network", [pixels, steps])
def test_a_weight_that_noise_does_not_show_is_seen(tmp_path, network):
    one, other = network(tmp_path / "a.onnx", 1.0), network(tmp_path / "b.onnx", 1.1)
    report = kexport.compare(one, other, search="1")
    assert report.exit_code == 1
    (failed,) = [check for check in report.checks if check.kind == "parity"]
    assert "smooth inputs" in str(failed.facts[0])
    assert not any("identical" in str(note) for note in report.notes)
    assert kexport.compare(one, one, search="1").passed


def test_a_declared_domain_is_not_left(tmp_path):
    one, other = pixels(tmp_path / "a.onnx", 1.0), pixels(tmp_path / "b.onnx", 1.1)
    report = kexport.compare(one, other, search="1", domain={"x": "uniform(-1, 1)"})
    assert not any(check.ran and not check.passed for check in report.checks)


def test_a_state_that_builds_up_over_many_calls_is_reached(tmp_path):
    import tensorflow as tf

    class Detector(tf.Module):
        def __init__(self, factor):
            super().__init__()
            self.level, self.factor = tf.Variable(tf.zeros([1, 1])), factor

        @tf.function(input_signature=[tf.TensorSpec([1, 8], tf.int8, name="x")])
        def function(self, x):
            real = tf.cast(x, tf.float32) / 128.0
            apart = tf.reduce_mean(real[:, :4] - real[:, 4:], axis=1, keepdims=True)
            self.level.assign(0.9 * self.level.read_value() + 0.1 * apart)
            answer = tf.nn.relu(tf.abs(self.level.read_value()) - 0.3) * self.factor
            return {
                "y": tf.cast(tf.round(100.0 * answer), tf.int32)
                + tf.cast(tf.cast(x[:, :1], tf.float32) > 0.0, tf.int32)
            }

    paths = []
    for name, factor in (("one", 1.0), ("other", 1.2)):
        tf.saved_model.save(module := Detector(factor), tmp_path / name, signatures=module.function)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / name))
        converter.experimental_enable_resource_variables = True
        paths.append(tmp_path / f"{name}.tflite")
        paths[-1].write_bytes(converter.convert())
    report = kexport.compare(*paths, search="20")
    assert report.exit_code == 1
    (failed,) = [check for check in report.checks if check.kind == "parity"]
    assert "of passage" in str(failed.facts[0])
