"""Compressed tables: read like plain ones, refused in a sentence when damaged, written the same way."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import zstandard

from secant.learn.errors import InputError
from secant.learn.prediction import write_predictions
from secant.learn.tables import data as data_module
from secant.learn.tables.compression import check_ending
from secant.learn.tables.data import read_columns_as_text, read_table
from secant.learn.tables.source import open_source

TABLE = pd.DataFrame({"x": np.arange(40) / 7, "code": [f"0{k % 3}" for k in range(40)], "y": 1.5})
TEXT = TABLE.to_csv(index=False).encode()


def zipped(content: bytes, name: str = "folder/t.csv", **more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, inside in {name: content, **more}.items():
            archive.writestr(member, inside)
    return buffer.getvalue()


PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    ".zip": zipped,
}
each_ending = pytest.mark.parametrize("ending", PACK)


@each_ending
@pytest.mark.parametrize("name", ["t.csv{}", "T.CSV{}", "no table here", "t.csv"])
def test_a_compressed_table_is_a_table(tmp_path, ending, name):
    """By its first bytes: whatever it is called, but for the ending of another compression."""
    path = tmp_path / name.format(ending.upper() if name.isupper() else ending)
    path.write_bytes(PACK[ending](TEXT))
    frame = read_table(path, text=["code"])
    pd.testing.assert_frame_equal(frame, TABLE)
    codes = read_columns_as_text(path, ["code"])
    pd.testing.assert_frame_equal(codes, TABLE[["code"]])


@each_ending
def test_what_is_inside_says_which_separator_there_is(tmp_path, ending):
    text = TABLE.to_csv(index=False, sep="\t").encode()
    packed = zipped(text, "t.tsv") if ending == ".zip" else PACK[ending](text)
    (tmp_path / f"t.tsv{ending}").write_bytes(packed)
    assert list(read_table(tmp_path / f"t.tsv{ending}").columns) == ["x", "code", "y"]
    (tmp_path / f"t.csv{ending}").write_bytes(PACK[ending](text))
    with pytest.raises(InputError, match="tabs seem to, so give --separator tab"):
        read_table(tmp_path / f"t.csv{ending}")


@each_ending
def test_standard_input_and_open_files_may_be_compressed(tmp_path, ending, monkeypatch):
    packed = PACK[ending](TEXT)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(packed)))
    pd.testing.assert_frame_equal(read_table("-", text=["code"]), TABLE)
    pd.testing.assert_frame_equal(read_table(io.BytesIO(packed), text=["code"]), TABLE)


def test_a_file_that_python_decompresses_is_read_once(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TEXT))
    with gzip.open(tmp_path / "t.csv.gz") as file:
        pd.testing.assert_frame_equal(read_table(file, text=["code"]), TABLE)


def test_parquet_may_be_compressed_once_more(tmp_path):
    pytest.importorskip("pyarrow")
    buffer = io.BytesIO()
    TABLE.to_parquet(buffer)
    for ending, pack in PACK.items():
        content = buffer.getvalue()
        packed = zipped(content, "t.parquet") if ending == ".zip" else pack(content)
        path = tmp_path / f"t.parquet{ending}"
        path.write_bytes(packed)
        assert read_table(path)["x"].tolist() == TABLE["x"].tolist()


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_several_streams_in_one_file_are_one_table(tmp_path, ending):
    pack = PACK[ending]
    (tmp_path / "t.csv").write_bytes(pack(TEXT[:100]) + pack(TEXT[100:]))
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv", text=["code"]), TABLE)


def test_zstd_frames_that_are_to_be_skipped(tmp_path):
    """As pzstd begins, which compresses with several threads."""
    note = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    (tmp_path / "t.csv.zst").write_bytes(note + PACK[".zst"](TEXT[:100]) + PACK[".zst"](TEXT[100:]))
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv.zst", text=["code"]), TABLE)


def test_the_shadows_of_an_archive_from_a_mac_are_no_tables(tmp_path):
    shadow = {"__MACOSX/._t.csv": b"\0\5\26\7", "folder/": b""}
    (tmp_path / "t.zip").write_bytes(zipped(TEXT, **shadow))
    assert len(read_table(tmp_path / "t.zip")) == 40


# --- Damage

LARGE = pd.DataFrame(np.random.default_rng(0).normal(size=(3000, 3)), columns=["a", "b", "c"])


@each_ending
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_a_file_that_was_cut_short(tmp_path, ending, share):
    packed = PACK[ending](LARGE.to_csv(index=False).encode())
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(packed[: int(share * len(packed))])
    with pytest.raises(InputError, match=r"t\.csv\S+ is (cut short: its|damaged, )"):
        read_table(path)


@each_ending
def test_a_file_with_a_wrong_byte(tmp_path, ending):
    packed = bytearray(PACK[ending](LARGE.to_csv(index=False).encode()))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(packed)
    with pytest.raises(InputError, match=r"t\.csv\S+ is (damaged, \w+ cannot read it|cut short)"):
        read_table(path)


def encrypted() -> bytes:
    packed = bytearray(zipped(TEXT))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + place] |= 1
    return bytes(packed)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("t.csv.gz", TEXT, r"t\.csv\.gz is no gzip file, whatever its name says"),
        ("t.csv.gz", bz2.compress(TEXT), r"t\.csv\.gz is no gzip file"),
        ("t.csv.gz", b"", r"t\.csv\.gz is empty: a header line and rows are needed"),
        ("t.csv.gz", gzip.compress(b"", mtime=0), r"t\.csv\.gz is empty"),
        ("t.csv.gz", gzip.compress(b"x,y\n", mtime=0), "has a header and no rows"),
        ("t.csv.gz", gzip.compress(gzip.compress(TEXT), mtime=0), r"t\.csv\.gz is a binary file"),
        (
            "t.csv.gz",
            gzip.compress("x,größe\n1,2\n".encode("latin-1"), mtime=0),
            "is not UTF-8 text",
        ),
        ("t.csv.xz", lzma.compress(b"x,x\n1,2\n"), "more than one column named 'x'"),
        ("t.csv.bz2", bz2.compress(b"x,y\n1,2,3\n"), "cells while the header names 2 columns"),
        ("t.zip", zipped(TEXT, "a.csv", **{"b.csv": TEXT}), "holds 2 files, 'a.csv', 'b.csv': an"),
        ("t.zip", zipped(b"", "folder/"), "holds no file: an archive must hold one table"),
        ("t.zip", encrypted(), "is encrypted: unpack it first"),
        ("t.xlsx", zipped(b"", "[Content_Types].xml", a=b""), "binary file of an office program"),
        ("t.csv", b"PK\x03\x04 something", r"t\.csv is damaged, zip cannot read it"),
        ("t.csv.zst", b"\x28\xb5\x2f\xfd\x04\x00", r"t\.csv\.zst is cut short: its zstd data have"),
        ("t.csv.zst", PACK[".zst"](TEXT) + b"more", r"t\.csv\.zst is damaged, zstd cannot read it"),
    ],
)
def test_what_is_no_compressed_table(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=expected):
        read_table(tmp_path / name)


def test_three_letters_are_no_compression(tmp_path):
    (tmp_path / "t.csv").write_text("BZh9,y\n1,2\n")
    assert list(read_table(tmp_path / "t.csv").columns) == ["BZh9", "y"]


def test_a_table_larger_than_the_memory_is_a_sentence(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise MemoryError

    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TEXT))
    monkeypatch.setattr(data_module.pd, "read_csv", full)
    for read in (read_table, lambda path: read_columns_as_text(path, ["x"])):
        with pytest.raises(InputError, match=r"t\.csv\.gz is larger than the memory that there is"):
            read(tmp_path / "t.csv.gz")


@each_ending
def test_files_are_closed(tmp_path, ending, recwarn):
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(PACK[ending](TEXT))
    source = open_source(path)
    file = source.open()
    assert file.read(5) == b"x,cod"
    file.close()
    assert file.closed
    assert source.table_name == "t.csv"
    assert not [one for one in recwarn if one.category is ResourceWarning]


# --- Writing

UNPACK = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda packed: zstandard.ZstdDecompressor().stream_reader(packed).read(),
}


@each_ending
def test_predictions_are_compressed_as_their_name_says(tmp_path, ending):
    path = tmp_path / f"p.csv{ending}"
    write_predictions(TABLE, path)
    pd.testing.assert_frame_equal(pd.read_csv(path, dtype={"code": str}), TABLE)
    if ending in UNPACK:
        assert UNPACK[ending](path.read_bytes()).decode() == TABLE.to_csv(index=False)
    else:
        assert zipfile.ZipFile(path).namelist() == ["p.csv"]
    first = path.read_bytes()
    write_predictions(TABLE, path)
    assert path.read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_predictions_without_ending_are_plain_text(tmp_path):
    write_predictions(TABLE, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text() == TABLE.to_csv(index=False)
    write_predictions(TABLE, tmp_path / "p.zip")
    assert zipfile.ZipFile(tmp_path / "p.zip").namelist() == ["p.csv"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "p.csv.gz"
    path.write_bytes(b"before")

    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_predictions(TABLE, path)
    assert path.read_bytes() == b"before"
    assert [file.name for file in Path(tmp_path).iterdir()] == ["p.csv.gz"]


def test_an_ending_that_nothing_here_writes_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"compressed files end in '\.gz', '\.bz2', '\.xz', '\.zst', '\.zip', "
    ):
        write_predictions(TABLE, tmp_path / "p.csv.lz4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["p.tsv", "p.tsv.gz", "p.parquet", "p.pq.xz", "p.csv.bz2", "p.tsv.zst"]
)
def test_what_is_written_is_read(tmp_path, name):
    if "p.p" in name:
        pytest.importorskip("pyarrow")
    write_predictions(TABLE, tmp_path / name)
    pd.testing.assert_frame_equal(read_table(tmp_path / name, text=["code"]), TABLE)


def test_parquet_without_its_package_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        InputError, match=r"p\.parquet is a Parquet file, and writing it needs pyarrow"
    ):
        write_predictions(TABLE, tmp_path / "p.parquet")
    assert list(tmp_path.iterdir()) == []


def test_zstd_without_its_package_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "t.csv.zst").write_bytes(PACK[".zst"](TEXT))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    expected = (
        r"t\.csv\.zst needs the package zstandard; install it with: pip install 'secant\[zstd\]'"
    )
    with pytest.raises(InputError, match=expected):
        read_table(tmp_path / "t.csv.zst")
    for write in (check_ending, lambda name: write_predictions(TABLE, tmp_path / name)):
        with pytest.raises(InputError, match=r"p\.csv\.zst needs the package zstandard"):
            write("p.csv.zst")
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv.zst"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT)], ids=["plain", "gzip"])
def test_a_pipe_is_read_once(tmp_path, content):
    """As a shell makes one for <(...)."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    frame = read_table(open_source(pipe), text=["code"])
    writer.join()
    pd.testing.assert_frame_equal(frame, TABLE)
