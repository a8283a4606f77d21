import keras
import numpy as np
import pytest
from keras import layers

from kexport.bundle.domain import Bins, Choice, Features, Ints, Uniform
from kexport.factory.inputs import resolve_domains
from kexport.factory.trace import served
from kexport.factory.trace.program import trace
from kexport.parity.golden_inputs import plan


def domains_of(model):
    found = resolve_domains(trace(model), {})
    return found.domains, found.undeclared


def domain_of(layer, shape, dtype="float32"):
    x = keras.Input(shape, dtype=dtype, name="x")
    return domains_of(keras.Model(x, layer(x)))[0]["x"]


def test_each_feature_of_a_normalization_has_its_own_range():
    domain = domain_of(layers.Normalization(mean=[50, 1000], variance=[100, 2500]), (2,))
    assert domain == Features(Uniform(20, 80), Uniform(850, 1150))


def test_features_of_similar_ranges_share_one():
    assert domain_of(layers.Normalization(mean=[50, 55], variance=[100, 100]), (2,)) == Uniform(20, 85)


def test_a_constant_feature_keeps_a_range_that_float32_can_tell_apart():
    (low, high, *_) = domain_of(layers.Normalization(mean=50.0, variance=0.0), (2,)).corners()
    assert np.float32(low) < 50 < np.float32(high)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Rescaling(1 / 255), Uniform(0, 255)),
        (layers.Rescaling(1 / 127.5, offset=-1), Uniform(0, 255)),
        (layers.Rescaling(0.1), Uniform(-10, 10)),
        (layers.Discretization([18.0, 30.0, 65.0]), Bins(-5.5, 18, 30, 65, 88.5)),
        (layers.Embedding(7, 2), Ints(0, 7)),
    ],
)
def test_the_first_layer_tells_what_it_takes(layer, expected):
    assert domain_of(layer, (3,)) == expected


@pytest.mark.parametrize(("dtype", "ends"), [("uint8", (0, 255)), ("int8", (-128, 127)), ("int16", (-32768, 32767))])
def test_a_narrow_integer_dtype_is_its_own_range(dtype, ends):
    corners = domain_of(layers.Flatten(), (3,), dtype).corners()
    assert (min(corners), max(corners)) == ends


def test_an_image_of_bytes_takes_all_of_them():
    assert domain_of(layers.Rescaling(1 / 127.5, offset=-1), (4, 4, 3), "uint8") == Ints(0, 256)


def test_a_lookup_takes_every_key_and_others():
    domain = domain_of(layers.IntegerLookup(vocabulary=[10, 20, 77]), (1,), "int64")
    assert {10, 20, 77} < set(domain.values)
    texts = domain_of(layers.StringLookup(vocabulary=["ulm", "kiel"], mask_token=""), (1,), "string")
    assert {"ulm", "kiel", ""} < set(texts.values)


def test_a_lookup_that_refuses_unknown_keys_gets_none():
    assert domain_of(layers.StringLookup(vocabulary=["a", "b"], num_oov_indices=0), (1,), "string") == Choice("a", "b")


def test_a_large_vocabulary_is_a_spread_of_it_with_both_ends():
    keys = [f"w{index}" for index in range(5000)]
    values = domain_of(layers.StringLookup(vocabulary=keys), (1,), "string").values
    assert {"w0", "w4999"} < set(values)
    assert len(values) <= 256


def test_words_occur_alone_and_together():
    domain = domain_of(layers.TextVectorization(vocabulary=["cat", "dog"], output_sequence_length=3), (1,), "string")
    assert {"cat", "dog", ""} < set(domain.values)
    assert any("cat" in text and "dog" in text for text in domain.values)


def test_a_constant_feature_beside_others_stays_constant():
    domain = domain_of(layers.Normalization(mean=[50, 1000], variance=[0, 2500]), (2,))
    assert domain == Features(Choice(50.0), Uniform(850, 1150))


class Table(keras.Model):
    def __init__(self):
        super().__init__()
        self.bins = layers.Discretization([18.0, 30.0, 65.0])
        self.zips = layers.IntegerLookup(vocabulary=[10, 20, 77])
        self.ages, self.places, self.out = layers.Embedding(4, 3), layers.Embedding(4, 2), layers.Dense(1)

    def call(self, x):
        age = self.ages(self.bins(x[:, 2]))
        place = self.places(self.zips(keras.ops.cast(x[:, 0], "int64")))
        return self.out(keras.ops.concatenate([x[:, 1:2], age, place], -1))


def test_columns_that_a_subclassed_model_takes_apart_are_told_apart():
    model = Table()
    model(np.ones((2, 3), "float32"))
    (domain,) = domains_of(model)[0].values()
    zips, plain, age = domain.each
    assert {10, 20, 77} < set(zips.values)
    assert plain == Uniform()
    assert age == Bins(-5.5, 18, 30, 65, 88.5)


