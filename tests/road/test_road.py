"""The newcomer's road: every block of commands on the pages is run, or says why it is not.

`ROAD` says of each block how it is tested. Blocks that take minutes run by
`DIVERSE_THOROUGH=1 ./envs/run pytest tests/road`. Of a block that is not run, lines with --dry-run
are, and of all others programs, options, targets and study files must be there.
"""

import os
import shutil
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from PIL import Image

from diverse import lammps_library
from markdown_blocks import (
    Block,
    blocks,
    check_command,
    command_lines,
    inline_commands,
    is_command,
    make_clone,
    run_block,
)
from paths import ROOT

THOROUGH = bool(os.environ.get("DIVERSE_THOROUGH"))
CARDS = "results/release/potentials/*/README.md"
PAGES = [
    *("README.md", "config/README.md", "workflow/README.md", "results/release/labels/README.md"),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "config/tutorials").glob("*.md")),
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(CARDS)),
]
PICTURES = {  # of the tutorials, and the files that their commands make
    "config/tutorials/element.md": ("copper.png", "results/copper/figures/ratios.png"),
    "config/tutorials/data.md": ("aluminium.png", "results/mine/figures/mixtures.png"),
}
CRYSTAL = 'from ase.build import bulk\natoms = bulk("W", cubic=True)\n'


class Way(NamedTuple):
    """Run, on request or not run, and why; lines that come before the block."""

    how: str = "run"
    why: str = ""
    before: str = ""


ROAD = {  # page, and how the last line of the block begins
    ("README.md", "atoms.calc ="): Way(before=CRYSTAL),
    ("config/README.md", "./envs/run snakemake --configfile config/molybdenum.yaml"): Way(
        "not run", "its labels by DFT take hours"
    ),
    ("config/README.md", "    return MACECalculator("): Way(
        "not run", "it needs mace-torch, which the environment does not hold"
    ),
    ("config/README.md", "./envs/run --with ace"): Way(
        "not run", "it fetches 480 MB: tests/dag/test_ace.py plans it"
    ),
    ("config/README.md", "./envs/run --with universal"): Way(
        "not run", "it fetches 220 MB, and computes for half an hour"
    ),
    ("workflow/README.md", "PYTHONPATH=workflow/scripts:tests ./envs/run python tests/"): Way(
        "not run", "it takes hours: tests/faults and tests/unit/test_benchmarks.py try parts of it"
    ),
    ("workflow/README.md", "print(f"): Way(
        "not run", "it needs the smoke study: tests/smoke/test_smoke.py runs it"
    ),
    ("workflow/README.md", "./envs/run snakemake --workflow-profile workflow/profiles/slurm"): Way(
        "not run", "it needs a Slurm cluster: tests/slurm/test_slurm.py has one"
    ),
    ("workflow/README.md", "./envs/run snakemake --cores 1 estimate"): Way(
        "on request", "it makes cells of the paper's size to estimate their cost"
    ),
    ("config/tutorials/*.md", "./envs/run snakemake --cores all results/"): Way(),
    ("config/tutorials/*.md", "./envs/run snakemake --cores all --configfile"): Way(
        "on request", "it is the whole study"
    ),
    (CARDS, "pair_coeff"): Way("not run", "it is a part of an input: the test of cards runs it"),
    (CARDS, "write_restart"): Way(
        "not run",
        "it is npt.lammps, which tests/unit/test_deployment.py runs",
    ),
    (CARDS, "atoms.calc ="): Way("not run", "it is for any folder: the test of cards runs it"),
    ("results/release/labels/README.md", "energies ="): Way(
        before='import os; os.chdir("results/release/labels")\n'
    ),
}


def entries_of(block: Block) -> list[tuple[str, str]]:
    """Return the entries of `ROAD` that speak of a block."""
    return [
        (page, line)
        for page, line in ROAD
        if fnmatch(block.page, page) and block.last.startswith(line)
    ]


