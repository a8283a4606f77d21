"""What a person declares unseen, as `--unseen` and `kexport.build` take it."""

import pytest

from kexport.errors import UsageError
from kexport.factory.request import reasons


def test_a_reason_is_read_from_text_and_from_a_mapping():
    assert reasons(["conv_2: spare channels: for later", " y : padded "]) == {
        "conv_2": "spare channels: for later",
        "y": "padded",
    }
    assert reasons({"conv_2": "spare"}) == {"conv_2": "spare"}
    assert reasons("conv_2: spare") == {"conv_2": "spare"}


@pytest.mark.parametrize("text", ["conv_2", "conv_2:", ": why"])
def test_a_name_without_a_reason_is_refused(text):
    with pytest.raises(UsageError, match="has no reason"):
        reasons([text])
