"""The one door from a checked study file to the objects that its rules work with.

Every function takes the study, or the part of it that a rule depends on, as `diverse.study.check`
returns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diverse.generate.random_cells import SamplerSettings, default_floor
from diverse.kernel import BispectrumSettings
from diverse.kernel.device import Device, find_device
from diverse.labels.labellers.factory import is_file
from diverse.structures import ReferenceLattice
from diverse.zbl import ZBL

Config = dict[str, Any]

COORDINATION = 1.2  # of the nearest-neighbour distance


def reference_lattice(study: Config) -> ReferenceLattice:
    """Return the reference lattice of a study."""
    return ReferenceLattice(study["element"], **study["lattice"])


def sampler_settings(study: Config, dataset: Config | None = None) -> SamplerSettings:
    """Return the sampler of a study, its floor derived from the lattice where none is given.

    Parameters
    ----------
    dataset : dict, optional
        Data set of the study whose cells are drawn; its numbers of atoms, if it has any, replace
        those of the sampler.
    """
    options = {**study["sampler"], "atoms": atoms_of_cells(study, dataset or {})}
    if options["d_min"] is None:
        options["d_min"] = default_floor(reference_lattice(study))
    return SamplerSettings(**options)


def atoms_of_cells(study: Config, dataset: Config) -> tuple[int, int]:
    """Return the smallest and largest number of atoms in the sampled cells of a data set."""
    smallest, largest = dataset.get("atoms", study["sampler"]["atoms"])
    return smallest, largest


def descriptor_settings(study: Config) -> BispectrumSettings:
    """Return the descriptor whose entropy is raised."""
    return BispectrumSettings(study["optimiser"]["twojmax"], study["cutoff"])


def model_descriptor(study: Config, model: Config) -> BispectrumSettings:
    """Return the descriptor of a model, given its entry in the study."""
    return BispectrumSettings(model["twojmax"], study["cutoff"])


def study_device(study: Config) -> Device | None:
    """Return the card that cells are generated and models trained on, or None for the CPU.

    The part of a study that a rule depends on names the device only if it is not the CPU.

    Raises
    ------
    DeviceError
        When a card is asked for and cannot be used.
    """
    return find_device(study.get("device", "cpu"))


def model_kind(model: Config) -> str:
    """Return the definition in the schema that describes a model, given its entry in the study."""
    family = str(model["family"])
    return family if family in ("network", "pod", "ace") else "polynomial"


def own_models(study: Config) -> list[str]:
    """Return the names of the models whose families need no extra environment; LAMMPS runs them."""
    return [name for name, model in study["models"].items() if model["family"] != "ace"]


def repulsion(study: Config) -> ZBL:
    """Return the repulsion that every potential of the study is fitted on top of."""
    return ZBL(study["element"], **study["zbl"])


def coordination_radius(study: Config) -> float:
    """Return the distance (Å) within which neighbours count as coordination."""
    return COORDINATION * reference_lattice(study).nearest_neighbour


def kernel_bandwidths(study: Config, choices: Sequence[float | str]) -> tuple[float, ...]:
    """Return bandwidths (1/Å) of the QUESTS kernel at the volume of the reference lattice.

    Parameters
    ----------
    choices : sequence of float or str
        Numbers, or the word ``volume`` for the rule of the `quests` package.
    """
    from diverse.diversity.quests_kernel import quests_bandwidths

    return quests_bandwidths(choices, reference_lattice(study).volume_per_atom)


def kernel_cutoff(study: Config) -> float:
    """Return the cutoff (Å) of the QUESTS descriptors, which follows from the reference lattice."""
    from diverse.diversity.quests_kernel import quests_cutoff

    return quests_cutoff(reference_lattice(study).nearest_neighbour)


def labeller_options(study: Config, dataset: str) -> Config:
    """Return the labeller block that `dataset` is labelled with, and the element."""
    name = study["datasets"][dataset].get("labeller", study["labeller"])
    return {"element": study["element"], **study["labellers"][name]}


def reference_options(study: Config) -> dict[str, Config]:
    """Return the labeller block of every reference model, with the element."""
    notes = ("trained_on", "universal")
    return {
        name: {
            "element": study["element"],
            **{key: value for key, value in block.items() if key not in notes},
        }
        for name, block in study["reference_models"].items()
    }


def can_run(options: Config) -> bool:
    """Return whether the extra environment that a labeller block asks for, if any, is made."""
    from diverse.labels.labellers.extra import is_made

    return not options.get("environment") or is_made(options["environment"])


def labeller_files(options: Config) -> list[str]:
    """Return the user's own files behind the labels of a labeller block with its element."""
    from diverse.labels.labellers import make_labeller

    return make_labeller(options).files()


