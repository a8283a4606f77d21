"""What a model keeps of its layers' promises: all that is carried holds, and what does not hold is not carried."""

import random

import numpy as np
import pytest

from kexport.bundle.domain import parse
from kexport.bundle.limits import OutputLimit
from kexport.contracts import Effort, Function, Slack, WeightContract, kinds
from kexport.factory.promises import collect
from kexport.factory.trace.program import trace
from kexport.parity.space import Space
from kexport.parity.tolerance import EPSILON
from kexport.testing.closeness import assert_close


def promises_of(model):
    """By output the kinds that the model keeps, and of those that it does not keep layer, kind and where it ended."""
    found = collect(trace(model), [])
    kept = {}
    for promised in found.contracts:
        kept.setdefault(promised.outputs[0] if promised.outputs else promised.layer, []).append(promised)
    return kept, {(each.layer, each.kind, each.ended_by) for each in found.not_carried}


def of_stack(*layers, shape=(6,), dtype="float32"):
    """The same for a model of layers in a row; the model is returned too."""
    import keras

    x = tensor = keras.Input(shape, name="x", dtype=dtype)
    for layer in layers:
        tensor = layer(tensor)
    model = keras.Model(x, tensor, name="stack")
    kept, ended = promises_of(model)
    return model, {each.kind: each for each in next(iter(kept.values()), [])}, ended


def judged(model, promised, shape, seed=0):
    """The verdict of a promise on the Keras model."""
    program = trace(model)
    lengths = [{"x": (2, *(n if size is None else size for size in shape))} for n in (16, 24)]
    space = Space(program.signature, {"x": parse("uniform(-2, 2)")}, lengths)
    output = program.signature.outputs[0].name
    values = np.asarray(model(np.full(lengths[0]["x"], 2.0, "float32")))
    limit = OutputLimit(output, max(1.0, float(np.abs(values).max())), 2.0**-22, 2.0**-19, "declared")
    slack = Slack({output: limit}, EPSILON["float32"])

    def call(feeds):
        return {output: np.asarray(model(feeds["x"]))}

    contract = kinds.contract_of(promised)
    function = Function(call, space, promised.inputs, promised.outputs)
    assert not isinstance(contract, WeightContract)
    return contract.check(function, space, slack, Effort(samples=3000, seconds=3.0, seed=seed))


def layer_of(name, channels):
    import keras

    from kexport_layers import BoundedOutput, LipschitzDense, LowPassFilter, MonotonicDense, ScaledOutput, SimplexOutput

    rng = np.random.default_rng(channels)
    return {
        "scaled": lambda: ScaledOutput(-1.5),
        "scaled by channel": lambda: ScaledOutput(rng.uniform(-2, 2, channels).tolist()),
        "same": lambda: LowPassFilter(5),
        "causal": lambda: LowPassFilter(3, padding="causal"),
        "valid": lambda: LowPassFilter(3, padding="valid"),
        "monotone": lambda: MonotonicDense(channels, activation="tanh"),
        "falling": lambda: MonotonicDense(channels, -1),
        "lipschitz": lambda: LipschitzDense(channels, 0.8, activation="relu"),
        "bounded": lambda: BoundedOutput(-1, 2, "tanh"),
        "simplex": lambda: SimplexOutput(2.0),
        "relu": lambda: keras.layers.ReLU(),
        "tanh": lambda: keras.layers.Activation("tanh"),
        "dense": lambda: keras.layers.Dense(channels, kernel_initializer="orthogonal"),
        "dropout": lambda: keras.layers.Dropout(0.5),
    }[name]()


NAMES: tuple[str, ...] = (
    "scaled",
    "scaled by channel",
    "same",
    "causal",
    "valid",
    "monotone",
    "falling",
    "lipschitz",
    "bounded",
)
NAMES += ("simplex", "relu", "tanh", "dense", "dropout")


@pytest.mark.parametrize("seed", range(24))
def test_whatever_is_carried_through_a_random_stack_holds(seed):
    import keras

    keras.utils.set_random_seed(seed)
    chosen = random.Random(seed).choices(NAMES, k=3)
    model, kept, ended = of_stack(*(layer_of(name, 3) for name in chosen), shape=(None, 3))
    for promised in kept.values():
        verdict = judged(model, promised, (None, 3), seed)
        assert verdict.passed or not verdict.ran, (chosen, promised, verdict)
    assert kept or ended or not set(chosen) - {"relu", "tanh", "dense", "dropout"}


