"""The ledger: nothing is computed twice, damage is noticed, failures are rows."""

import errno
import lzma
import re
import sys
from hashlib import sha256

import ase.io
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculators import chain
from diverse.labels.labellers import Label
from diverse.labels.ledger import (
    Ledger,
    LedgerError,
    attach,
    label_key,
    merge,
    new_row,
    write_rows,
)
from diverse.labels.ledger.__main__ import main
from diverse.labels.ledger.query import failures, missing, summary
from diverse.labels.ledger.text import CHECKSUM, is_labelled, read_bytes, scan, to_atoms, to_text
from diverse.labels.ledger.writer import ReplacedError
from diverse.structures import write_cells
from ledger_writers import write_at_once
from paths import ROOT


def row(index, zhou, *, failed=False, moment=None):
    cell = new_row(chain(2, index), zhou)
    if failed:
        cell.info.update(status="failed", cause='it said "no", twice', attempts=5, seconds=1.5)
    else:
        cell.info.update(status="converged", iterations=12, attempts=1, seconds=3.0)
        forces = np.arange(6).reshape(2, 3) / 7
        attach(cell, Label(-20.1, -20.0, forces, np.arange(6) / 11, 12, 1, moment))
    return cell


@pytest.fixture
def three(tmp_path, zhou):
    """Path of a ledger of three rows, the second one a failure."""
    path = tmp_path / "a.xyz"
    ledger = Ledger(path)
    for index in range(3):
        ledger.append(row(index, zhou, failed=index == 1))
    return path


def test_a_label_is_found_again(three, tmp_path, zhou):
    key = label_key(chain(2, 0), zhou.protocol)
    written = row(0, zhou)
    for ledger in (Ledger(three), Ledger(tmp_path / "b.xyz", [three]), Ledger(None, [three])):
        found = ledger.find(key)
        assert found.info == written.info
        assert found.get_potential_energy(force_consistent=True) == -20.1
        assert found.get_potential_energy() == -20.0
        np.testing.assert_allclose(found.get_forces(), written.get_forces(), atol=1e-8)
        np.testing.assert_allclose(found.get_stress(), written.get_stress(), rtol=1e-12)
        assert ledger.notices == []
    assert not (tmp_path / "b.xyz").exists()


def test_a_row_says_where_its_label_comes_from(three):
    (first, second, _) = ase.io.read(three, index=":")  # plain ASE
    assert first.info["code"].startswith("lammps 2")
    assert len(first.info["potential_sha256"]) == 64
    assert first.info["d_min"] == 2.5
    assert (second.info["status"], second.info["cause"]) == ("failed", 'it said "no", twice')
    assert second.calc is None


def test_the_magnetic_moment_is_kept(zhou):
    read = to_atoms(to_text(row(0, zhou, moment=2.25)))
    assert read.get_magnetic_moment() == 2.25


def test_the_key_changes_with_what_matters(zhou):
    cell = chain(2)
    key = label_key(cell, zhou.protocol)
    moved, strained, other = cell.copy(), cell.copy(), cell.copy()
    moved.positions[0, 0] += 1e-5
    strained.set_cell(strained.cell.array * 1.00001)
    other.symbols[0] = "Ta"
    keys = {key, *(label_key(c, zhou.protocol) for c in (moved, strained, other))}
    keys.add(label_key(cell, "another protocol"))
    assert len(keys) == 5
    cell.info["config_type"] = "renamed"
    cell.positions += 1e-9
    assert label_key(cell, zhou.protocol) == key


@pytest.mark.parametrize("kept_bytes", [1, 2, 40, 300, -40, -1])
def test_a_torn_row_is_dropped_and_the_rest_kept(tmp_path, zhou, kept_bytes):
    path = tmp_path / "a.xyz"
    ledger = Ledger(path)
    ledger.append(row(0, zhou))
    whole = path.read_bytes()
    ledger.append(row(1, zhou))
    both = path.read_bytes()
    path.write_bytes(both[: len(whole) + kept_bytes] if kept_bytes > 0 else both[:kept_bytes])
    again = Ledger(path)
    assert path.read_bytes() == whole
    assert again.notices == [f"{path} ends within a row: that label is computed again"]
    assert not (tmp_path / "a.xyz.damaged").exists()
    assert again.find(label_key(chain(2, 0), zhou.protocol)) is not None
    assert again.find(label_key(chain(2, 1), zhou.protocol)) is None


