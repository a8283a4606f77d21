"""Archives and arrays that somebody else wrote: read within limits, or refused in words."""

import io
import struct
import zipfile

import numpy as np
import pytest

from kexport.bundle.archives import Archive
from kexport.bundle.data_files import load
from kexport.bundle.npz import NpzArrays, array_in, write
from kexport.errors import InputError


def archive(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def npy(array, **settings):
    stream = io.BytesIO()
    np.save(stream, array, **settings)
    return stream.getvalue()


def header(text):
    text = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def refusal(path, **limits):
    with pytest.raises(ValueError, match=r".") as refused:
        [bytes(content) for content in Archive(path, **limits).values()]
    return str(refused.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_back_whole(tmp_path, method):
    path = archive(tmp_path / "a.zip", {"a/b": b"one" * 99, "c": b""}, method)
    assert {name: bytes(content) for name, content in Archive(path).items()} == {"a/b": b"one" * 99, "c": b""}


def test_an_archive_grows_within_a_limit(tmp_path):
    path = archive(tmp_path / "a.zip", {"zeros": bytes(1 << 20)})
    assert len(Archive(path, expansion=1 << 20)["zeros"]) == 1 << 20
    assert "at most" in refusal(path, expansion=1 << 19)


def test_members_that_state_less_than_they_hold_are_damaged(tmp_path):
    content = bytearray(archive(tmp_path / "a.zip", {"zeros": bytes(1 << 20)}).read_bytes())
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 24, 1000)  # its size unpacked
    (tmp_path / "a.zip").write_bytes(content)
    assert "damaged" in refusal(tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "a\\b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    assert "strange name" in refusal(archive(tmp_path / "a.zip", {name: b""}))


def test_a_name_may_not_occur_twice(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a", b"2")
    assert "twice" in refusal(tmp_path / "a.zip")


def test_encrypted_members_and_other_methods_are_refused(tmp_path):
    assert "unknown method" in refusal(archive(tmp_path / "a.zip", {"a": b"1"}, zipfile.ZIP_LZMA))
    content = bytearray(archive(tmp_path / "a.zip", {"a": b"1"}).read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert "encrypted" in refusal(tmp_path / "a.zip")


def test_an_index_that_would_fill_the_memory_is_not_read(tmp_path):
    content = bytearray(archive(tmp_path / "a.zip", {"a": b"1"}).read_bytes())
    struct.pack_into("<L", content, len(content) - 10, 1 << 31)
    (tmp_path / "a.zip").write_bytes(content)
    assert "its index has" in refusal(tmp_path / "a.zip")


def test_no_byte_of_an_archive_can_be_changed_into_an_error_of_another_kind(tmp_path):
    whole = archive(tmp_path / "a.zip", {"a.npy": npy(np.arange(9.0)), "b.npy": npy(np.array("text"))}).read_bytes()
    random = np.random.default_rng(0)
    path, changed = tmp_path / "b.zip", 0
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= int(random.integers(1, 256))
        path.write_bytes(content[: len(content) if place % 7 else place])
        try:
            found = {name: array.tolist() for name, array in NpzArrays(Archive(path)).items()}
        except (OSError, ValueError):
            changed += 1
        else:
            assert [*found.values()] == [[*range(9)], "text"]
    assert changed > len(whole) // 2


def test_an_array_is_read_only_where_its_header_fits_its_bytes():
    array = np.arange(6, dtype="int16").reshape(2, 3)
    for stored in (array, np.asfortranarray(array), array[:0], np.array(5.0), np.array(["a", "bc"])):
        np.testing.assert_array_equal(array_in(memoryview(bytearray(npy(stored))), "x"), stored)
    for content in (npy(array)[:-1], npy(array) + b"1", b"", b"\x93NUMPY", npy(array)[:40]):
        with pytest.raises(ValueError, match=r"x|header"):
            array_in(memoryview(content), "x")


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -2)}",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}",
        "{'descr': 'f4,,', 'fortran_order': False, 'shape': ()}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, " * 40 + ")}",
        "{'descr': '<f4', 'fortran_order': False}",
        "[" * 3000,
        "1 +",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1" + "0" * 400 + ",)}",
        "",
    ],
    ids=lambda text: text[:24],
)
def test_a_header_that_claims_what_is_not_there_takes_no_memory(text):
    with pytest.raises(ValueError, match=r"x|header"):
        array_in(memoryview(header(text) + bytes(8)), "x")


@pytest.mark.parametrize("kind", [".npz", ".npy"])
def test_data_under_the_name_of_another_kind_is_refused(tmp_path, kind):
    path = tmp_path / f"data{kind}"
    if kind == ".npz":
        path.write_bytes(npy(np.zeros(3)))
    else:
        archive(path, {"x.npy": npy(np.zeros(3))})
    with pytest.raises(InputError, match="cannot be read"):
        load(path)


def test_data_that_is_damaged_inside_is_refused_whether_compressed_or_not(tmp_path):
    for size in (10, 1 << 19):
        write(tmp_path / "x.npz", {"x": np.arange(size)})
        content = bytearray((tmp_path / "x.npz").read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            load(tmp_path / "x.npz")


@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_hold_characters_only(order):
    words = np.array(["a", "\U0010ffff"], f"{order}U2")
    assert array_in(memoryview(npy(words)), "x").tolist() == words.tolist()
    for code in (0x110000, 0xFFFFFFFF):
        damaged = words.copy()
        damaged.view(f"{order}u4")[1] = code
        with pytest.raises(ValueError, match="'x' is damaged: it holds numbers that stand for no character"):
            array_in(memoryview(npy(damaged)), "x")