def test_what_is_known_of_a_concatenation_is_known_of_its_parts():
    a, b = keras.Input((1,), name="a"), keras.Input((2,), name="b")
    mean = layers.Normalization(mean=[1, 10, 1000], variance=[1, 4, 1e4])
    domains, origins = domains_of(keras.Model([a, b], mean(layers.Concatenate()([a, b]))))
    assert domains == {"a": Uniform(-2, 4), "b": Features(Uniform(4, 16), Uniform(700, 1300))}
    assert mean.name in origins["a"]


def test_an_embedding_behind_a_lookup_says_nothing_of_the_input():
    x = keras.Input((1,), dtype="int64", name="x")
    y = layers.Embedding(4, 2)(layers.IntegerLookup(vocabulary=[100, 200])(x))
    assert {100, 200} < set(domains_of(keras.Model(x, y))[0]["x"].values)


def test_what_several_layers_know_is_united():
    x = keras.Input((1,), name="x")
    scaled = layers.Normalization(mean=0.0, variance=9.0)(x)
    binned = layers.Discretization([18.0, 30.0], output_mode="one_hot")(x)
    domain = domains_of(keras.Model(x, layers.Concatenate()([scaled, binned])))[0]["x"]
    assert domain == Bins(-9, 18, 30, 42)


def test_an_operation_outside_of_any_layer_tells_too():
    x = keras.Input((), dtype="int32", name="x")
    assert domains_of(keras.Model(x, keras.ops.one_hot(x, 9)))[0]["x"] == Ints(0, 9)
    y = keras.Input((1,), dtype="int64", name="y")
    assert domains_of(keras.Model(y, [y // 10, y % 10]))[0]["y"] == Ints(0, 100)
    vector = np.array([10], "int32")  # one number with an axis of its own
    assert domains_of(keras.Model(y, keras.ops.floor_divide(y, vector)))[0]["y"] == Ints(0, 100)


def test_indices_that_a_layer_counts_from_the_end_are_those_of_its_table():
    class Positions(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(30, 4), name="table")

        def call(self, x):
            return keras.ops.take(self.table, x, axis=0)

    assert domain_of(Positions(), (3,), "int32") == Ints(0, 30)


def test_the_function_of_a_saved_model_is_looked_into(tmp_path):
    ids, age = keras.Input((4,), dtype="int32", name="ids"), keras.Input((1,), name="age")
    rows = layers.Flatten()(layers.Embedding(50, 2)(ids))
    model = keras.Model([ids, age], [rows, layers.Discretization([10.0, 20.0, 40.0])(age)])
    model.export(tmp_path / "saved", verbose=False)
    domains = domains_of(served.load(tmp_path / "saved", "saved"))[0]
    assert domains["ids"] == Ints(0, 50)
    assert domains["age"] == Bins(-5, 10, 20, 40, 55)


def table_of(zips, cities, edges):
    keras.utils.set_random_seed(0)
    place = keras.Input((1,), dtype="int64", name="zip")
    city, age = keras.Input((1,), dtype="string", name="city"), keras.Input((1,), name="age")

    def embedded(codes, count):
        return layers.Flatten()(layers.Embedding(count, 4, embeddings_initializer="random_normal")(codes))

    parts = [
        embedded(layers.IntegerLookup(vocabulary=zips)(place), 5),
        embedded(layers.StringLookup(vocabulary=cities)(city), 4),
        embedded(layers.Discretization(edges)(age), 5),
    ]
    return keras.Model({"zip": place, "city": city, "age": age}, layers.Dense(2)(layers.Concatenate()(parts)))


def test_other_vocabularies_and_bins_differ_on_every_golden():
    model = table_of([10, 20, 30, 77], ["ulm", "bonn", "kiel"], [18.0, 30.0, 50.0, 65.0])
    other = table_of([77, 30, 20, 10], ["kiel", "ulm", "bonn"], [20.0, 28.0, 45.0, 70.0])
    program, changed = trace(model), trace(other)
    domains = resolve_domains(program, {}).domains
    for label, feeds in plan(program.signature, domains, lambda feeds: None):
        given = [feeds[spec.name] for spec in program.signature.inputs]
        (right,), (wrong,) = (each.interface.run(each.model, given) for each in (program, changed))
        assert not np.array_equal(right, wrong), label


def test_one_swapped_key_differs_on_some_golden():
    keys = [f"key {index}" for index in range(60)]
    swapped = [keys[1], keys[0], *keys[2:]]
    x = keras.Input((3,), dtype="string", name="x")
    lookups = (layers.StringLookup(vocabulary=each, output_mode="multi_hot") for each in (keys, swapped))
    one, two = (keras.Model(x, lookup(x)) for lookup in lookups)
    program = trace(one)
    cases = plan(program.signature, resolve_domains(program, {}).domains, lambda feeds: None)
    assert any(not np.array_equal(one(feeds["x"]), two(feeds["x"])) for _, feeds in cases)
