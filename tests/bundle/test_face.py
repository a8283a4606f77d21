"""The names that `kexport.bundle` offers."""

import subprocess
import sys

import pytest

import kexport.bundle


@pytest.mark.parametrize("name", kexport.bundle.__all__)
def test_every_name_of_the_package_can_be_imported_from_it(name):
    assert getattr(kexport.bundle, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        kexport.bundle.Nothing  # noqa: B018  the access is what raises


def test_a_report_is_read_without_numpy():
    code = "import sys, kexport.bundle.report\nassert 'numpy' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
