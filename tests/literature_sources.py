"""Small published sets in every form, made of the same cells of a pair potential."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.units import GPa

KBAR = GPa / 10


def labelled(atoms: Atoms) -> Atoms:
    """Return `atoms` with energy, forces and stress of a pair potential."""
    atoms = atoms.copy()
    atoms.calc = LennardJones(sigma=2.45, epsilon=1.2, rc=6.0, smooth=True)
    results = {
        "energy": atoms.get_potential_energy(),
        "forces": atoms.get_forces(),
        "stress": atoms.get_stress(),
    }
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def make_cells(n: int = 8, *, rattle: float = 0.03) -> list[Atoms]:
    """Return bcc cells of 4 atoms at rising volumes, displaced and labelled."""
    cells = []
    for index in range(n):
        atoms = bulk("W", cubic=True, a=2.75 * (0.97 + 0.01 * index)).repeat((2, 1, 1))
        atoms.rattle(rattle, seed=index)
        cells.append(labelled(atoms))
    return cells


def words(numbers) -> str:
    return " ".join(f"{number:.10f}" for number in np.ravel(numbers))


def full(voigt) -> np.ndarray:
    xx, yy, zz, yz, xz, xy = voigt
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def xyz_frame(
    atoms: Atoms,
    *,
    group: str | None = "bulk",
    energy: str = "energy",
    forces: str = "forces",
    tensor: str = "stress",
    lattice: bool = True,
    extra: str = "",
) -> str:
    """Return one frame; `tensor` with "virial" in it holds minus the stress times the volume."""
    stress = full(atoms.calc.results["stress"])
    value = -stress * atoms.get_volume() if "virial" in tensor.lower() else stress
    comment = f'Lattice="{words(atoms.cell.array)}" ' if lattice else ""
    comment += f"Properties=species:S:1:pos:R:3:{forces}:R:3 "
    comment += f"{energy}={atoms.calc.results['energy']:.10f} "
    comment += f'{tensor}="{words(value)}" ' if tensor else ""
    comment += f"config_type={group} " if group is not None else ""
    rows = [
        f"W {words(position)} {words(force)}"
        for position, force in zip(atoms.positions, atoms.calc.results["forces"], strict=True)
    ]
    return "\n".join([str(len(atoms)), (comment + extra).strip(), *rows]) + "\n"


def fitsnap_text(atoms: Atoms, *, style: str = "bar", unit: float = KBAR / 1000, **changes) -> str:
    """Return one FitSNAP file; its stress is a pressure tensor in `unit` (eV/Å^3)."""
    entry = {
        "NumAtoms": len(atoms),
        "Lattice": atoms.cell.array.tolist(),
        "Energy": atoms.calc.results["energy"],
        "Stress": (-full(atoms.calc.results["stress"]) / unit).tolist(),
        "AtomTypes": list(atoms.symbols),
        "Positions": atoms.positions.tolist(),
        "Forces": atoms.calc.results["forces"].tolist(),
    } | changes
    entry = {key: value for key, value in entry.items() if value != "absent"}
    return "# a comment\n" + json.dumps({"Dataset": {"StressStyle": style, "Data": [entry]}})


def pymatgen_doc(atoms: Atoms, **changes) -> dict:
    """Return one document as MAML ships them: stress in kB, VASP's sign and order."""
    xx, yy, zz, yz, xz, xy = -atoms.calc.results["stress"] / KBAR
    lattice = {"matrix": atoms.cell.array.tolist()}
    sites = [
        {"species": [{"element": "W", "occu": 1}], "abc": abc.tolist(), "xyz": xyz.tolist()}
        for abc, xyz in zip(atoms.get_scaled_positions(wrap=False), atoms.positions, strict=True)
    ]
    outputs = {
        "energy": atoms.calc.results["energy"],
        "forces": atoms.calc.results["forces"].tolist(),
        "virial_stress": [xx, yy, zz, xy, yz, xz],
    }
    structure = {"@class": "Structure", "lattice": lattice, "sites": sites}
    doc = {"structure": structure, "group": "AIMD", "num_atoms": len(atoms), "outputs": outputs}
    return doc | changes


def vasprun_text(cells: list[Atoms], *, nelm: int = 60, iterations: int = 2) -> str:
    """Return a vasprun.xml with what a reader needs of it."""
    n = len(cells[0])
    rows = "".join("<rc><c>W </c><c>1</c></rc>" for _ in range(n))

    def table(name, values):
        return (
            f'<varray name="{name}">' + "".join(f"<v>{words(v)}</v>" for v in values) + "</varray>"
        )

    def energies(free, zero):
        inner = f'<i name="e_fr_energy">{free:.8f}</i><i name="e_0_energy">{zero:.8f}</i>'
        return f"<energy>{inner}</energy>"

    steps = []
    for atoms in cells:
        energy = atoms.calc.results["energy"]
        crystal = f"<crystal>{table('basis', atoms.cell.array)}</crystal>"
        places = table("positions", atoms.get_scaled_positions(wrap=False))
        pressure = table("stress", -full(atoms.calc.results["stress"]) / KBAR)
        steps.append(
            "<calculation>"
            + f"<scstep>{energies(energy, energy + 0.01)}</scstep>" * iterations
            + f"<structure>{crystal}{places}</structure>"
            + table("forces", atoms.calc.results["forces"])
            + pressure
            + f"{energies(energy, energy)}</calculation>\n"
        )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling><parameters>'
        f'<separator name="electronic"><i type="int" name="NELM">{nelm}</i></separator>'
        f'</parameters><atominfo><array name="atoms"><set>{rows}</set></array></atominfo>\n'
        + "".join(steps)
        + "</modeling>\n"
    )


