import keras

import kexport


@keras.saving.register_keras_serializable("kexport tests")
class NamedAfterItself(keras.Model):
    """A functional model of a class of its own, which names its layers after the model."""

    def __init__(self, name=None, **options):
        x = keras.Input((3,), name="x")
        prefix = f"{name}_" if name else ""
        super().__init__(x, keras.layers.Dense(2, name=f"{prefix}out")(x), name=name, **options)

    def get_config(self):
        return {"name": self.name}


def test_a_reloaded_model_may_name_its_layers_anew(tmp_path):
    model = NamedAfterItself()
    bundle = kexport.build(model, tmp_path / "b", formats=["keras"])
    assert bundle.passed, bundle.report
    assert [spec.name for spec in bundle.signature.outputs] == ["out"]
