"""What the goldens of small models see, and which inputs are sought."""

import json

import numpy as np
import pytest

from kexport.bundle.adequacy_entry import AdequacyEntry, Standing, Unseen
from kexport.field.verification.adequacy_check import check_adequacy


def assessed(model, **domain):
    """The entry of a build of this model, and the labels of the goldens that were sought."""
    from kexport.factory.adequacy import see
    from kexport.factory.inputs import resolve_domains
    from kexport.factory.trace import trace
    from kexport.factory.truth import Oracle, establish

    program = trace(model)
    inputs = resolve_domains(program, domain)
    oracle = Oracle(program, inputs.domains)
    _, found = see(program, oracle, establish(program, oracle, inputs.domains), inputs, {})
    return found.entry, [label for label, _ in found.sought]


def subjects(entry, *standings):
    return sorted({each.subject for each in entry.standing(*standings)})


@pytest.fixture(scope="module")
def layers():
    import keras

    keras.utils.set_random_seed(1)
    return keras.layers


def chain(*parts):
    import keras

    return keras.Sequential([keras.Input(parts[0], name="x"), *parts[1:]])


def test_a_plain_model_is_seen_whole(layers):
    entry, sought = assessed(chain((8,), layers.Dense(6, activation="tanh", name="a"), layers.Dense(3, name="b")))
    assert entry.seen == entry.weights == 8 * 6 + 6 + 6 * 3 + 3
    assert entry.unseen == ()
    assert sought == []


def test_a_declared_domain_on_which_a_model_is_constant_is_not_checked(layers):
    def make():
        first = layers.Dense(4, activation="relu", kernel_initializer="ones", bias_initializer="ones", name="a")
        second = layers.Dense(2, kernel_initializer="ones", name="b")
        return chain((2,), layers.Normalization(mean=[50.0, 1000.0], variance=[100.0, 40000.0]), first, second)

    entry, _ = assessed(make(), x="uniform(-1, 1)")
    assert subjects(entry, Standing.OPEN) == ["a/bias", "a/kernel", "b/kernel", "output b"]
    check = check_adequacy(entry)
    assert not check.ran
    assert not check.passed
    assert "--unseen '" in check.detail


def test_channels_that_multiply_zeros_are_named_by_number(layers):
    model = chain((6,), layers.Dense(5, name="a"), layers.BatchNormalization(name="n"), layers.Dense(2, name="b"))
    model.get_layer("n").gamma.assign([1, 0, 1, 1, 0])
    entry, _ = assessed(model)
    assert "a/kernel: channels 1, 4 of 5" in [each.where for each in entry.unseen]
    assert check_adequacy(entry).passed


def test_weights_behind_zero_weights_are_dead_and_pass(layers):
    model = chain((4,), layers.Dense(3, name="a"), layers.Dense(2, kernel_initializer="zeros", name="b"))
    entry, _ = assessed(model)
    assert subjects(entry, Standing.OPEN) == []
    assert {"a/bias", "a/kernel"} <= set(subjects(entry, Standing.DEAD))


def test_the_scale_of_a_kernel_before_a_normalisation_is_unseen(layers):
    norm = layers.LayerNormalization(epsilon=1e-12)
    entry, _ = assessed(chain((8,), layers.Dense(6, use_bias=False, name="a"), norm))
    assert [each.where for each in entry.unseen] == ["a/kernel: a common factor"]


def test_keys_and_edges_that_do_not_occur_are_sought_where_the_domain_is_a_guess(layers):
    import keras

    def make():
        age, zip_code = keras.Input((1,), name="age"), keras.Input((1,), dtype="int64", name="zip")
        bins = layers.Discretization(bin_boundaries=[18.0, 30.0, 65.0], name="bins")
        keys = layers.IntegerLookup(vocabulary=[10, 77], name="keys")
        rows = [layers.Embedding(4, 2)(bins(age)), layers.Embedding(3, 2)(keys(zip_code))]
        return keras.Model([age, zip_code], layers.Dense(2)(layers.Flatten()(layers.Concatenate()(rows))))

    entry, _ = assessed(make())
    assert subjects(entry, Standing.OPEN, Standing.DEAD) == []
    assert not {"bins/bin_boundaries", "keys/vocabulary"} & set(subjects(entry, Standing.PARTIAL))
    entry, _ = assessed(make(), age="uniform(0, 1)", zip="ints(0, 5)")
    assert {"bins/bin_boundaries", "keys/vocabulary"} <= set(subjects(entry, Standing.OPEN))


def test_a_branch_that_is_never_taken_is_named(layers):
    import tensorflow as tf

    def call(x):
        return tf.cond(tf.reduce_sum(x) > 1000.0, lambda: x * 2, lambda: x + 1)

    entry, _ = assessed(chain((3,), layers.Lambda(call, name="fork")), x="uniform(-1, 1)")
    assert [str(each) for each in entry.unseen] == ["fork/condition: one branch: the condition is always false"]


