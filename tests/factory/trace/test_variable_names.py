import keras

import kexport


class _Scale(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale


def test_a_layer_whose_class_begins_with_an_underscore_is_written_as_saved_model(tmp_path):
    x = keras.Input((3,), name="x")
    model = keras.Model(x, _Scale()(x))
    names = [variable.path for variable in model.variables]
    bundle = kexport.build(model, tmp_path / "b", formats=["saved_model"])
    assert bundle.passed, bundle.report
    assert [variable.path for variable in model.variables] == names == ["__scale/scale"]