@pytest.mark.parametrize("paddings", [(a, b) for a in ("same", "causal", "valid") for b in ("same", "causal", "valid")])
def test_filters_in_a_row_are_one_filter_away_from_the_ends(paddings):
    from kexport_layers import LowPassFilter

    inner, outer = (
        LowPassFilter(size, 0.2, 1.0, padding=padding) for size, padding in zip((5, 9), paddings, strict=True)
    )
    model, kept, _ = of_stack(inner, outer, shape=(None,))
    promised = kept["linear_time_invariant"]
    x = np.random.default_rng(0).uniform(-1, 1, 60).astype("float32")
    y = np.asarray(model(x[None]))[0].astype(float)
    taps, advance, skip = (promised.params.get(name, default) for name, default in
                           (("taps", None), ("advance", 0), ("skip", [0, 0])))  # fmt: skip
    full = np.convolve(x.astype(float), taps)
    expected = np.array([full[n + advance] if 0 <= n + advance < len(full) else 0.0 for n in range(len(y))])
    inside = slice(skip[0], len(y) - skip[1])
    assert len(y[inside]) > 20
    assert_close(y[inside], expected[inside], scale=1, dtype="float32")
    assert judged(model, promised, (None,)).passed


def test_constants_and_directions_multiply_and_edges_are_the_narrower_ones():
    from kexport_layers import LipschitzDense, LowPassFilter, MonotonicDense, ScaledOutput

    assert of_stack(LipschitzDense(4, 0.5), LipschitzDense(3, 3.0))[1]["lipschitz"].params["constant"] == 1.5
    assert of_stack(MonotonicDense(4, -1), MonotonicDense(3, -1))[1]["monotonic"].params.get("direction", 1) == 1
    some = of_stack(MonotonicDense(4, [1, 0, -1, 1, 1, 1]), MonotonicDense(2, -1))[1]["monotonic"]
    assert some.params["direction"] == [-1, 0, 1, -1, -1, -1]
    assert of_stack(ScaledOutput(2.0), ScaledOutput(-3.0))[1]["scaled"].params["factor"] == -6.0
    one, two = LowPassFilter(31, 0.1, 1.0), LowPassFilter(41, 0.15, 1.0)
    (a,), (b,) = ([each for each in layer.contracts() if each.kind == "low_pass"] for layer in (one, two))
    both = of_stack(one, two, shape=(None,))[1]["low_pass"].params
    assert both["pass_band"] == min(a.pass_band, b.pass_band)
    assert both["stop_band"] == max(a.stop_band, b.stop_band)
    assert both["attenuation"] == a.attenuation + b.attenuation


def test_what_mathematics_does_not_carry_is_listed_with_the_layer_that_ended_it():
    import keras

    from kexport_layers import BoundedOutput, ConvexDense, LowPassFilter, MonotonicDense, SimplexOutput

    dense = keras.layers.Dense(6, name="dense")
    _, kept, ended = of_stack(SimplexOutput(name="s"), dense)
    assert not kept
    assert ended == {("s", "sums_to", "dense"), ("s", "bounded", "dense")}
    _, kept, ended = of_stack(keras.layers.Dense(6, name="first"), MonotonicDense(2, name="m"))
    assert not kept
    assert ended == {("m", "monotonic", "first")}
    mixed = MonotonicDense(2, [1, -1], name="mixed")
    _, kept, ended = of_stack(MonotonicDense(2, name="m"), mixed)
    assert not kept
    assert {layer for layer, _, _ in ended} == {"m", "mixed"}
    rates = (LowPassFilter(31, 0.1, 1.0, name="a"), LowPassFilter(31, 10, 100, name="b"))
    _, kept, ended = of_stack(*rates, shape=(None,))
    assert "low_pass" not in kept
    _, kept, _ = of_stack(ConvexDense(3, name="c"), keras.layers.Activation("tanh", name="t"))
    assert "convex" not in kept
    _, kept, _ = of_stack(BoundedOutput(0, 1), keras.layers.Flatten(), shape=(2, 3))
    assert "bounded" in kept