def outcar_text(
    cells: list[Atoms], *, nelm: int = 60, iterations: int = 2, reached: bool = True
) -> str:
    """Return an OUTCAR with what a reader needs of it; `reached` says that electrons converged."""
    n = len(cells[0])
    text = " POTCAR:    PAW_PBE W_pv 06Sep2000\n POTCAR:    PAW_PBE W_pv 06Sep2000\n"
    text += f"   ISPIN  =      1    spin\n   ions per type =  {n}\n"
    text += "   k-points           NKPTS =      1   k-points in BZ   NKDIM = 1   NBANDS= 1\n"
    text += " k-points in reciprocal lattice and weights: x\n   0.0 0.0 0.0  1.0\n\n"
    text += f"   NELM   = {nelm:6d};   NELMIN=  2; NELMDL= -5     # of ELM steps \n"
    for step, atoms in enumerate(cells, 1):
        energy = atoms.calc.results["energy"]
        xx, yy, zz, yz, xz, xy = -atoms.calc.results["stress"] / KBAR
        for count in range(1, iterations + 1):
            text += f"--------- Iteration {step:6d}({count:4d})  ---------\n"
        text += " aborting loop because EDIFF is reached\n" if reached else ""
        text += f"  in kB  {words([xx, yy, zz, xy, yz, xz])}\n"
        text += "      direct lattice vectors                 reciprocal lattice vectors\n"
        text += "".join(f" {words(vector)} 0.0 0.0 0.0\n" for vector in atoms.cell.array)
        text += " POSITION                                       TOTAL-FORCE (eV/Angst)\n ----\n"
        for position, force in zip(atoms.positions, atoms.calc.results["forces"], strict=True):
            text += f" {words(position)} {words(force)}\n"
        text += "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  -----\n"
        text += f"  free  energy   TOTEN  = {energy:.8f} eV\n\n"
        text += f"  energy  without entropy= {energy:.8f}  energy(sigma->0) = {energy + 0.01:.8f}\n"
        text += " \n \n"
    return text


def write_deepmd(folder: Path, cells: list[Atoms]) -> None:
    (folder / "set.000").mkdir(parents=True)
    (folder / "type.raw").write_text(" ".join("0" * len(cells[0])))
    (folder / "type_map.raw").write_text("W\n")
    for name, values in {
        "coord": [atoms.positions.ravel() for atoms in cells],
        "box": [atoms.cell.array.ravel() for atoms in cells],
        "energy": [atoms.calc.results["energy"] for atoms in cells],
        "force": [atoms.calc.results["forces"].ravel() for atoms in cells],
        "virial": [
            -full(atoms.calc.results["stress"]).ravel() * atoms.get_volume() for atoms in cells
        ],
    }.items():
        np.save(folder / "set.000" / f"{name}.npy", np.array(values))


def write_source(form: str, folder: Path, cells: list[Atoms]) -> Path:
    """Write `cells` in one form, with all labels and the stress; return the source's path."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(map(xyz_frame, cells))
    if form == "xyz":
        path = folder / "set.xyz"
        path.write_text(text)
    elif form in ("fitsnap", "tar", "zip"):
        path = folder / "set"
        (path / "bulk").mkdir(parents=True)
        for index, atoms in enumerate(cells):
            (path / "bulk" / f"c_{index}.json").write_text(fitsnap_text(atoms))
        if form == "tar":
            with tarfile.open(folder / "set.tar.gz", "w:gz") as archive:
                archive.add(path, "set")
            return folder / "set.tar.gz"
        if form == "zip":
            with zipfile.ZipFile(folder / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(path.rglob("*.json")):
                    archive.write(file, file.relative_to(folder))
            return folder / "set.zip"
    elif form == "pymatgen":
        path = folder / "set.json"
        path.write_text(json.dumps([pymatgen_doc(atoms, group="bulk") for atoms in cells]))
    elif form in ("ase json", "db"):
        path = folder / ("set.json" if form == "ase json" else "set.db")
        database = connect(path, use_lock_file=False)
        for atoms in cells:
            database.write(atoms, config_type="bulk")
    elif form == "traj":
        path = folder / "set.traj"
        ase.io.write(path, [with_group(atoms) for atoms in cells])
    elif form == "vasprun":
        path = folder / "vasprun.xml"
        path.write_text(vasprun_text(cells))
    elif form == "outcar":
        path = folder / "OUTCAR"
        path.write_text(outcar_text(cells))
    else:
        assert form == "deepmd"
        path = folder / "bulk"
        write_deepmd(path, cells)
    return path


FORMS = (
    *("xyz", "fitsnap", "tar", "zip", "pymatgen", "ase json", "db", "traj", "vasprun", "outcar"),
    "deepmd",
)


def with_group(atoms: Atoms) -> Atoms:
    copy = atoms.copy()
    copy.info["config_type"] = "bulk"
    copy.calc = atoms.calc
    return copy
