"""The ledger: nothing is computed twice, nothing finished is lost, failures are rows."""

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from diverse.labellers import LabelError
from diverse.ledger import Ledger, label_key
from diverse.structures import tagged


def displaced(index):
    atoms = bulk("W", a=3.165).repeat((2, 1, 1))
    atoms.rattle(0.1, seed=index)
    return tagged(atoms, "test", f"test_{index}")


def test_a_label_is_found_again(tmp_path, zhou):
    cell = displaced(0)
    row = Ledger(tmp_path / "a.xyz").compute(cell, zhou, tmp_path / "log")
    found = Ledger(tmp_path / "a.xyz").find(label_key(cell, zhou.protocol))
    assert found.info["status"] == "converged"
    assert found.get_potential_energy() == row.get_potential_energy()
    np.testing.assert_allclose(found.get_forces(), row.get_forces(), atol=1e-8)
    np.testing.assert_allclose(found.get_stress(), row.get_stress(), rtol=1e-12)
    other = Ledger(tmp_path / "b.xyz", [tmp_path / "a.xyz"])
    assert other.find(label_key(cell, zhou.protocol)) is not None
    assert not (tmp_path / "b.xyz").exists()


def test_the_key_changes_with_what_matters(zhou):
    cell = displaced(0)
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


@pytest.mark.parametrize("kept_bytes", [1, 40, 300, -1])
def test_a_torn_row_is_dropped_and_the_rest_kept(tmp_path, zhou, kept_bytes):
    path = tmp_path / "a.xyz"
    ledger = Ledger(path)
    ledger.compute(displaced(0), zhou, tmp_path / "log")
    whole = path.read_bytes()
    ledger.compute(displaced(1), zhou, tmp_path / "log")
    both = path.read_bytes()
    cut = both[: len(whole) + kept_bytes] if kept_bytes > 0 else both[:kept_bytes]
    path.write_bytes(cut)
    again = Ledger(path)
    assert path.read_bytes() == whole
    assert again.find(label_key(displaced(0), zhou.protocol)) is not None
    assert again.find(label_key(displaced(1), zhou.protocol)) is None


class Refusing:
    kind, protocol = "refusing", "0"

    def label(self, atoms, log):
        raise LabelError("it refused")


def test_a_failure_is_a_row(tmp_path):
    ledger = Ledger(tmp_path / "a.xyz")
    row = ledger.compute(displaced(0), Refusing(), tmp_path / "log")
    assert (row.info["status"], row.info["cause"]) == ("failed", "it refused")
    (read,) = ase.io.read(tmp_path / "a.xyz", index=":")
    assert read.info["cause"] == "it refused"
    assert read.calc is None
