"""The page of adequacy is true: it is made of its table, which tells of nothing that must not be."""

import json

from adequacy_cases import _page
from adequacy_cases._models import MODELS
from conftest import ROOT

TABLE = json.loads((ROOT / "docs" / "adequacy.json").read_text())


def test_the_table_has_twenty_models_and_more_and_none_that_is_no_more():
    assert len(TABLE["models"]) >= 20
    assert set(TABLE["models"]) <= set(MODELS)


def test_changes_are_found_or_listed_and_every_healthy_model_passes():
    assert list(_page.bad(TABLE)) == []


def test_the_page_is_made_of_the_table():
    assert (ROOT / "docs" / "adequacy.md").read_text() == _page.page(TABLE)
