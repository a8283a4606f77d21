"""The traits of Keras' own layers and operations, by class and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kexport.factory.promises.traits import IDENTITY, NOTHING, Traits

if TYPE_CHECKING:
    import keras

_DROPPING = {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"}
_AT_INFERENCE = {*_DROPPING, "GaussianNoise", "ActivityRegularization", "Identity"}
_ARRANGING = {"Reshape", "Flatten", "Permute"}
_LINEAR = {f"{kind}{rank}D" for kind in ("Cropping", "ZeroPadding") for rank in (1, 2, 3)}

_RISING = {"pointwise": True, "by_item": True, "nondecreasing": True}
_ACTIVATIONS = {
    "linear": IDENTITY,
    "relu": Traits(**_RISING, convex=True, lipschitz=1.0),
    "softplus": Traits(**_RISING, convex=True, lipschitz=1.0),
    "elu": Traits(**_RISING, lipschitz=1.0),
    "exponential": Traits(**_RISING, convex=True),
    "leaky_relu": Traits(**_RISING, convex=True, lipschitz=1.0),
    "sigmoid": Traits(**_RISING, lipschitz=0.25),
    "tanh": Traits(**_RISING, lipschitz=1.0),
    "softsign": Traits(**_RISING, lipschitz=1.0),
    "hard_tanh": Traits(**_RISING, lipschitz=1.0),
    "relu6": Traits(**_RISING, lipschitz=1.0),
}
_OPERATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
    "Exp": "exponential",
    "HardTanh": "hard_tanh",
    "ELU": "elu",
}


def traits_of(operation: keras.Operation) -> Traits:
    """The traits of a layer or operation; none are known for a user's own."""
    import keras

    kind = type(operation).__name__
    if not type(operation).__module__.startswith(("keras.", "keras_core.")):
        return NOTHING
    if kind in _AT_INFERENCE:
        return IDENTITY
    if kind in _ARRANGING:
        return Traits(rearranges=True, linear=True, affine=True, nondecreasing=True, convex=True, lipschitz=1.0)
    if kind in _LINEAR:
        return Traits(linear=True, affine=True, nondecreasing=True, convex=True, lipschitz=1.0)
    if kind in _OPERATIONS:
        return _ACTIVATIONS[_OPERATIONS[kind]]
    if kind == "Activation":
        name = getattr(operation.activation, "__name__", "")
        known = _ACTIVATIONS.get(name)  # Keras fails at the name of a user's own function
        return known if known and operation.activation is keras.activations.get(name) else NOTHING
    if kind == "ReLU":
        plain = operation.max_value is None and not operation.negative_slope and not operation.threshold
        return _ACTIVATIONS["relu"] if plain else NOTHING
    if kind in ("Dense", "EinsumDense"):
        affine = operation.activation in (None, keras.activations.linear)
        linear = affine and operation.bias is None
        return Traits(by_item=kind == "Dense", affine=affine, linear=linear, convex=affine)
    if kind in ("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"):
        affine = operation.activation in (None, keras.activations.linear)
        return Traits(affine=affine, linear=affine and operation.bias is None, convex=affine)
    if kind in ("Rescaling", "BatchNormalization", "Normalization"):
        return Traits(affine=True, convex=True)
    return NOTHING
