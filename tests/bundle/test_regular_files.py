import os
import socket
import threading

import pytest

from kexport.bundle.digests import digest
from kexport.bundle.regular_files import exists, names_in, open_regular, read_regular
from kexport.errors import ArtifactError


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "file").write_bytes(b"content")
    (tmp_path / "outside").write_bytes(b"secret")
    return folder


def refusal(path, within=None, **limits):
    """What is wrong, in words; a call that blocks fails instead of hanging the tests."""
    caught = []

    def read():
        try:
            read_regular(path, within, **limits)
        except OSError as error:
            caught.append(error.strerror)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert caught
    return caught[0]


def test_the_content_of_a_regular_file_is_read(bundle):
    assert read_regular(bundle / "file", bundle) == b"content"


def test_a_pipe_is_refused_at_once(bundle):
    os.mkfifo(bundle / "pipe")
    assert "named pipe" in refusal(bundle / "pipe", bundle)


def test_a_socket_a_folder_and_a_device_are_refused(bundle):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(bundle / "s"))
    (bundle / "zero").symlink_to("/dev/zero")
    assert "a socket" in refusal(bundle / "s")
    assert "a folder" in refusal(bundle)
    assert "a device" in refusal(bundle / "zero")
    assert "leads out of the bundle" in refusal(bundle / "zero", bundle)


def test_a_link_may_lead_anywhere_in_the_bundle_and_nowhere_else(bundle):
    (bundle / "inner").symlink_to("file")
    assert read_regular(bundle / "inner", bundle) == b"content"
    (bundle / "away").symlink_to("..")
    (bundle / "outer").symlink_to("../outside")
    for path in ("outer", "away/outside"):
        assert "leads out of the bundle" in refusal(bundle / path, bundle)
        assert read_regular(bundle / path) == b"secret"  # nothing is wrong with it where no bundle is concerned


def test_a_folder_whose_name_only_begins_alike_is_outside(bundle):
    (bundle.parent / "bundle2").mkdir()
    (bundle.parent / "bundle2" / "file").touch()
    (bundle / "link").symlink_to("../bundle2/file")
    assert "leads out of the bundle" in refusal(bundle / "link", bundle)


def test_the_bundle_itself_may_be_reached_through_a_link(bundle):
    (bundle.parent / "latest").symlink_to("bundle")
    assert read_regular(bundle.parent / "latest" / "file", bundle.parent / "latest") == b"content"


def test_a_link_that_leads_to_itself_is_an_error(bundle):
    (bundle / "loop").symlink_to("loop")
    assert refusal(bundle / "loop", bundle)


def test_no_more_is_read_than_the_limit(bundle):
    assert read_regular(bundle / "file", most=7) == b"content"
    assert "at most 6" in refusal(bundle / "file", most=6)
    with (bundle / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert "too large" in refusal(bundle / "sparse")
    with pytest.raises(ArtifactError, match="too large"):
        digest(bundle / "sparse", most=1 << 32)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300])
def test_a_name_that_no_file_can_have_is_an_error(bundle, name):
    assert refusal(bundle / name, bundle)
    with pytest.raises(OSError, match="name"):
        exists(bundle / name)


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(bundle):
    assert names_in(bundle) == ["file"]
    assert names_in(bundle / "none") == []
    assert names_in(bundle / "file") == []
    (bundle / "up").symlink_to("..")
    (bundle / "loop").symlink_to("loop")
    for wrong in ("up", "loop"):
        with pytest.raises(OSError, match=r"symbolic link"):
            names_in(bundle / wrong, bundle)


def test_it_is_known_whether_a_file_exists(bundle):
    assert exists(bundle / "file")
    assert not exists(bundle / "none")
    assert not exists(bundle / "file" / "below")


def test_a_descriptor_is_closed_again_when_the_file_is_refused(bundle):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        with pytest.raises(OSError, match="folder"):
            open_regular(bundle)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_neither_file_nor_folder_has_no_digest(bundle):
    os.mkfifo(bundle / "pipe")
    with pytest.raises(ArtifactError, match="named pipe"):
        digest(bundle)