ANY = st.text(st.characters(exclude_categories=()), max_size=40)  # surrogates too
HARD = [
    *("", " ", "300", "1e3", "007", "1_000", "٣", "T", "true", "nan", "-inf", "1 2 3", "T F"),
    *("a\nb", "a\r\nb", "\r", "\x0b\x0c\x1c\x85\u2028\u2029", "\x00", "\x1b[31m", "\t", "\xa0x"),
    *(
        "\ud800",
        "\udc80",
        "\ud83d\ude00",
        "\U0001f600",
        "\\",
        "C:\\new",
        "\\n",
        '\\"',
        '"',
        "'",
        "`",
    ),
    *("{", "}", "[1, 2]", "{a: 1}", '_JSON "x"', "_JSON nothing", "a=b", "=", "å Å 山"),
    *(" checksum=0123456789abcdef", " checksum=0123456789abcdef\n", "checksum=0123456789abcdef"),
    *(f" key={'0' * 32} ", f"\n1\nLattice=1 key={'0' * 32} checksum={'0' * 16}\nW 0 0 0\n", "key="),
]


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(ANY | st.sampled_from(HARD), min_size=4, max_size=4))
def test_any_text_comes_back_and_leaves_the_rows_beside_it_sound(texts, zhou):
    names = dict(zip(("cause", "dataset", "config_type", "trajectory"), texts, strict=True))
    cell = row(1, zhou, failed=True)
    cell.info.update(names)
    beside = [to_text(row(index, zhou)) for index in (0, 2)]
    found = scan(b"".join([beside[0], to_text(cell), beside[1]]))
    assert found.damaged == 0 and not found.torn and len(found.rows) == 3
    read = to_atoms(found.rows[cell.info["key"]])
    assert {name: read.info[name] for name in names} == names
    assert read.info == cell.info
    assert to_text(read) == to_text(cell)


@pytest.mark.parametrize("text", HARD)
def test_plain_ase_reads_any_text_that_is_no_pair_of_surrogates(tmp_path, zhou, text):
    cell = row(0, zhou)
    cell.info["config_type"] = text
    write_rows(tmp_path / "a.xyz", [cell])
    if text != "\ud83d\ude00":
        assert ase.io.read(tmp_path / "a.xyz").info["config_type"] == text


@pytest.mark.parametrize("text", ["300", "007", "T", "1e3", "nan"])
def test_names_in_rows_from_before_the_escapes_are_text(zhou, text):
    plain = to_text(row(0, zhou)).replace(b"trajectory=chain_2_0", f"trajectory={text}".encode())
    plain = CHECKSUM.sub(b"", plain)
    count, comment, atoms = plain.split(b"\n", 2)
    mark = b" checksum=" + sha256(plain).hexdigest()[:16].encode()
    (old,) = scan(b"\n".join([count, comment + mark, atoms])).rows.values()
    assert to_atoms(old).info["trajectory"] == text


@pytest.mark.parametrize("digits", ["1" * 32, "1" * 15 + "e" + "1" * 16])
def test_a_key_that_looks_like_a_number_is_text(zhou, digits):
    cell = row(0, zhou)
    cell.info.update(key=digits, protocol=digits[:16])
    (text,) = scan(to_text(cell)).rows.values()
    assert to_atoms(text).info == cell.info


def test_released_rows_are_written_as_they_are():
    for file in sorted((ROOT / "results/release").glob("labels*/*.xyz.xz")):
        rows = scan(read_bytes(file)).rows
        assert rows
        for text in rows.values():
            cell = to_atoms(text)
            assert to_text(cell) == text
            assert is_labelled(text) == (cell.info["status"] == "converged") == bool(cell.calc)


def test_a_cause_of_many_lines_is_one_line_of_a_table(tmp_path, zhou):
    cell = row(1, zhou, failed=True)
    cell.info["cause"] = "ERROR: no\nLast command: \x1b\udc80"
    Ledger(tmp_path / "a.xyz").append(cell)
    (cause,) = failures(Ledger(None, [tmp_path / "a.xyz"]).rows())["cause"]
    assert cause == "ERROR: no Last command: \\x1b\\udc80"


