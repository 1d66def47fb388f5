"""The gallery shows the cells as they are."""

import numpy as np
from ase.build import bulk

from diverse.report.plotting import gallery
from diverse.report.plotting.gallery import DEPTH, HALF, window
from diverse.structures import tagged


def test_the_window_is_full_of_a_crystal_and_the_cell_lies_in_it():
    for cell in (bulk("W", a=3.165), bulk("W", a=3.165, cubic=True).repeat((4, 1, 1))):
        positions, own = window(cell)
        volume = (2 * HALF) ** 2 * DEPTH  # half a layer more or less on each face
        layer = 3.165 / 4
        room = [(2 * HALF + s * layer) ** 2 * (DEPTH + s * 2 * layer) for s in (-2, 2)]
        density = len(cell) / cell.get_volume()
        assert room[0] * density < len(positions) < room[1] * density
        assert room[0] < volume < room[1]
        assert own.sum() == len(cell)
        assert (np.diff(positions[:, 1]) <= 0).all()  # the frontmost is drawn last


def test_every_group_has_a_picture():
    cells = [tagged(bulk("W", a=3.1 + 0.01 * n), f"group{n % 3}", "t") for n in range(7)]
    for cell in cells:
        cell.info["dataset"] = "expert"
    titles = [axis.get_title() for axis in gallery(cells).axes]
    assert titles[:3] == ["expert (3)\ngroup0", "expert (2)\ngroup1", "expert (2)\ngroup2"]
    assert set(titles[3:]) == {""}
