"""Models with one bad layer each: the layer, the cause and the line are named before any format is written."""

import pytest

from model_cases import _judgement


@pytest.mark.parametrize("name", _judgement.names())
@pytest.mark.filterwarnings("ignore")
def test_layer_cause_and_line_of_a_bad_layer_are_named(name):
    case = _judgement.case(name)
    said = _judgement.judgement(case.module.model())
    assert case.missing(said) == [], said.text