def test_labels_show_large_changes_only(layers):
    import keras

    x = keras.Input((4,))
    entry, _ = assessed(keras.Model(x, keras.ops.argmax(layers.Dense(5, name="scores")(x), -1)))
    assert subjects(entry, Standing.OPEN, Standing.DEAD) == []


def test_what_cannot_be_measured_is_not_checked(layers, monkeypatch):
    from kexport.factory.adequacy import assessment

    monkeypatch.setattr(assessment, "traced_weights", lambda program: 1 / 0)
    entry, _ = assessed(chain((2,), layers.Dense(1, name="y")))
    check = check_adequacy(entry)
    assert not check.ran
    assert "output y: what the goldens see of it could not be measured: ZeroDivisionError" in check.detail


def test_recordings_that_never_vary_are_told_apart_from_weights_that_are_dead_on_data(layers):
    import keras

    def make():
        gate = layers.Dense(3, activation="relu", name="gate")
        return chain((4,), gate, layers.Dense(2, name="y"))

    entry, _ = assessed(make(), x=np.full((30, 4), 3.0, np.float32))
    assert "output y" in subjects(entry, Standing.OPEN)
    entry, _ = assessed(make(), x=np.zeros((30, 4), np.float32))
    assert {"output y", "gate/kernel"} <= set(subjects(entry, Standing.OPEN))
    assert any("input x is the same in all samples" in line for line in entry.lines(Standing.OPEN))
    x = keras.Input((4,), name="x")
    closed = layers.Dense(3, activation="relu", kernel_initializer="ones", name="gate")
    model = keras.Model(x, layers.Concatenate(name="y")([x, closed(x)]))
    closed.bias.assign([-50.0] * 3)
    entry, _ = assessed(model, x=np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32))
    assert subjects(entry, Standing.OPEN) == []
    assert subjects(entry, Standing.DEAD) == ["gate/bias", "gate/kernel"]


def test_a_choice_of_the_user_that_always_falls_on_one_side_is_named(layers):
    import keras

    class Clip(keras.layers.Layer):
        def call(self, x):
            largest = keras.ops.cast(keras.ops.argmax(x, -1, keepdims=True), "float32")  # Keras chooses in it too
            y = keras.ops.where(x > 5.0, 5.0 + (x - 5.0) * 0.1, x)
            return keras.ops.where(y > 0.0, y, 0.5 * y) + largest

    entry, _ = assessed(chain((3,), Clip(name="clip")), x="uniform(-1, 1)")
    assert list(map(str, entry.unseen)) == ["clip/where: one branch: the condition is always false"]
    entry, _ = assessed(chain((3,), Clip(name="clip")), x="uniform(-10, 10)")
    assert entry.unseen == ()
    x = keras.Input((3,), name="x")
    entry, _ = assessed(keras.Model(x, keras.ops.where(x < 9.0, x, -x)), x="uniform(-1, 1)")
    assert [each.why for each in entry.unseen] == ["the condition is always true"]


def test_a_gate_that_never_opens_within_a_guess_is_opened_beyond_it(layers):
    import keras

    def make():
        x = keras.Input((4,), name="x")
        gate = layers.Dense(1, kernel_initializer="ones", name="gate")(x)
        return keras.Model(x, keras.ops.where(gate > 50.0, 3.0 * x, x))

    entry, sought = assessed(make())
    assert any("beyond" in label for label in sought)
    assert subjects(entry, Standing.OPEN, Standing.DEAD) == ["gate/bias"]
    assert "the condition" not in " ".join(map(str, entry.unseen))
    entry, sought = assessed(make(), x="uniform(-1, 1)")
    assert not sought
    assert any(each.why == "the condition is always false" for each in entry.unseen)


def test_weights_before_a_label_are_tried_before_any_is_looked_at_closely(layers):
    import keras

    x = h = keras.Input((8,), name="x")
    for index in range(12):
        h = layers.Dense(8, activation="tanh", name=f"d{index}")(h)
    entry, _ = assessed(keras.Model(x, keras.ops.argmax(h, -1)))
    assert subjects(entry, Standing.OPEN, Standing.DEAD) == []


def test_a_label_that_never_changes_is_not_checked(layers):
    import keras

    x = keras.Input((4,), name="x")
    model = keras.Model(x, keras.ops.cast(layers.Dense(1, activation="sigmoid", name="p")(x) > 1.5, "int32"))
    entry, _ = assessed(model)
    assert subjects(entry, Standing.OPEN) == [f"output {model.output_names[0]}"]


def test_inputs_beyond_a_guessed_domain_are_of_all_sizes_up_to_the_largest(layers):
    from kexport.factory.adequacy.allowance import Allowance
    from kexport.factory.adequacy.sought_inputs import SoughtSpace
    from kexport.factory.inputs import resolve_domains
    from kexport.factory.trace import trace

    program = trace(chain((64,), layers.ReLU()))
    space = SoughtSpace.of(program.signature, resolve_domains(program, {}), [{"x": (8, 64)}], Allowance.of([]))
    for _, feeds in space.beyond(1, frozenset("x")):
        sizes = np.abs(feeds["x"]).mean(axis=1)
        assert sizes[0] < sizes[3] < sizes[-1]


