"""Names in comment lines: text that comes back as the same text, from files and ledgers."""

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from diverse.datasets.literature.importer import without_labels
from diverse.datasets.split import Outline, split_cells
from diverse.labels.chunk import label_cells
from diverse.labels.labellers import Label
from diverse.labels.ledger import Ledger, attach, merge
from diverse.labels.pool import Effort
from diverse.structures import read_cells, tagged, write_cells
from diverse.structures.comment_line import CommentError, pairs, read_info, text, writable

NAMES = [
    *("300", "0300", "T", "F", "true", "nan", "inf", "1e5", "1_0", "a b", 'a"b', "it's", "a=b"),
    *(
        "{x}",
        "[1,2]",
        "{",
        "]",
        "é ü 金",
        "a\\b",
        "a\nb",
        "a\tb",
        " a",
        "_JSON 3",
        "\\",
        "=",
        "1 2",
    ),
    *("", "uid", "None", "-", "checksum=0123456789abcdef", "</td><script>"),
]


@pytest.mark.parametrize(
    "line", ["a=1 b=two", 'a="x y" b={z w} c=[1 2] d', "a = b c=d=e", 'a="" b']
)
def test_pairs_of_a_comment_line(line):
    expected = {
        "a=1 b=two": [("a", "1"), ("b", "two")],
        'a="x y" b={z w} c=[1 2] d': [("a", "x y"), ("b", "z w"), ("c", "1 2"), ("d", "T")],
        "a = b c=d=e": [("a", "b"), ("c", "d=e")],
        'a="" b': [("a", ""), ("b", "T")],
    }
    assert pairs(line) == expected[line]


def test_an_open_quote_is_said():
    with pytest.raises(CommentError, match="never closed"):
        pairs('Lattice="1 0 0 energy=3')


@given(name=st.text(max_size=12))
def test_any_text_comes_back(name):
    from ase.io.extxyz import key_val_dict_to_str, key_val_str_to_dict

    info = {"config_type": name, "trajectory": f"{name}_0", "n": 3}
    line = key_val_dict_to_str(writable(info))
    assert line.isprintable()
    assert read_info(line) == info
    assert key_val_str_to_dict(line) == info  # in ASE alone, without this repository
    assert {key: text(value) for key, value in pairs(line)} == {**info, "n": "3"}


@pytest.mark.parametrize("name", ["300", "T", "0300", "1e5", "nan"])
def test_names_that_stand_plain_are_read_as_text(name):
    assert read_info(f"config_type={name} dataset={name} n=3") == {
        "config_type": name,
        "dataset": name,
        "n": 3,
    }


@pytest.mark.parametrize("name", NAMES)
def test_names_survive_files_ledgers_and_splits(name, tmp_path):
    cell = tagged(bulk("W"), name, f"{name}_0")
    cell.info.update(dataset=name, key="1" * 32, protocol="1" * 16, status="converged")
    attach(cell, Label(-1.0, -2.0, np.zeros((1, 3)), np.zeros(6)))
    write_cells(tmp_path / "cells.xyz", [cell])
    (read,) = read_cells(tmp_path / "cells.xyz")
    assert read.info == cell.info
    assert read.get_potential_energy() == -2.0
    assert Outline.of(read)[:2] == (name, f"{name}_0")
    assert split_cells([Outline.of(read)], 1.0, None, np.random.default_rng(0))[1] == {0}
    ledger = Ledger(tmp_path / "ledger.xyz")
    ledger.append(cell)
    again = Ledger(tmp_path / "ledger.xyz")
    assert not again.notices
    assert again.find("1" * 32).info == cell.info
    merge([tmp_path / "ledger.xyz"], tmp_path / "all.xyz.xz")
    (merged,) = Ledger(None, [tmp_path / "all.xyz.xz"]).rows()
    assert merged.info == cell.info
    if name:
        plain = ase.io.read(tmp_path / "cells.xyz")
        assert plain.info["config_type"] == name


def test_a_group_called_300_is_relabelled(tmp_path, zhou):
    cell = tagged(bulk("W", a=3.2), "300", "300_0")
    cell.info.update(dataset="d", record="x.xyz:0")
    write_cells(tmp_path / "cells.xyz", without_labels([cell]))
    cells = read_cells(tmp_path / "cells.xyz")
    (row,) = label_cells(
        cells, zhou, Ledger(tmp_path / "l.xyz"), effort=Effort(), log=tmp_path / "log", say=print
    )
    write_cells(tmp_path / "labels.xyz", [row])
    (read,) = read_cells(tmp_path / "labels.xyz")
    assert (read.info["config_type"], read.info["trajectory"]) == ("300", "300_0")
    assert read.calc is not None
