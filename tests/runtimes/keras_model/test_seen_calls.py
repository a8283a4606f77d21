import keras
import numpy as np

from kexport.factory.inputs import Recording, resolve_domains
from kexport.factory.trace.program import trace
from kexport.runtimes.keras_model import calls_seen, discover_interface


class Codes(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = keras.layers.Dense(1)

    def call(self, features):
        code = features["zip code"]
        parts = [features["length (cm)"], keras.ops.cast(code % 10, "float32"), keras.ops.cast(code // 10, "float32")]
        return self.out(keras.ops.concatenate(parts, -1))


FEATURES = {"length (cm)": np.ones((2, 1), "float32"), "zip code": np.arange(2)[:, None]}


def called():
    model = Codes()
    model(FEATURES)
    return model


def dtypes_of(interface):
    return {spec.name: spec.dtype for spec in interface.inputs}


def test_integers_that_a_model_was_first_called_with_are_its_dtype():
    with calls_seen():
        model = called()
    interface = discover_interface(model)
    assert dtypes_of(interface) == {"length__cm_": "float32", "zip_code": "int64"}
    assert interface.notes == ()


def test_a_dtype_that_nobody_saw_is_said_to_be_a_guess():
    interface = discover_interface(called())
    assert dtypes_of(interface)["zip_code"] == "float32"
    assert any("zip_code is a guess" in note for note in interface.notes)


def test_samples_and_domains_by_the_models_own_keys_are_those_of_its_inputs():
    program = trace(called(), FEATURES)
    assert program.interface.notes == ()
    own = program.interface.own_names()
    named = Recording.of({"zip code": FEATURES["zip code"]}).named(program.signature, own)
    assert list(named) == ["zip_code"]
    domains = resolve_domains(program, {**named, "length (cm)": "uniform(0, 9)"}).domains
    assert str(domains["length__cm_"]) == "uniform(0, 9)"
    assert str(domains["zip_code"]) == "samples(2)"
    assert program.signature.inputs[1].dtype == "int64"


def test_integers_that_a_sequential_model_was_first_called_with_are_its_dtype():
    with calls_seen():
        model = keras.Sequential([keras.layers.Embedding(5, 2), keras.layers.Flatten()])
        model(np.zeros((1, 3), "int64"))
    assert list(dtypes_of(discover_interface(model)).values()) == ["int64"]


def test_the_keys_of_a_functional_models_dict_are_its_own_names_too():
    x = keras.Input((1,), name="a key")
    interface = discover_interface(keras.Model({"a key": x}, keras.layers.Dense(1)(x)))
    assert interface.own_names() == {"a key": "a_key", "a_key": "a_key"}