COMMANDS = [block for page in PAGES for block in blocks(page) if is_command(block)]


def test_every_block_is_run_or_says_why_not():
    lost = [f"{block.page}:{block.line}" for block in COMMANDS if len(entries_of(block)) != 1]
    assert not lost, (
        f"{', '.join(lost)}: say in one entry of ROAD in tests/road/test_road.py how this block is "
        "tested: run, on request, or not run, and why"
    )
    found = {entry for block in COMMANDS for entry in entries_of(block)}
    assert set(ROAD) == found, "entries of ROAD that no block is left of"
    assert all(way.why for way in ROAD.values() if way.how != "run")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Copy of the repository, as a newcomer has it, with this environment."""
    clone = make_clone(tmp_path_factory.mktemp("clone"))
    shutil.copytree(  # the potential that README.md names is one of the default study
        clone / "results/release/potentials/entropy-linear8-0",
        clone / "results/tungsten/potentials/entropy-linear6-0",
    )
    return clone


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of_a_page_do_what_they_say(page, clone):
    """All of a page in its order: what is to be saved is saved, what is to be run runs."""
    for block in blocks(page):
        if block.saved:
            (clone / block.saved).write_text(block.text)
        elif is_command(block):
            follow(block, ROAD[entries_of(block)[0]], clone)
    for command in inline_commands(page):
        check_command(command, clone)
    if page in PICTURES:
        shown, made = PICTURES[page]
        assert same_shape(ROOT / "config/tutorials" / shown, clone / made)


def follow(block: Block, way: Way, clone: Path) -> None:
    """Run a block, or what can be run of it."""
    if block.language == "bash":
        for command in command_lines(block):
            check_command(command, clone)
    if way.how == "run" or (way.how == "on request" and THOROUGH):
        run_block(replace(block, text=way.before + block.text), clone)
    elif block.language == "bash":
        planned = [line for line in command_lines(block) if "--dry-run" in line]
        run_block(replace(block, text="\n".join(planned)), clone)
    elif block.language == "python":
        compile(block.text, f"{block.page}:{block.line}", "exec")


def same_shape(shown: Path, made: Path) -> bool:
    """Tell whether a picture of a page is as large as the figure that its commands make."""
    assert shown.stat().st_size <= 60_000
    with Image.open(shown) as first, Image.open(made) as second:
        return first.size == second.size


@pytest.mark.parametrize("page", sorted(str(p.relative_to(ROOT)) for p in ROOT.glob(CARDS)))
def test_a_card_gives_one_potential_to_lammps_and_python(page, tmp_path, monkeypatch):
    """The commands that it shows and its lines of Python find the same energy."""
    folder = (ROOT / page).parent
    commands, whole, python = (block.text for block in blocks(page))
    assert whole == (folder / "npt.lammps").read_text()
    assert commands.splitlines()[1:] == (folder / "potential.lammps").read_text().splitlines()
    cell = bulk("W", cubic=True, a=3.2).repeat(2)
    cell.rattle(0.1, seed=1)
    names = {"atoms": cell.copy()}
    exec(python.replace("path/to/this/folder", str(folder)), names)
    monkeypatch.chdir(folder)
    found = energy_of_lammps(commands, cell, tmp_path)
    assert names["atoms"].get_potential_energy() == pytest.approx(found, abs=1e-6)


def energy_of_lammps(commands: str, cell: Atoms, folder: Path) -> float:
    """Return the energy (eV) that LAMMPS finds after a card's own lines."""
    data = folder / "cell.data"
    write(data, cell, format="lammps-data", masses=True)
    first, *rest = commands.splitlines()
    instance = lammps_library.start()
    lines = [first, "atom_modify map yes", f"read_data {data}", *rest, "run 0 post no"]
    instance.commands_list(lines)
    energy = instance.get_thermo("pe")
    instance.close()
    return energy
