"""Temporary folders for arrays: removed at the end, also those that a killed process has left behind."""

from kexport.field.scratch import temporary_folder


def test_what_a_killed_search_left_in_memory_is_removed_by_the_next_one():
    with temporary_folder() as folder:
        dead = folder.with_name("kexport.4194305.left")  # beyond the largest number of a process
        dead.mkdir()
        with temporary_folder():
            assert not dead.exists()
            assert folder.exists()
    assert not folder.exists()
