"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import pytest

from secant.learn.errors import InputError
from secant.learn.output import check_new_file, free_folder, whole_file, whole_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_at_the_end(tmp_path):
    out = tmp_path / "deep" / "model"
    with whole_folder(out) as place:
        (place / "a").write_text("1")
        assert not out.exists()
    assert names(out) == ["a"]
    assert names(tmp_path / "deep") == ["model"]


def fail_in_folder(path, error):
    with whole_folder(path) as place:
        (place / "new").write_text("2")
        raise error


def fail_in_file(path, error):
    with whole_file(path) as file:
        file.write_text("half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path, error):
    out = tmp_path / "model"
    out.mkdir()
    (out / "old").write_text("1")
    with pytest.raises(error):
        fail_in_folder(out, error)
    with pytest.raises(error):
        fail_in_file(tmp_path / "file", error)
    assert names(tmp_path) == ["model"]
    assert names(out) == ["old"]


def test_replacing(tmp_path):
    for content in ("1", "2"):
        with whole_folder(tmp_path / "model") as place:
            (place / content).write_text(content)
        with whole_file(tmp_path / "file") as file:
            file.write_text(content)
    assert names(tmp_path) == ["file", "model"]
    assert names(tmp_path / "model") == ["2"]
    assert (tmp_path / "file").read_text() == "2"


def test_free_folder(tmp_path):
    assert free_folder(tmp_path / "a").name == "a"
    for name in ("a", "a-2"):
        (tmp_path / name).mkdir()
    assert free_folder(tmp_path / "a").name == "a-3"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        check_new_file(tmp_path, replace=True)
