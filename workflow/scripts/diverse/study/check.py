"""Study files: defaults from the schema, and one clear sentence for what is wrong."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from ase.data import atomic_numbers

from diverse.generate.expert import check_groups
from diverse.generate.random_cells import check_packing
from diverse.kernel.cuda_build import MAX_TWOJMAX
from diverse.labels.labellers import LabellerError, make_labeller
from diverse.labels.labellers.factory import is_file
from diverse.study.absent import drop_absent
from diverse.study.blocks import check_blocks
from diverse.study.dynamics import complete_dynamics
from diverse.study.lattice import check_lattice
from diverse.study.names import check_names
from diverse.study.potentials import check_physics
from diverse.study.reading import ConfigError, demand
from diverse.study.schema import quoted, with_defaults
from diverse.study.settings import (
    Config,
    atoms_of_cells,
    can_run,
    group_potentials,
    labeller_options,
    named_file,
    reference_lattice,
    reference_options,
    sampler_settings,
    variant_cells,
    variant_options,
)
from diverse.study.sizes import check_sizes
from diverse.study.sources import check_sources
from diverse.study.subsets import complete_subsets

__all__ = ["ConfigError", "load_study"]


def load_study(config: Config, schema_path: str) -> Config:
    """Return the study with every default filled in.

    Parameters
    ----------
    config : dict
        The study file as read.
    schema_path : str
        Path of ``study.schema.yaml``, from which the repository's root follows.

    Raises
    ------
    ConfigError
        For an unknown key, a wrong type, a value that is impossible alone or together with
        others, a labeller that does not exist or cannot label the element.
    """
    schema = _read_schema(schema_path)
    study = with_defaults(config, schema)
    check_sources(study)
    drop_absent(study)
    _check_consistency(study)
    try:
        complete_subsets(study)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    check_blocks(study)
    complete_dynamics(study)
    check_names(study)
    check_lattice(study)
    _check_device(study)
    root = Path(schema_path).resolve().parents[2]
    _check_generation(study, root)
    _check_labellers(study)
    _check_convergence(study, schema, root)
    check_physics(study, root)
    return study


@cache
def _read_schema(path: str) -> Config:
    """Return the schema, which nobody changes."""
    return dict(yaml.load(Path(path).read_text(), Loader=yaml.CSafeLoader))


def _check_pod(where: str, radial: list[int], angular: list[int]) -> None:
    """Refuse numbers of functions that LAMMPS does not take."""
    demand(
        len(angular) == len(radial) - 1,
        f"{where}: {len(radial)} radial_functions go with {len(radial) - 1} angular_degrees, not "
        f"with {len(angular)}; two bodies have no angle",
    )
    for key, values in (("radial_functions", radial[1:]), ("angular_degrees", angular)):
        demand(
            values == sorted(values, reverse=True),
            f"{where}.{key}: {values} grow from three bodies on; more bodies take as many or fewer",
        )
    demand(
        all(degree <= 6 for degree in angular[1:]),
        f"{where}.angular_degrees: {angular}; of four and five bodies LAMMPS has degrees up to 6",
    )


def _check_consistency(study: Config) -> None:
    zbl = study["zbl"]
    demand(
        zbl["inner"] < zbl["outer"],
        f"zbl: inner ({zbl['inner']}) must be smaller than outer ({zbl['outer']})",
    )
    for name, model in study["models"].items():
        if model["family"] == "pod":
            _check_pod(f"models.{name}", model["radial_functions"], model["angular_degrees"])
    for name, dataset in study["datasets"].items():
        cells, chunks = dataset.get("cells"), dataset["chunks"]
        if cells is not None:
            demand(
                chunks <= cells,
                f"datasets.{name}.chunks: {chunks} chunks for {cells} cells are too many",
            )
        first = dataset.get("first_chunks") or chunks
        demand(
            first <= chunks,
            f"datasets.{name}.first_chunks: there are {chunks} chunks, not {first}; lower it",
        )
        labeller = dataset.get("labeller", study["labeller"])
        demand(
            labeller in study["labellers"],
            f"datasets.{name}: there is no labeller '{labeller}' under labellers; "
            f"defined are {', '.join(study['labellers'])}",
        )
        source = str(dataset.get("source", ""))
        demand(
            "://" not in source or "sha256" in dataset,
            f"datasets.{name}: source is a URL, so sha256 must be given beside it",
        )
    demand(study["element"] in atomic_numbers, f"element: there is no element '{study['element']}'")
    trains = [d["use"] == "train_and_test" for d in study["datasets"].values()]
    demand(any(trains), "datasets: none has use: train_and_test, so no model can be trained")


def _check_device(study: Config) -> None:
    """Refuse networks and an entropy whose descriptors no card computes."""
    if study["device"] == "cpu":
        return
    networks = {f"models.{k}": m for k, m in study["models"].items() if m["family"] == "network"}
    for name, settings in {"optimiser": study["optimiser"], **networks}.items():
        demand(
            settings["twojmax"] <= MAX_TWOJMAX,
            f"{name}: twojmax is {settings['twojmax']}, but a card takes up to {MAX_TWOJMAX}; "
            "lower it, or take device: cpu",
        )


def _check_generation(study: Config, root: Path) -> None:
    """Refuse floors, sizes and complements that no cell could come from."""
    lattice = reference_lattice(study)
    nearest = lattice.nearest_neighbour
    check_sizes(study, lattice)
    demand(
        study["cutoff"] > 1.2 * nearest,
        f"cutoff: {study['cutoff']} Å holds hardly a neighbour of the reference lattice (nearest "
        f"at {nearest:.2f} Å); take about {1.73 * nearest:.1f} Å",
    )
    try:
        check_packing(sampler_settings(study), lattice)
    except ValueError as error:
        raise ConfigError(f"sampler: {error}") from None
    for name, dataset in study["datasets"].items():
        if dataset["family"] == "entropy":
            _check_entropy(study, name, dataset, root)
        if dataset["family"] == "expert":
            _check_groups(study, name, dataset)


def _check_groups(study: Config, name: str, dataset: Config) -> None:
    """Refuse groups that the reference lattice has not, and unknown pair styles."""
    try:
        check_groups(dataset["groups"], reference_lattice(study).structure)
        for options in group_potentials(study, dataset):
            _ = make_labeller(options).provenance
    except (ValueError, LabellerError) as error:
        raise ConfigError(f"datasets.{name}: {error}") from None


def _check_entropy(study: Config, name: str, dataset: Config, root: Path) -> None:
    where, rounds, complement = f"datasets.{name}", dataset["rounds"], dataset["complement"]
    smallest = atoms_of_cells(study, dataset)[0]
    source = f"{where}.atoms" if "atoms" in dataset else "sampler.atoms"
    demand(
        rounds <= dataset["chunks"],
        f"{where}.rounds: {rounds} rounds for {dataset['chunks']} chunks are too many",
    )
    if dataset["estimator"] == "cell":
        demand(
            smallest >= 3,
            f"{where}.estimator: cell needs at least 3 atoms in every cell, {source} starts "
            f"at {smallest}: atoms of smaller cells are equivalent; raise it, or take set",
        )
        demand(rounds == 1, f"{where}.rounds: only estimator set has rounds")
        demand(complement is None, f"{where}.complement: only estimator set can complement")
    if complement is None:
        return
    demand(
        complement in study["datasets"] or is_file(named_file(complement, root)),
        f"{where}.complement: {quoted(complement)} is neither a data set of this study nor a file, "
        f"from here or in {root}",
    )
    seen = [name]
    while complement in study["datasets"]:
        demand(
            complement not in seen,
            f"{where}.complement: {' -> '.join([*seen, complement])} goes round in a circle",
        )
        seen.append(complement)
        complement = study["datasets"][complement].get("complement")


def _check_labellers(study: Config) -> None:
    """Refuse labellers that cannot work; nothing of a factory runs before its worker does."""
    for name, block in study["labellers"].items():
        try:
            make_labeller({"element": study["element"], **block})
        except LabellerError as error:
            raise ConfigError(f"labellers.{name}: {error}") from None
        mesh = block.get("kpoint_mesh", [])
        demand(
            len(mesh) in (0, 3),
            f"labellers.{name}.kpoint_mesh: {mesh} is no mesh; give three numbers, or none",
        )
    for name in study["datasets"]:
        options = labeller_options(study, name)
        try:
            _ = make_labeller(options).provenance
        except LabellerError as error:
            raise ConfigError(f"datasets.{name}: {error}") from error
    for name, options in reference_options(study).items():
        if can_run(options):
            try:
                _ = make_labeller(options).provenance
            except LabellerError as error:
                raise ConfigError(f"reference_models.{name}: {error}") from error


def _check_convergence(study: Config, schema: Config, root: Path) -> None:
    """Refuse variants of labellers, and references, that do not exist or cannot work."""
    if "convergence" not in study:
        return
    block = study["convergence"]
    _demand_cells("convergence", block, root)
    for name, variant in block["variants"].items():
        where, against = f"convergence.variants.{name}", variant["against"]
        _demand_cells(where, {**block, **variant}, root)
        labeller = variant.get("labeller", block["labeller"])
        demand(
            labeller in study["labellers"],
            f"{where}: there is no labeller '{labeller}' under labellers",
        )
        unknown = [other for other in against if other not in block["variants"]]
        demand(not unknown, f"{where}.against: there is no variant '{', '.join(unknown)}'")
        demand(len(against) in (0, 1, 3), f"{where}.against: takes one variant, or three")
        for other in against:
            cells = [variant_cells(study, each) for each in (name, other)]
            demand(
                cells[0] == cells[1],
                f"{where}.against: '{other}' labels the cells of {quoted(cells[1])}, this variant "
                f"those of {quoted(cells[0])}; differences need the same cells",
            )
    for name, options in variant_options(study).items():
        where = f"convergence.variants.{name}.settings"
        own = {key: value for key, value in options.items() if key != "element"}
        try:
            with_defaults(own, {**schema["$defs"].get(own["kind"], {}), "$defs": schema["$defs"]})
            make_labeller(options)
        except (TypeError, LabellerError, ConfigError) as error:
            raise ConfigError(f"{where}: {error}") from error


def _demand_cells(where: str, block: Config, root: Path) -> None:
    """Refuse a block whose file of cells does not exist."""
    demand(
        is_file(named_file(block["cells"], root)),
        f"{where}.cells: there is no file {quoted(block['cells'])}, from here or in {root}",
    )