def test_convex_holds_after_affine_under_rising_convex_and_through_a_skip():
    import keras

    from kexport_layers import ConvexDense

    for stack in (
        (keras.layers.Dense(4), ConvexDense(3)),
        (ConvexDense(3), keras.layers.ReLU()),
        (ConvexDense(3), ConvexDense(2, hidden=True)),
    ):
        model, kept, _ = of_stack(*stack)
        assert judged(model, kept["convex"], (6,)).passed
    assert "convex" not in of_stack(keras.layers.ReLU(), ConvexDense(3))[1]
    assert "convex" not in of_stack(ConvexDense(3), ConvexDense(3))[1]
    x = keras.Input((6,), name="x")
    model = keras.Model(x, ConvexDense(2, hidden=True, name="y")(ConvexDense(4, "relu")(x), x))
    assert {each.kind for each in promises_of(model)[0]["y"]} == {"convex"}
    crooked = keras.Model(x, ConvexDense(2, hidden=True, name="y")(keras.layers.Activation("tanh")(x), x))
    assert "y" not in promises_of(crooked)[0]


def test_identities_pass_promises_on_unless_they_round():
    import keras

    from kexport_layers import SimplexOutput

    _, kept, ended = of_stack(SimplexOutput(), keras.layers.Dropout(0.3), keras.layers.Activation("linear"))
    assert {"sums_to", "bounded"} <= set(kept)
    assert not ended
    _, kept, ended = of_stack(SimplexOutput(name="s"), keras.layers.Dropout(0.3, dtype="mixed_float16", name="half"))
    assert ("s", "sums_to", "half") in ended
    assert "sums_to" not in kept


def test_a_users_own_function_as_activation_ends_every_promise():
    import keras

    from kexport_layers import BoundedOutput

    def halved(x):
        return x / 2

    def relu(x):  # not the one of this name in Keras
        return -x

    for own in (halved, relu):
        layer = keras.layers.Activation(own, name="own")
        _, kept, ended = of_stack(BoundedOutput(0, 1, name="s"), layer)
        assert not kept
        assert ("s", "bounded", "own") in ended


def test_nested_shared_and_meeting_layers_are_told_apart():
    import keras

    from kexport_layers import BoundedOutput, MonotonicDense

    x = keras.Input((4,), name="x")
    inner = keras.Sequential([MonotonicDense(4, activation="relu", name="rising")], name="inner")
    kept, _ = promises_of(keras.Model(x, MonotonicDense(1, -1, name="y")(inner(x))))
    (monotonic,) = kept["y"]
    assert (monotonic.params, monotonic.layer) == ({"direction": -1}, "inner/rising, y")
    shared = BoundedOutput(0, 1, name="shared")
    kept, ended = promises_of(keras.Model(x, {"a": shared(x), "b": keras.layers.Dense(2, name="last")(shared(x))}))
    assert "bounded" in {each.kind for each in kept["a"]}
    assert "b" not in kept
    one, other = BoundedOutput(0, 1, name="one"), BoundedOutput(0, 1, name="other")
    kept, ended = promises_of(keras.Model(x, keras.layers.Add(name="sum")([one(x), other(x)])))
    assert not kept
    assert {("one", "bounded", "sum"), ("other", "bounded", "sum")} <= ended


def test_an_argument_that_is_an_input_of_the_model_carries_what_is_said_of_it():
    import keras

    from kexport_layers import ConservedSum

    x, r = keras.Input((4,), name="x"), keras.Input((3,), name="r")
    hidden = keras.layers.Dense(5)(x)
    kept, ended = promises_of(keras.Model([x, r], ConservedSum(name="y")(hidden, reference=r)))
    assert [(each.kind, each.inputs) for each in kept["y"]] == [("conserves", ("r",))]
    made = keras.layers.Dense(3, name="made")(r)
    kept, ended = promises_of(keras.Model([x, r], ConservedSum(name="y")(hidden, made)))
    assert "y" not in kept
    assert {layer for layer, _, _ in ended} == {"y"}


def test_of_a_subclassed_model_only_its_own_promises_count():
    import keras

    from kexport.contracts import Bounded
    from kexport_layers import SimplexOutput

    class Inside(keras.Model):
        def __init__(self):
            super().__init__(name="inside")
            self.last = SimplexOutput(name="last")

        def call(self, x):
            return self.last(x)

        def contracts(self):
            return [Bounded(0, 1)]

    model = Inside()
    model(np.zeros((1, 3), "float32"))
    kept, ended = promises_of(model)
    assert [each.kind for promises in kept.values() for each in promises] == ["bounded"]
    assert ("last", "sums_to", "inside") in ended
