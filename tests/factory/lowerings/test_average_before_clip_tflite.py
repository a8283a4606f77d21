"""Average pooling before a limit, in int8, whose quantiser would clip what is pooled."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kexport
from kexport.factory.lowerings.average_before_clip_tflite import LOWERING
from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(7)
X = RANDOM.uniform(-20, 20, (2, 7, 8, 3)).astype("float32")

POOLS = {
    "windows side by side": ((2, 2), (2, 2), "VALID"),
    "borders": ((3, 3), (2, 2), "SAME"),
    "borders that overlap": ((3, 4), (1, 1), "SAME"),
    "other steps down than across": ((2, 3), (1, 2), "SAME"),
    "a row": ((1, 2), (1, 2), "VALID"),
    "all": ((7, 8), (1, 1), "VALID"),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_the_mean_is_the_same(pool):
    with tf.Graph().as_default() as graph:
        tf.minimum(tf.nn.avg_pool2d(tf.constant(X), *pool), 3.0)
        (op,) = (each for each in graph.get_operations() if each.type == "AvgPool")
        assert LOWERING.applies(op, op.inputs)
        (mean,) = LOWERING.emit(op, op.inputs)
        with tf.compat.v1.Session(graph=graph) as session:
            value = session.run(mean)
    assert_close(value, tf.nn.avg_pool2d(X.astype("float64"), *pool).numpy())


LIMITS = {
    "a ReLU": keras.layers.ReLU(3.0),
    "a clip": lambda x: keras.ops.clip(x, -1.0, 1.0),
    "a least value": lambda x: keras.ops.maximum(x, 2.0),
}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_integers_are_limited_after_the_mean_and_not_before(tmp_path, limit):
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3), name="x")
    pooled = keras.layers.AveragePooling2D(2)(keras.layers.Conv2D(4, 3, padding="same")(x))
    samples = {"x": RANDOM.uniform(-20, 20, (100, 8, 8, 3)).astype("float32")}
    bundle = kexport.build(
        keras.Model(x, limit(pooled)),
        tmp_path / "b",
        formats=["tflite"],
        precision="int8",
        samples=samples,
        budget="sqnr=30dB",
    )
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]
