"""Models that Keras wrote on JAX and on PyTorch, and processes in which Keras is to run there."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from kexport.errors import ModelError
from kexport.factory import sources
from kexport.factory.trace import explained
from kexport.testing.closeness import assert_close

RECORDED = Path(__file__).parent / "other_backends"


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_file_of_another_backend_computes_here_what_it_did_there(backend):
    model = sources.find(RECORDED / f"{backend}.keras", {}).load()
    with np.load(RECORDED / f"{backend}.npz") as recorded:
        assert_close(model([recorded["x"]], training=False), recorded["y"])


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_setting_of_the_user_for_another_backend_does_not_reach_a_build(backend, tmp_path):
    lines = [
        "import os, kexport",
        f"bundle = kexport.build({str(RECORDED / f'{backend}.keras')!r}, 'out', formats=('keras',))",
        "assert bundle.passed and os.environ['KERAS_BACKEND'] == 'missing'",
    ]
    environment = {**os.environ, "KERAS_BACKEND": "missing"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_keras_on_another_backend_in_this_process_is_told_with_a_way_out(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ModelError, match=r"got: +jax(.|\n)*KERAS_BACKEND=tensorflow(.|\n)*model.save"):
        sources.find(RECORDED / "jax.keras", {}).load()


@pytest.mark.parametrize(
    "message",
    [
        "Error interpreting argument to <function tanh at 0x7> as an abstract array.",
        "tanh(): argument 'input' (position 1) must be Tensor, not SymbolicTensor",
    ],
)
def test_a_layer_that_calls_another_backend_is_named_also_where_keras_wraps_the_error(message):
    class Foreign(keras.layers.Layer):
        on_tensorflow = False

        def call(self, x):
            if self.on_tensorflow:
                raise TypeError(message)
            return x

    saved = keras.saving.serialize_keras_object(keras.Sequential([keras.Input((2,)), Foreign(name="foreign")]))
    Foreign.on_tensorflow = True
    with pytest.raises(TypeError, match="could not be deserialized") as caught:
        keras.saving.deserialize_keras_object(saved, custom_objects={"Foreign": Foreign})
    got, hint = explained(caught.value).facts("", None)
    assert "layer 'foreign' (Foreign) calls functions of another backend" in got
    assert "raise TypeError(message)" in got
    assert "keras.ops" in hint