def group_potentials(study: Config, dataset: Config) -> list[Config]:
    """Return the potentials that groups of an expert data set name, as labeller blocks."""
    return [
        {"kind": "lammps", "element": study["element"]}
        | {key: options[key] for key in ("pair_style", "pair_coeff")}
        for options in dataset["groups"].values()
        if "pair_style" in options
    ]


def recipe_files(study: Config, datasets: Sequence[str]) -> list[str]:
    """Return the user's own files that the recipes of these expert data sets read."""
    entries = [study["datasets"][name] for name in datasets]
    potentials = [options for entry in entries for options in group_potentials(study, entry)]
    return sorted({path for options in potentials for path in labeller_files(options)})


def own_files(study: Config) -> list[str]:
    """Return the paths, as the study names them, of files and folders that may be the user's own.

    They are those of the lattice, published sets, complements, the cells of the convergence study,
    references, and what labellers, reference models and expert recipes read. Some may not exist.
    """
    datasets = study["datasets"].items()
    block = study.get("convergence", {"cells": None, "variants": {}})
    places = [study["lattice"].get("file"), study["physics"]["references"], block["cells"]]
    places += [variant.get("cells") for variant in block["variants"].values()]
    places += [entry.get(key) for _, entry in datasets for key in ("source", "complement")]
    labellers = [labeller_options(study, name) for name, _ in datasets]
    labellers += [options for options in reference_options(study).values() if can_run(options)]
    files = [path for options in labellers for path in labeller_files(options)]
    files += recipe_files(study, [name for name, entry in datasets if "groups" in entry])
    return sorted({*files, *(str(place) for place in places if place)})


def variant_options(study: Config) -> dict[str, Config]:
    """Return the labeller block of every variant of the convergence study, with the element."""
    block = study.get("convergence", {"variants": {}})
    return {
        name: {
            "element": study["element"],
            **study["labellers"][variant.get("labeller", block["labeller"])],
            **variant["settings"],
        }
        for name, variant in block["variants"].items()
    }


def variant_cells(study: Config, variant: str) -> str:
    """Return the path of the cells that a variant labels, as the study names it."""
    block = study["convergence"]
    return block["variants"][variant].get("cells", block["cells"])


def named_file(name: str, root: Path) -> Path:
    """Return the path of a file that a study names.

    Parameters
    ----------
    name : str
        Absolute, or from the working directory, where a user's own files are, or else from `root`,
        where those of the repository's studies are.
    root : Path
        Root of the repository.

    Returns
    -------
    Path
        The file in the working directory if there is one; else the path below `root`, where there
        may be no file either.
    """
    return Path(name) if is_file(name) else root / name


def measured_variants(study: Config) -> dict[str, str]:
    """Return, for every labeller in use, the first convergence variant with its very settings.

    The name is empty where there is no such variant, or nothing it is compared with: the noise of
    that labeller's labels is then not known.
    """
    sets = study["datasets"].items()
    used = [labeller_options(study, name) for name, entry in sets if entry.get("labels") != "keep"]
    variants = {
        name: options
        for name, options in variant_options(study).items()
        if study["convergence"]["variants"][name]["against"]
    }
    return {
        labeller: next((name for name in variants if variants[name] == options), "")
        for labeller, entry in study["labellers"].items()
        if (options := {"element": study["element"], **entry}) in used
    }
