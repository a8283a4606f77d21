"""Weights of a small precision are those of the model, each to one step, which no ratio of signal to noise tells."""

import keras
import numpy as np
import pytest

import kexport
from kexport.errors import ExportError
from kexport.factory.formats._small_weights import Constant, of_onnx, of_tflite, require_weights
from kexport.runtimes.files import tflite

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(0, 1, (6, 8))
STEP = np.abs(WEIGHTS).max(axis=0) / 127


def small(real=None, step=STEP, name="w"):
    real = np.round(WEIGHTS / STEP) * STEP if real is None else real
    return Constant(name, real, np.asarray(step))


WIDE = [Constant("w", WEIGHTS, np.zeros(()))]


def test_what_is_rounded_by_half_a_step_is_right_under_any_name():
    require_weights(WIDE, [small(name="other")])
    require_weights(WIDE, [small(RNG.normal(0, 1, (6, 8)), name="a"), small(name="b")])


@pytest.mark.parametrize(
    "wrong",
    [
        np.round(WEIGHTS / STEP) * STEP[::-1],
        np.round(WEIGHTS / STEP) * STEP.max(),
        np.concatenate([np.roll(WEIGHTS[:1], 1, axis=1), WEIGHTS[1:]]),
        np.where(np.abs(WEIGHTS) < 0.2, 0.0, WEIGHTS),
        np.where(WEIGHTS.max() == WEIGHTS, np.inf, WEIGHTS),
        np.where(np.arange(6)[:, None] == 2, 0.0, WEIGHTS),
    ],
    ids=["scales permuted", "one scale for all", "a row shifted", "small ones lost", "infinity", "a row lost"],
)
def test_what_is_like_the_weights_and_further_away_is_refused(wrong):
    with pytest.raises(ExportError, match="not those of the model"):
        require_weights(WIDE, [small(wrong)])


def test_what_is_folded_or_has_no_counterpart_is_not_judged():
    require_weights(WIDE, [])
    require_weights(WIDE, [small(RNG.normal(0, 1, (6, 8)))])
    require_weights(WIDE, [Constant("w", WEIGHTS.T * 3, np.zeros(()))])
    require_weights([Constant("w", np.ones((6, 8)), np.zeros(()))], [small()])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    keras.utils.set_random_seed(0)
    x = keras.Input((10, 3), name="x")
    h = keras.layers.Conv1D(16, 3, activation="relu", name="c")(x)
    h = keras.layers.LSTM(6, name="r")(h)
    made = keras.Model(x, keras.layers.Dense(4, name="y")(h))
    target = tmp_path_factory.mktemp("weights") / "b"
    return kexport.build(made, target, formats=["onnx", "tflite"], precision="float16,dynamic,int8")


@pytest.mark.parametrize("precision", ["float16", "dynamic", "int8"])
@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_weights_of_written_files_are_found_and_are_right(bundle, form, precision):
    read = of_onnx if form == "onnx" else lambda path: of_tflite(tflite.parse(path.read_bytes()))
    wide, own = (list(read(bundle.path / name)) for name in (f"model.{form}", f"model.{precision}.{form}"))
    require_weights(wide, own)
    # Doubling any weights of the model is seen in most of them: they have a counterpart.
    judged = 0
    for constant in wide:
        if constant.real.size >= 16:
            try:
                require_weights([Constant(constant.name, 2 * constant.real, constant.step)], own)
            except ExportError:
                judged += 1
    assert judged >= 2


def test_weights_that_half_precision_lacks_are_told_with_their_layer(tmp_path):
    x = keras.Input((8,), name="x")
    large = keras.layers.Dense(20, kernel_initializer=keras.initializers.RandomNormal(stddev=1e6, seed=0), name="large")
    model = keras.Model(x, keras.layers.Dense(4, name="y")(large(x)))
    with pytest.raises(ExportError, match=r"of layer 'large' \(Dense\), more than 65,504, the largest number of half"):
        kexport.build(model, tmp_path / "b", formats=["tflite"], precision="float16")
