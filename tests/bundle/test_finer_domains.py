import json

import numpy as np
import pytest

from kexport.bundle.declared_domain import coerce
from kexport.bundle.domain import Bins, Choice, Features, Ints, Uniform, brief, parse, placed, plain, united
from kexport.bundle.manifest_entries import DomainsEntry, domains_of
from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError

BINS = Bins(0, 10, 11, 100)
ROWS = Features(Uniform(20, 80), Bins(0, 1, 4), Ints(0, 3))


@pytest.mark.parametrize("domain", [BINS, ROWS, Features(Choice("a", "b)"), Choice("c", "(d,"))], ids=str)
def test_a_finer_domain_comes_back_from_its_text(domain):
    assert parse(str(domain)) == domain


@pytest.mark.parametrize(
    "text", ["bins(1)", "bins(2, 1)", "bins('a', 'b')", "features()", "features(3)", "features(features(ints(0, 2)))"]
)
def test_a_text_that_is_no_finer_domain_is_refused(text):
    with pytest.raises(UsageError):
        parse(text)


def test_every_bin_is_drawn_from_however_narrow():
    values = BINS.sample(np.random.default_rng(0), (300,))
    assert set(np.digitize(values, [10, 11])) == {0, 1, 2}
    assert values.min() >= 0
    assert values.max() <= 100


def test_points_of_bins_lie_on_both_sides_of_every_edge_and_near_it():
    points = np.array(BINS.points())
    for edge in (10, 11):
        assert edge in points
        assert points[points < edge].max() > edge * (1 - 0.005)
        assert points[points > edge].min() < edge * (1 + 0.005)
        assert np.float32(points[points < edge].max()) < edge < np.float32(points[points > edge].min())


def test_each_feature_stays_in_its_own_domain():
    rng = np.random.default_rng(0)
    for values in (ROWS.sample(rng, (50, 3)), ROWS.project(rng.uniform(-200, 200, (50, 3)))):
        assert values.shape == (50, 3)
        for column, domain in enumerate(ROWS.each):
            assert np.array_equal(domain.project(values[:, column]), values[:, column])


def test_a_level_of_the_whole_range_is_the_same_level_of_each_feature():
    levels = placed(Features(Uniform(0, 10), Uniform(100, 200)), np.array([[100.0, 100.0]]))
    assert levels.tolist() == [[5.0, 150.0]]


def test_the_union_holds_what_both_hold():
    assert united(Choice("a", "b"), Choice("b", "c")) == Choice("a", "b", "c")
    assert united(Uniform(0, 1), Uniform(5, 6)) == Uniform(0, 6)
    assert united(Ints(0, 5), Ints(3, 9)) == Ints(0, 9)
    assert united(Bins(0, 1, 2), Bins(0, 1.5, 9)) == Bins(0, 1, 1.5, 9)
    assert united(Choice(1, 5), Ints(0, 3)) == Choice(0, 1, 2, 5)
    assert united(Features(Uniform(0, 1), Uniform(2, 3)), Uniform(0, 5)) == Features(Uniform(0, 5), Uniform(0, 5))


def test_a_manifest_states_finer_domains_beside_kinds_that_every_reader_knows():
    entry = DomainsEntry({"x": str(ROWS), "y": str(BINS), "z": "ints(0, 3)"})
    data = json.loads(json.dumps(entry.to_json()))
    assert data["domains"] == {"x": "uniform(0, 80)", "y": "uniform(0, 100)", "z": "ints(0, 3)"}
    assert domains_of(data).texts == entry.texts
    assert plain(ROWS) == Uniform(0, 80)


def test_a_domain_of_another_number_of_features_is_refused():
    with pytest.raises(UsageError, match="another number of features"):
        coerce("x", str(ROWS), TensorSpec("x", "float32", (None, 2)))
    assert coerce("x", str(ROWS), TensorSpec("x", "float32", (None, 3))) == ROWS


def test_a_message_has_the_beginning_of_a_long_domain():
    text = str(Choice(*(f"key {index}" for index in range(200))))
    assert len(brief(text)) < 120
    assert text.startswith(brief(text).removesuffix(", ...)"))
    assert brief("ints(0, 2)") == "ints(0, 2)"
