"""A model that another installed package offers, whose modules may be arranged as its authors like."""

import sys

import pytest

from kexport import registry
from kexport.factory.sources import find

FILES = {
    "offering/__init__.py": "from offering.models import small\n",
    "offering/size.py": "SIZE = 3\n",
    "offering/naming.py": (
        "import functools\n\n\n"
        "def named(function):\n"
        "    @functools.wraps(function)\n"
        "    def inner(*args, **options):\n"
        "        return function(*args, **options)\n\n"
        "    return inner\n"
    ),
    "offering/models.py": (
        "from offering.naming import named\n"
        "from offering.size import SIZE\n\n"
        'DOMAINS = {"x": "uniform(-3, 3)"}\n\n\n'
        "@named\n"
        "def small(units: int = SIZE):\n"
        "    return small, units\n"
    ),
    "offering-1.0.dist-info/METADATA": "Name: offering\nVersion: 1.0\n",
    "offering-1.0.dist-info/entry_points.txt": "[kexport.models]\nsmall = offering.models:small\n",
}


@pytest.fixture
def offering(tmp_path, monkeypatch):
    """A package that imports its models at once, while they import its other modules."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.offers.cache_clear()
    yield
    registry.offers.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "offering"]:
        del sys.modules[name]


@pytest.mark.usefixtures("offering")
def test_a_package_that_imports_its_own_models_is_imported_once():
    source = find("small", {"units": "5"})
    function, units = source.load()
    assert units == 5
    assert function is sys.modules["offering.models"].small


@pytest.mark.usefixtures("offering")
def test_domains_are_those_beside_a_decorated_function():
    assert find("small", {}).domains == {"x": "uniform(-3, 3)"}


@pytest.mark.usefixtures("offering")
@pytest.mark.parametrize(
    ("first_line", "imported"),
    [("", False), ("from offering import size\n", True), ("from . import size\n", True), ("import numpy\n", False)],
)
def test_a_package_is_not_imported_to_look_at_a_model_that_needs_nothing_of_it(tmp_path, first_line, imported):
    (tmp_path / "offering" / "__init__.py").write_text("LOOKED_AT = True\n")
    (tmp_path / "offering" / "models.py").write_text(f"{first_line}def small(units: int = 3):\n    return units\n")
    source = find("small", {})
    assert ("offering" in sys.modules) is imported
    assert source.load() == 3
