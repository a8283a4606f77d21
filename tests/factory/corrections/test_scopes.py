"""What a refusal calls a layer: its path in the model, as its author named it."""

import keras
import pytest
from keras import layers, ops

import kexport
from kexport.errors import ExportError
from kexport.factory.emit.trail import layer_of
from kexport.factory.trace.program import trace


def hashing(name):
    return layers.Hashing(8, name=name)


def text(name="x"):
    return keras.Input((2,), dtype="string", name=name)


def found(model, operation):
    """Where the trace has operations of that type, in the order of the graph, in words."""
    program = trace(model)
    operations = [op for op in program.core.graph.get_operations() if op.type == operation]
    return [layer_of(op.name, program.scopes) for op in operations]


def test_a_layer_in_models_in_models_is_named_by_its_path_though_others_have_its_name():
    x, y, z = text(), text("y"), text("z")
    core = keras.Model(z, hashing("buckets")(z), name="core")
    inner = keras.Model(y, [core(y), hashing("buckets")(y)], name="inner")
    model = keras.Model(x, [inner(x), hashing("buckets")(x), hashing("buckets_1")(x)], name="outer")
    assert sorted(found(model, "StringToHashBucketFast")) == [
        "layer 'buckets' (Hashing)",
        "layer 'buckets_1' (Hashing)",
        "layer 'inner/buckets' (Hashing)",
        "layer 'inner/core/buckets' (Hashing)",
    ]


def test_a_shared_layer_has_one_name_however_often_it_is_called():
    x, y = text(), text("y")
    shared = hashing("shared")
    model = keras.Model([x, y], [shared(x), shared(y), hashing("shared_1")(x)])
    names = found(model, "StringToHashBucketFast")
    assert sorted(names) == ["layer 'shared' (Hashing)", "layer 'shared' (Hashing)", "layer 'shared_1' (Hashing)"]


def test_an_operation_of_a_functional_model_is_named():
    y = keras.Input((4,), name="y")
    inner = keras.Model(y, ops.fft((y, y))[0], name="inner")
    x = keras.Input((4,), name="x")
    (name,) = found(keras.Model(x, inner(layers.Dense(4, name="dense")(x))), "FFT")
    assert name.startswith("operation 'inner/fft")
    assert name.endswith("(FFT)")


class Deep(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [keras.Sequential([layers.Rescaling(1.0), layers.Dense(2, name="dense")], name="block")]

    def call(self, x):
        return ops.erf(self.blocks[0](x))


def test_layers_of_a_subclassed_model_have_paths_and_its_own_operations_are_its_own():
    model = Deep()
    model(ops.ones((1, 2)))
    assert found(model, "MatMul") == ["layer 'block/dense' (Dense)"]
    assert found(model, "Erf") == ["the model itself"]


@pytest.mark.parametrize(
    ("name", "scopes", "words"),
    [
        ("m/a/b_1/Erf", {"m/a": "a", "m/a/b_1": "b"}, "b"),
        ("m/a/b_1/Erf", {"m/a": "a", "b_1": "b of a function"}, "b of a function"),
        ("call/m/a/Erf;m/c/Add", {"m/a": "a"}, "a"),
        ("m/ab/Erf", {"m/a": "a"}, "the model itself"),
    ],
)
def test_a_name_in_the_graph_belongs_to_the_innermost_scope_around_it(name, scopes, words):
    assert layer_of(name, scopes) == words


def test_layers_with_names_that_tensorflow_refuses_are_built_in_every_format(tmp_path):
    x = keras.Input((4,), name="x y")
    model = keras.Model(x, layers.Dense(3, name="é out")(layers.LSTM(2, name="ü: 1")(x[:, None])), name="my model")
    bundle = kexport.build(model, tmp_path / "b")
    assert bundle.passed
    assert len(bundle.manifest.artifacts) == 4
    assert [spec.name for spec in (*bundle.signature.inputs, *bundle.signature.outputs)] == ["x_y", "t__out"]


def test_a_refusal_names_a_layer_as_its_author_did(tmp_path):
    x = text()
    with pytest.raises(ExportError, match=r"layer 'été/ø \+' \(Hashing\)"):
        kexport.build(
            keras.Model(x, keras.Sequential([text("y"), hashing("ø +")], name="été")(x)),
            tmp_path / "b",
            formats=["onnx"],
        )
