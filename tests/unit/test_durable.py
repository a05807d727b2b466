"""Files that are whole or absent."""

import pytest

from idiolect.models import durable


def test_write_replaces_what_was_there(tmp_path):
    durable.write(tmp_path / "file", b"old")
    durable.write(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"new")]


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    (tmp_path / "place").mkdir()
    with pytest.raises(OSError, match="place"):
        durable.write(tmp_path / "place", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_publish_moves_the_file(tmp_path):
    made, final = tmp_path / "made", tmp_path / "final"
    made.write_bytes(b"new")
    final.write_bytes(b"old")
    durable.publish(made, final)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("final", b"new")]
