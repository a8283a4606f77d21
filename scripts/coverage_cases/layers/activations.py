"""Activations, as layers and by name."""

import keras
from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import integers, normal

CASES = Cases("layers")
of = CASES.of

_NAMES = (
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid "
    "log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid "
    "sparsemax squareplus tanh tanh_shrink"
)
for _name in _NAMES.split():
    of(f"Activation/{_name}", normal(8, scale=3), lambda x, name=_name: L.Activation(name)(x))
for _name in ("softplus", "gelu", "softmax", "log_softmax", "sigmoid", "elu", "mish", "log_sigmoid"):
    of(f"Activation/{_name}_far", normal(8, scale=60), lambda x, name=_name: L.Activation(name)(x))


@keras.saving.register_keras_serializable("coverage")
def _tanh_gelu(x):
    return keras.activations.gelu(x, approximate=True)


@keras.saving.register_keras_serializable("coverage")
def _threshold(x):
    return keras.activations.threshold(x, 0.2, 0.0)


of("Activation/gelu_tanh", normal(8, scale=3), lambda x: L.Activation(_tanh_gelu)(x))
of("Activation/threshold", normal(8), lambda x: L.Activation(_threshold)(x))
of("Activation/relu_int", integers(-5, 5, 8), lambda x: L.Activation("relu")(x))
of(
    "Activation/gelu_float16",
    normal(8, dtype="float16"),
    lambda x: L.Activation("gelu", dtype="float16")(x),
    noise=True,
)
of("Activation/gelu_float64", normal(8, dtype="float64"), lambda x: L.Activation("gelu", dtype="float64")(x))
of("ELU/default", normal(8), lambda x: L.ELU()(x))
of("ELU/alpha", normal(8), lambda x: L.ELU(0.3)(x))
of("LeakyReLU/default", normal(8), lambda x: L.LeakyReLU()(x))
of("LeakyReLU/steep", normal(8), lambda x: L.LeakyReLU(1.5)(x))
of("PReLU/default", normal(4, 8), lambda x: L.PReLU()(x))
of("PReLU/shared", normal(5, 6, 3), lambda x: L.PReLU(shared_axes=[1, 2])(x))
of("PReLU/dynamic", normal(None, None, 3), lambda x: L.PReLU(shared_axes=[1, 2])(x))
of("ReLU/default", normal(8), lambda x: L.ReLU()(x))
of("ReLU/all_settings", normal(8), lambda x: L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2)(x))
of("ReLU/six", normal(8, scale=5), lambda x: L.ReLU(max_value=6)(x))
of("Softmax/default", normal(5, 8), lambda x: L.Softmax()(x))
of("Softmax/axis1", normal(5, 8), lambda x: L.Softmax(axis=1)(x))
of("Softmax/two_axes", normal(5, 8), lambda x: L.Softmax(axis=(1, 2))(x))