def ends(rows):
    """Return the places of the line breaks that end rows."""
    return [len(b"".join(rows[: n + 1])) - 1 for n in range(len(rows))]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_noticed_and_costs_one_row(data, zhou):
    rows = [to_text(row(index, zhou)) for index in range(3)]
    text = bytearray(b"".join(rows))
    breaks = st.sampled_from([8 * place + bit for place in ends(rows) for bit in range(8)])
    place = data.draw(breaks | st.integers(0, 8 * len(text) - 1))
    text[place // 8] ^= 1 << place % 8
    found = scan(bytes(text))
    hit = next(n for n in range(3) if place // 8 < len(b"".join(rows[: n + 1])))
    assert list(found.rows.values()) == [text for n, text in enumerate(rows) if n != hit]
    assert found.damaged + found.torn == 1


def test_a_damaged_ledger_is_copied_aside_and_named(three, zhou, drilled):
    bad = bytearray(three.read_bytes())
    bad[bad.index(b"cause") + 8] ^= 4
    three.write_bytes(bad)
    ledger = Ledger(three)
    assert (three.parent / "a.xyz.damaged").read_bytes() == bad
    (notice,) = ledger.notices
    assert str(three) in notice and "the other 2 are kept" in notice
    assert len(Ledger(None, [three]).rows()) == 2
    assert Ledger(three).notices == []
    drilled(
        "one bit of a ledger flipped",
        "it is copied aside and named; the other rows are kept",
        lost="the label of the row",
    )


def test_a_damaged_ledger_stays_until_its_sound_rows_are_written(three, monkeypatch):
    bad = three.read_bytes().replace(b"cause", b"Cause")
    three.write_bytes(bad)

    def write(path, rows):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("diverse.labels.ledger._write", write)
        with pytest.raises(OSError, match="No space left"):
            Ledger(three)
    assert three.read_bytes() == bad
    ledger = Ledger(three)
    assert len(ledger.rows()) == 2 and "the other 2 are kept" in ledger.notices[0]


def test_damaged_released_labels_are_not_used(three, tmp_path, zhou, drilled):
    packed = tmp_path / "a.xyz.xz"
    merge([three], packed)
    assert len(Ledger(None, [packed])._others) == 3
    damaged = bytearray(packed.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    packed.write_bytes(damaged)
    ledger = Ledger(None, [packed])
    assert ledger.find(label_key(chain(2, 0), zhou.protocol)) is None
    assert str(packed) in ledger.notices[0]
    drilled("one bit of the released labels flipped", "named, and computed again")


def test_a_sorted_ledger_does_not_depend_on_the_order_of_completion(tmp_path, zhou):
    rows = [row(index, zhou) for index in range(4)]
    keys = [cell.info["key"] for cell in rows]
    texts = set()
    for name, order in (("a", [0, 1, 2, 3]), ("b", [2, 3, 1, 0])):
        ledger = Ledger(tmp_path / name)
        for index in order:
            ledger.append(rows[index])
        ledger.sort(keys[:2])
        texts.add((tmp_path / name).read_bytes())
    assert len(texts) == 1
    assert [cell.info["key"] for cell in Ledger(None, [tmp_path / "a"]).rows()] == keys[
        :2
    ] + sorted(keys[2:])


def test_what_another_job_is_writing_is_read_and_left_to_it(three, tmp_path, zhou):
    torn = three.read_bytes()[:-40]
    three.write_bytes(torn)
    ledger = Ledger(tmp_path / "own.xyz", beside=[three, tmp_path / "gone.xyz"])
    assert [ledger.find(label_key(chain(2, n), zhou.protocol)) is None for n in range(3)] == [
        *(False, False, True)
    ]
    assert ledger.notices == [] and three.read_bytes() == torn


def test_a_second_row_of_a_key_replaces_the_first(tmp_path, zhou):
    ledger = Ledger(tmp_path / "a")
    ledger.append(row(0, zhou, failed=True))
    ledger.append(row(0, zhou))
    (kept,) = Ledger(None, [tmp_path / "a"]).rows()
    assert kept.info["status"] == "converged"


def test_a_failure_never_hides_a_label_in_whichever_file_it_stands(tmp_path, zhou):
    good, bad, own = tmp_path / "12.xyz", tmp_path / "3.xyz", tmp_path / "4.xyz"
    write_rows(good, [row(0, zhou)])
    write_rows(bad, [row(0, zhou, failed=True)])
    write_rows(own, [row(0, zhou, failed=True)])
    key = label_key(chain(2, 0), zhou.protocol)
    ledgers = [
        *(Ledger(None, files) for files in ([bad, good], [good, bad])),
        *(Ledger(tmp_path / "9.xyz", beside=files) for files in ([bad, good], [good, bad])),
        *(Ledger(tmp_path / "9.xyz", [bad], beside=[good]), Ledger(own, [good])),
    ]
    for ledger in ledgers:
        (kept,) = ledger.rows()
        assert kept.info["status"] == ledger.find(key).info["status"] == "converged"
    assert Ledger(own).find(key).info["status"] == "failed"  # elsewhere it counts
    assert Ledger(tmp_path / "9.xyz", beside=[bad]).find(key).info["status"] == "failed"
    twice = scan(good.read_bytes() + bad.read_bytes())
    assert list(twice.rows.values()) == [good.read_bytes()]


def test_a_merged_file_holds_a_failure_only_where_no_file_has_the_label(tmp_path, zhou):
    first = [row(index, zhou, failed=index != 1) for index in range(3)]
    second = [row(0, zhou), row(2, zhou, failed=True)]
    write_rows(tmp_path / "0.xyz", first)
    write_rows(tmp_path / "1.xyz", second)
    merge([tmp_path / "0.xyz", tmp_path / "1.xyz"], tmp_path / "all.xyz")
    assert (tmp_path / "all.xyz").read_bytes() == b"".join(
        map(to_text, [first[1], first[2], second[0]])
    )


@pytest.mark.parametrize("number", ["11", "13"])
def test_a_writer_stops_once_another_has_opened_the_file(tmp_path, zhou, monkeypatch, number):
    """A node cut off from its cluster still runs the job that was started again elsewhere."""
    path = tmp_path / "0.xyz"
    monkeypatch.setenv("SLURM_JOB_ID", number)
    cut_off = Ledger(path)
    cut_off.append(row(0, zhou))
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    second = Ledger(path)
    second.append(row(2, zhou))
    written = path.read_bytes()
    with pytest.raises(
        ReplacedError, match="Slurm job 12 on .* has taken .*0.xyz over: .* is kept"
    ):
        cut_off.append(row(3, zhou))
    assert path.read_bytes() == written
    with pytest.raises(ReplacedError, match="Slurm job 12"):
        cut_off.sort([])  # it does not know the other's rows, and would drop them
    assert path.read_bytes() == written
    second.append(row(1, zhou))
    second.sort([])
    with pytest.raises(ReplacedError, match="another job has taken"):
        cut_off.append(row(3, zhou))  # the other has ended, too
    assert len(Ledger(None, [path]).rows()) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["0.xyz"]


def test_of_two_jobs_that_write_at_once_the_second_ends_the_ledger(tmp_path, zhou, drilled):
    rows = [row(index, zhou) for index in range(60)]
    write_rows(tmp_path / "wanted.xyz", rows)
    path = tmp_path / "0.xyz"
    (code, said), second = write_at_once(tmp_path / "wanted.xyz", path, [[], []])
    assert second == (0, "")
    assert code == 1
    assert re.search("has taken .*0.xyz over: this job stops", said), said
    assert path.read_bytes() == (tmp_path / "wanted.xyz").read_bytes()
    drilled(
        "a chunk is labelled by a second job, while the first one labels on",
        "the first says so and stops; the ledger of an undisturbed job, byte by byte",
    )


@pytest.mark.parametrize(("overlap", "kept"), [(0, 3), (40, 2)])
def test_a_row_that_came_late_costs_no_row_of_the_writer(tmp_path, zhou, overlap, kept):
    """Behind its last row it is a further one; on its last row it is lost, and that row is not."""
    path, rows = tmp_path / "0.xyz", [row(index, zhou) for index in range(3)]
    ledger = Ledger(path)
    for cell in rows[:2]:
        ledger.append(cell)
    written = path.read_bytes()
    path.write_bytes(written[: len(written) - overlap] + to_text(rows[2]))
    ledger.sort([cell.info["key"] for cell in rows])
    assert path.read_bytes() == b"".join(map(to_text, rows[:kept]))


def test_merge(tmp_path, zhou, monkeypatch):
    rows = [row(index, zhou) for index in range(3)]
    write_rows(tmp_path / "0.xyz", rows[:2])
    write_rows(tmp_path / "1.xyz", rows[1:])
    merge([tmp_path / "0.xyz", tmp_path / "1.xyz"], tmp_path / "all.xyz.xz")
    text = lzma.decompress((tmp_path / "all.xyz.xz").read_bytes())
    assert text == b"".join(map(to_text, rows))
    monkeypatch.setattr("diverse.labels.ledger.LARGE", len(text) // 2)  # packed at another level
    merge([tmp_path / "0.xyz", tmp_path / "1.xyz"], tmp_path / "large.xyz.xz")
    large = (tmp_path / "large.xyz.xz").read_bytes()
    assert large != (tmp_path / "all.xyz.xz").read_bytes() and lzma.decompress(large) == text
    damaged = (tmp_path / "1.xyz").read_bytes()[:-5]
    (tmp_path / "1.xyz").write_bytes(damaged)
    with pytest.raises(LedgerError, match=r"1\.xyz is damaged; remove it and run"):
        merge([tmp_path / "0.xyz", tmp_path / "1.xyz"], tmp_path / "all.xyz.xz")


def test_questions_to_a_ledger(three, zhou):
    (line,) = summary(Ledger(None, [three]).rows()).to_dict("records")
    assert (line["dataset"], line["cells"], line["environments"], line["failed"]) == (
        "test",
        3,
        6,
        1,
    )
    assert line["core_seconds"] == pytest.approx(3.0 + 1.5 + 3.0)
    lost = failures(Ledger(None, [three]).rows())
    assert lost["cause"].tolist() == ['it said "no", twice']
    assert lost["attempts"].tolist() == [5]
    cells = [chain(2, index) for index in range(5)]
    absent = missing(cells, zhou.protocol, Ledger(None, [three]))
    assert [cell.info["trajectory"] for cell in absent] == ["chain_2_3", "chain_2_4"]
    assert isinstance(failures([]), pd.DataFrame)


def ask(capsys, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["python -m diverse.labels.ledger", *map(str, arguments)])
    main()
    return " ".join(capsys.readouterr().out.split())


def test_a_newcomer_asks_what_is_here_and_what_failed(three, capsys, monkeypatch, zhou):
    text = ask(capsys, monkeypatch, three)
    assert "What is here: 3 cells, 6 environments." in text
    assert f"{zhou.protocol} lammps lammps 2" in text
    assert "What failed: 1 cells." in text
    assert 'chain_2_1 2 2.5 it said "no", twice 5' in text
    assert "What is missing: give --cells" in text


def test_a_newcomer_asks_what_is_missing(three, tmp_path, capsys, monkeypatch, zhou):
    write_cells(tmp_path / "cells.xyz", [chain(2, index) for index in range(40)])
    text = ask(capsys, monkeypatch, three, "--cells", tmp_path / "cells.xyz")
    assert f"What is missing of 40 cells under protocol {zhou.protocol}: 37." in text
    assert "dataset converged failed missing test 2 1 37" in text
    assert "chain_2_3 2" in text and "chain_2_39" not in text
    assert text.endswith("... and 7 more")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{ledger}", "nowhere.xyz"], "there is no file nowhere.xyz"),
        (["{empty}", "--cells", "{ledger}"], "--protocol must be given: these ledgers hold none"),
    ],
)
def test_a_newcomers_mistakes_are_named(three, capsys, monkeypatch, arguments, sentence):
    empty = three.with_name("empty.xyz")
    empty.touch()
    with pytest.raises(SystemExit):
        ask(capsys, monkeypatch, *(a.format(ledger=three, empty=empty) for a in arguments))
    assert sentence in capsys.readouterr().err