def test_an_entry_survives_its_file():
    unseen = (
        Unseen("conv/kernel", Standing.PARTIAL, "zero", "channels", (3, 7), 2, 32),
        Unseen("lookup/vocabulary", Standing.OPEN, "tame", "entries", ("ulm",), 1, 1),
        Unseen("output y", Standing.DEAD, "constant"),
    )
    entry = AdequacyEntry(100, 90, unseen, {"a": "spare"}, ("a note",))
    assert AdequacyEntry.from_json(json.loads(json.dumps(entry.to_json()))) == entry
    assert unseen[0].where == "conv/kernel: channels 3, 7 of 32"


def test_a_long_list_is_cut_in_words():
    many = Unseen("a", Standing.PARTIAL, "zero", "rows", tuple(range(20)), 20, 30)
    assert many.where == "a: rows 0, 1, 2, 3, 4, 5 and 14 more of 30"
    whole = tuple(Unseen(f"w{index}", Standing.DEAD, "zero") for index in range(9))
    (line,) = AdequacyEntry(1, 0, whole).lines(Standing.DEAD)
    assert line == "w0, w1, w2, w3, w4, w5 and 3 more: zero"


def test_a_nudge_leaves_alone_what_lies_outside_of_the_domain():
    from kexport.bundle.domain import Uniform
    from kexport.parity.conditioning import nudged

    far = np.array([500.0, 0.5], np.float32)
    moved = nudged(far, np.random.default_rng(0), 2.0**-23, Uniform(-1.0, 1.0))
    assert moved[0] > 400
    assert abs(moved[1]) <= 1


def test_channels_behind_an_activation_that_cuts_them_off_are_explained(layers):
    parts = layers.Dense(5, name="a"), layers.BatchNormalization(name="n"), layers.ReLU(), layers.Dense(2, name="b")
    model = chain((6,), *parts)
    model.get_layer("n").beta.assign([0, -9, 0, 0, -9])
    entry, _ = assessed(model)
    lines = list(map(str, entry.unseen))
    assert "a/kernel: channels 1, 4 of 5: always below zero on these inputs" in lines
    assert "b/kernel: inputs 1, 4 of 5: what they multiply is always zero on these inputs" in lines


def test_a_row_that_is_masked_is_not_said_to_be_absent(layers):
    import keras

    ids = keras.Input((6,), dtype="int32", name="ids")
    table = layers.Embedding(12, 3, mask_zero=True, name="t")
    model = keras.Model(ids, layers.LSTM(3)(table(ids)))
    entry, _ = assessed(model)
    assert list(map(str, entry.unseen)) == ["t/embeddings: rows 0 of 12: no golden depends on them"]
    entry, _ = assessed(model, ids="ints(0, 9)")
    assert "t/embeddings: rows 0, 9, 10, 11 of 12: no golden depends on them" in map(str, entry.unseen)
    entry, _ = assessed(model, ids="ints(1, 9)")
    assert "t/embeddings: rows 0, 9, 10, 11 of 12: they do not occur on these inputs" in map(str, entry.unseen)


def test_the_bias_of_keys_is_dead_and_a_healthy_attention_passes(layers):
    import keras

    x = keras.Input((6, 8))
    entry, _ = assessed(keras.Model(x, layers.LayerNormalization()(layers.MultiHeadAttention(2, 4, name="m")(x, x))))
    assert subjects(entry, Standing.OPEN) == []
    assert subjects(entry, Standing.DEAD) == ["m/key/bias"]


def test_weights_that_only_a_second_call_of_a_stateful_layer_uses_are_seen(layers):
    import keras

    x = keras.Input((1, 4), batch_size=1)
    entry, _ = assessed(keras.Model(x, layers.Dense(2)(layers.GRU(3, stateful=True, name="g")(x))))
    assert subjects(entry, Standing.OPEN, Standing.DEAD) == []


def test_what_was_declared_unseen_passes_with_its_reason():
    from kexport.factory.adequacy.findings import declared_reason

    found = Unseen("encoder/a/kernel", Standing.OPEN, "tame")
    assert declared_reason(found, {"a": "spare"}) == declared_reason(found, {"encoder/a": "spare"}) == "spare"
    assert declared_reason(found, {"encoder": "spare", "b": "no"}) == "spare"
    assert declared_reason(found, {"b": "no", "kernel": ""}) == ""
    entry = AdequacyEntry(8, 4, (Unseen("a/kernel", Standing.DECLARED, "declared: spare"),), {"a": "spare"})
    check = check_adequacy(entry)
    assert check.passed
    assert check.facts == ("a/kernel: declared: spare",)


def test_what_was_declared_unseen_and_is_seen_is_said_too():
    check = check_adequacy(AdequacyEntry(8, 8, (), {"a": "spare"}))
    assert check.passed
    assert check.facts == ("a is declared unseen (spare), and is seen",)
