"""The study: its configuration, its wildcards, and the lists of files that follow from them."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

ROOT = Path(os.path.relpath(workflow.basedir))  # so that a clone that is moved has nothing to do
ENVIRONMENT = f"{workflow.basedir}/envs/study.yaml"
STAGES = [  # files of rules, in the order of the Snakefile
    *(
        "estimate",
        "benchmarks",
        "generate",
        "diversity",
        "label",
        "label_quality",
        "split",
        "train",
        "blocks",
        "draws",
        "ace",
        "references",
        "transfer",
    ),
    *("curves", "uncertainty", "fits", "potentials", "dynamics", "physics", "report"),
]
sys.path.insert(0, f"{workflow.basedir}/workflow/scripts")

from diverse.labels.labellers.extra import is_made
from diverse.study.blocks import shared_sums
from diverse.study.check import load_study
from diverse.study.fits import SUBSET_FITS
from diverse.study.folders import FolderError, check_folders
from diverse.study.names import check_element
from diverse.study.potentials import SEED, measured_potentials
from diverse.study.reading import ConfigError, check_file
from diverse.study.requests import LabelRate, read_label_rates, request_minutes
from diverse.study.rounds import chunk_round, chunks_made, chunks_of_round
from diverse.study.subsets import subset_sources
from diverse.study.terminal import show_stages
from diverse.study.settings import (
    can_run,
    labeller_files,
    labeller_options,
    measured_variants,
    model_kind,
    named_file,
    own_models,
    recipe_files,
    reference_lattice,
    reference_options,
    variant_cells,
    variant_options,
)

try:
    for path in workflow.configfiles:
        check_file(path)
    config = load_study(config, str(ROOT / "workflow/schemas/study.schema.yaml"))
    check_element(config, Path("results", config["study"]))
except ConfigError as error:
    raise WorkflowError(f"The study file is not valid. {error}") from None

RESULTS = f"results/{config['study']}"
try:
    check_folders([".snakemake", RESULTS], workflow.basedir)
except FolderError as error:
    raise WorkflowError(f"The study cannot run here: {error}") from None

DATASETS = list(config["datasets"])
FAMILIES = {name: entry["family"] for name, entry in config["datasets"].items()}


def first_page():
    """Return the page to read first or, where a run made none, the folder of the results."""
    page = Path(RESULTS, "index.html")
    return page if page.exists() else f"{RESULTS}/"


def names(block, key, *values):
    """Return the names of the entries of a config block whose `key` has one of `values`."""
    return [name for name, entry in config[block].items() if entry.get(key) in values]


def seeds(model):
    """Return the seeds a model is trained with; a polynomial fit has nothing random."""
    return range(config["models"][model].get("seeds", 1))


# Data sets
SAMPLED = names("datasets", "family", "entropy", "random")
CURATED = names("datasets", "family", "expert")
PUBLISHED = names("datasets", "family", "literature")
KEPT = names("datasets", "labels", "keep")  # published sets with their own labels
LABELLED = [name for name in DATASETS if name not in KEPT]
WHOLE = names("datasets", "use", "train_and_test")
TEST_FRACTIONS = {"train_and_test": config["split"]["test_fraction"], "test": 1.0, "pool": 0.0}
SAMPLING = ["seed", "element", "lattice", "cutoff", "sampler", "optimiser"]  # of random cells
TESTS = [name for name in DATASETS if name not in names("datasets", "use", "pool")]
TEST_CELLS = expand("<results>/datasets/{dataset}/test.xyz", dataset=TESTS)

WEIGHTED = {  # training sets once more with another energy weight: the set, and the weight
    name: (subset_sources(subset)[0], subset["energy_weight"])
    for name, subset in config["subsets"].items()
    if subset["energy_weight"] is not None
}

# Training sets on a learning curve, and the data set whose curve it is; further ones, to compare.
SIZES = config.get("learning_curve", {"environments": []})["environments"]
CURVES = {f"{name}{size}": name for name in WHOLE for size in (*SIZES, "")}
COMPARED = [*WHOLE, *(name for name in config["subsets"] if name not in {*CURVES, *WEIGHTED})]

# Models: those of the study's own environment, and ACE, which an extra one makes.
MODELS = own_models(config)
ACES = names("models", "family", "ace")
EXPORTED = [*MODELS, *(ACES if is_made("ace") else [])]  # without it, ACE is shown as released
SNAPS = names("models", "family", "linear", "quadratic")
PODS = names("models", "family", "pod")
POLYNOMIALS = [*SNAPS, *PODS]  # linear in their coefficients: one solver fits them all
NETWORKS = names("models", "family", "network")
AUTO = [*names("models", "energy_weight", "auto"), *names("models", "energy_scale", "auto")]
SEARCHED = [model for model in config["models"] if model in AUTO]
SEARCHES = {model: f"<results>/models/{{train}}/{model}/search.csv" for model in SEARCHED}
CALIBRATED = [*POLYNOMIALS, *(model for model in NETWORKS if len(seeds(model)) > 1)]

# Models of so few environments are trained and tested in seconds: on a cluster, where Snakemake runs.
SMALL = config["split"]["train_environments"] in range(1, 2001)

POTENTIAL_FILES = {
    "network": ["potential.nn", "potential.descriptor"],
    "polynomial": ["potential.snapcoeff", "potential.snapparam"],
    "pod": ["potential.podcoeff", "potential.podparam"],
    "ace": ["potential.yace"],
}

# Draws: a model that takes no part in them is trained once, as the potential that is exported.
DRAWN = names("models", "draws", True) if config["split"]["draws"] > 1 else []
DRAWN_POLYNOMIALS = [model for model in POLYNOMIALS if model in DRAWN]
DRAWN_NETWORKS = [model for model in NETWORKS if model in DRAWN]
BLOCKED = config["split"]["by"] == "block"
BLOCKS = range(config["split"]["blocks"] if BLOCKED else 0)
SUBSETS_OF = {  # names of the subsets that each model is trained on
    model: [name for name, subset in config["subsets"].items() if model in subset["models"]]
    for model in config["models"]
}
ON_SUBSETS = [model for model, subsets in SUBSETS_OF.items() if subsets]
DRAW_TABLES = expand("<results>/datasets/{dataset}/draws.csv", dataset=DATASETS)
TEST_TABLES = expand("<results>/datasets/{dataset}/draws.csv", dataset=TESTS)
DRAW_ERRORS = [
    *expand("<results>/errors/draws/{train}/exported.csv.xz", train=WHOLE),
    *expand(
        "<results>/errors/draws/{train}/{batch}.csv.xz",
        train=WHOLE,
        batch=[
            *(DRAWN_POLYNOMIALS if BLOCKED else ["polynomials"][: len(DRAWN_POLYNOMIALS)]),
            *DRAWN_NETWORKS,
            *(["ace"] if ACES else []),
        ],
    ),
]
SUBSET_ERRORS = expand("<results>/errors/subsets/{model}.csv.xz", model=ON_SUBSETS)
SELECTED = [name for name, subset in config["subsets"].items() if subset["method"] != "random"]
MEMBERS = "<results>/datasets/subsets.csv" if config["subsets"] else []

# Files of the user's own behind the labels of each data set: factory modules, potentials.
LABEL_SOURCES = {name: labeller_files(labeller_options(config, name)) for name in LABELLED}

# The same of the molecular dynamics among the expert recipes: potentials.
RECIPE_SOURCES = recipe_files(config, CURATED)

# Labels that are known before anything runs: released ones, unless the study recomputes its own.
RELEASED = "" if config["labels"] == "recompute" else str(ROOT / "results/release")

# Training set and model of the potentials that are run at constant energy, and in ramps.
MOVED = [(train, model) for train in WHOLE for model in config["dynamics"]["models"]]
RAMPED = [(train, model) for train in WHOLE for model in config["dynamics"]["ramps"]["models"]]

# Potentials whose physical properties are measured, and training set and model of those of the study.
PHYSICS = measured_potentials(config)
MEASURED = [(entry["train"], entry["model"]) for entry in PHYSICS.values() if "train" in entry]

# What labels take, where `snakemake estimate` has said it of their protocol: chunks ask a cluster for memory and time by it.
RATES = read_label_rates(Path(RESULTS, "estimate/stages.csv"), config)


wildcard_constraints:
    dataset="|".join(DATASETS),
    chunk=r"\d+",
    round=r"\d+",
    train="|".join(WHOLE),
    model="|".join(config["models"]),
    seed=r"\d+",


def study_part(*keys):
    """Return the top-level entries of these names: a rule depends on nothing else of the study."""
    return {key: config[key] for key in keys}


def part_on_device(*keys):
    """Return `study_part`, and the device if it is not the CPU: else nothing depends on its key."""
    return study_part(*keys, *([] if config["device"] == "cpu" else ["device"]))


def settings_of_cells(dataset):
    """Return the settings that cells follow from: all but the number of chunks that are made."""
    settings = config["datasets"][dataset]
    return {key: value for key, value in settings.items() if key != "first_chunks"}


def dataset_settings(wildcards):
    """Return the settings that the cells of the wildcards' data set follow from."""
    return settings_of_cells(wildcards.dataset)


def either(names):
    """Return a regular expression that matches these names and, for an empty list, nothing."""
    return "|".join(names) or "(?!)"


def complemented(wildcards):
    """Return the files of cells that the wildcards' data set complements; none if it does not."""
    source = config["datasets"][wildcards.dataset]["complement"]
    if source in DATASETS:
        return all_chunks("structures", [source])
    return named_file(source, ROOT) if source else []


def statistics_before(wildcards):
    """Return the statistics the wildcards' chunk sees: what the last round saw, and its chunks."""
    entry, folder = config["datasets"][wildcards.dataset], f"structures/{wildcards.dataset}"
    if entry.get("estimator") != "set":
        return []
    last = chunks_of_round(entry, chunk_round(entry, int(wildcards.chunk)) - 1)
    first = ["complemented"] if entry["complement"] else []
    seen = [f"{last[0]}.seen", *last] if last else first
    return [f"<results>/{folder}/{file}.npz" for file in seen]


def all_chunks(stage, datasets=DATASETS, pattern="<results>/{}/{}/{}.xyz"):
    """Return the files of one stage (structures or labels) for every chunk of data sets."""
    return [pattern.format(stage, name, chunk) for name, chunk in chunk_names(datasets)]


def chunk_names(datasets):
    """Return data set and number of every chunk, in the order of `all_chunks`."""
    return [(name, chunk) for name in datasets for chunk in chunks_made(config["datasets"][name])]


def structures_made(wildcards):
    """Return the chunks of structures that are there, by data set."""
    files = {
        name: all_chunks("structures", [name], f"{RESULTS}/{{}}/{{}}/{{}}.xyz") for name in DATASETS
    }
    return {name: [path for path in paths if Path(path).exists()] for name, paths in files.items()}


def structure_chunks(wildcards):
    """Return the files of structures of every chunk of the wildcards' data set."""
    return all_chunks("structures", [wildcards.dataset])


def labelled_chunks(wildcards):
    """Return the files of labels of every chunk of the wildcards' data set."""
    return all_chunks("labels", [wildcards.dataset])


def blocked_chunks(wildcards):
    """Return the files of labels of every chunk of the wildcards' training set."""
    return all_chunks("labels", [wildcards.train])


def summed_blocks(wildcards):
    """Return the sums of every block that serve the wildcards' model."""
    return [f"<results>/sums/{{train}}/{SUMMED[wildcards.model]}/{n}.npz" for n in BLOCKS]


def summed_basis(wildcards):
    """Return the basis of the sums that serve the wildcards' model."""
    return f"<results>/sums/{{train}}/{SUMMED[wildcards.model]}/basis.npz"


def summed_model(wildcards):
    """Return the settings of the model whose sums serve the wildcards' model."""
    return config["models"][SUMMED[wildcards.model]]


def label_memory(wildcards, threads, attempt):
    """Return the memory (MB) that a labelling job asks for."""
    return RATES.get(wildcards.get("dataset"), LabelRate()).memory(threads, attempt)


def label_minutes(wildcards, input, threads, attempt):
    """Return the time (min) that a labelling job asks for, by the size of its chunk."""
    rate = RATES.get(wildcards.get("dataset"), LabelRate())
    return request_minutes(rate, input.cells, threads, attempt)


def dataset_labeller(wildcards):
    """Return the options of the labeller of the wildcards' data set."""
    return labeller_options(config, wildcards.dataset)


def local_source(wildcards):
    """Return the files of the wildcards' published data set where its source is local."""
    source = Path(config["datasets"][wildcards.dataset]["source"])
    members = sorted(source.rglob("*")) if source.is_dir() else [source]
    return [str(path) for path in members if path.is_file()]


def test_fraction(wildcards):
    """Return the part of the wildcards' data set that is held out for testing."""
    return TEST_FRACTIONS[config["datasets"][wildcards.dataset]["use"]]


def kind(model):
    """Return what sort of model it is: network, polynomial, pod or ace."""
    return model_kind(config["models"][model])


def exported(models):
    """Return every pair of one of these models and a seed."""
    return [(model, seed) for model in models for seed in seeds(model)]


def trained(models):
    """Return every pair of a training set and one of these models."""
    return [(train, model) for train in WHOLE for model in models]


def trained_seeds(models):
    """Return training set, model and seed of every training of these models."""
    return [(train, model, seed) for train, model in trained(models) for seed in seeds(model)]


def on_tests(models):
    """Return model, seed and test set of every prediction of these models, of any training set."""
    return [(model, seed, test) for model in models for seed in seeds(model) for test in TESTS]


def predictions_of(models):
    """Return the files of `on_tests`, with a wildcard for the training set."""
    pattern = "<results>/predictions/{{train}}/{}/{}/{}.npz"
    return [pattern.format(*names) for names in on_tests(models)]


def predictions_by_model(wildcards):
    """Return the predictions of the wildcards' model: by training set, seed and test set."""
    pattern = "<results>/predictions/{train}/{model}/{seed}/{test}.npz"
    model = wildcards.model
    return expand(pattern, train=WHOLE, model=model, seed=seeds(model), test=TESTS)


def covariances(wildcards):
    """Return the covariances of the wildcards' model, one a training set; none of a network."""
    if wildcards.model not in POLYNOMIALS:
        return []
    return expand("<results>/models/{train}/{model}/0/covariance.npz", train=WHOLE, **wildcards)


def exports_of(models):
    """Return the checks of these models' potentials, with a wildcard for the training set."""
    return [f"<results>/models/{{train}}/{m}/{s}/export.csv" for m, s in exported(models)]


def commands_of(models):
    """Return the LAMMPS lines of these models' potentials, with a wildcard for the training set."""
    return [f"<results>/models/{{train}}/{m}/{s}/potential.lammps" for m, s in exported(models)]


def parameters_of(models):
    """Return the LAMMPS files of these models' potentials, with a wildcard for the training set."""
    return [
        f"<results>/models/{{train}}/{model}/{seed}/{name}"
        for model, seed in exported(models)
        for name in POTENTIAL_FILES[kind(model)]
    ]


def cards_of(models):
    """Return the cards of these models' potentials, with a wildcard for the training set."""
    return [f"<results>/potentials/{{train}}-{m}-{s}/README.md" for m, s in exported(models)]


def source_searched(subset):
    """Return the first trained data set that a subset takes from: its searches serve the subset."""
    return next((name for name in subset_sources(config["subsets"][subset]) if name in WHOLE), "")


def searches_by_set(wildcards):
    """Return the search behind each training of the wildcards' job: files by ``train/model``."""
    trains = [wildcards.train] if hasattr(wildcards, "train") else SUBSETS_OF[wildcards.model]
    models = [wildcards.model] if hasattr(wildcards, "model") else DRAWN_POLYNOMIALS
    sources = {name: name if name in WHOLE else source_searched(name) for name in trains}
    return {
        f"{train}/{model}": f"<results>/models/{source}/{model}/search.csv"
        for train, source in sources.items()
        for model in models
        if source and model in SEARCHED
    }


def searched_sets(wildcards):
    """Return the names ``train/model`` of the trainings of a job that rest on a search."""
    return list(searches_by_set(wildcards))


def searches(wildcards):
    """Return the files of the searches that the trainings of a job rest on."""
    return list(searches_by_set(wildcards).values())


def files_of_fit(wildcards):
    """Return what follows from training a model on every set or, by the fits' name, every subset."""
    model = wildcards.fit.removesuffix(SUBSET_FITS)
    if model != wildcards.fit:
        return [f"<results>/errors/subsets/{model}.csv.xz"]
    told = ["history.csv"] if model in NETWORKS else ["ridge.csv", "fit.csv"]
    parts = [*POTENTIAL_FILES[kind(model)], "trained.npz", *told]
    files = [f"models/{{train}}/{model}/{seed}/{part}" for seed in seeds(model) for part in parts]
    files += [f"errors/draws/{{train}}/{model}.csv.xz"] if model in DRAWN else []
    files += [f"calibration/{{train}}/{model}.csv"] if model in CALIBRATED else []
    return expand(
        "<results>/{file}", file=[f.format(train=train) for train in WHOLE for f in files]
    )


def one_model(wildcards):
    """Return the wildcards' model by its name."""
    return {wildcards.model: config["models"][wildcards.model]}


def subsets_of_model(wildcards):
    """Return the subsets that the wildcards' model is trained on."""
    return SUBSETS_OF[wildcards.model]


def of_models(pattern, models):
    """Return the pattern's file for every seed of these models on every set they are trained on."""
    return [
        f"<results>/models/{'/'.join(map(str, name))}/{pattern}" for name in trained_seeds(models)
    ]


def potential_files(kind):
    """Return the LAMMPS files of a sort of model, with wildcards."""
    return [
        f"<results>/models/{{train}}/{{model}}/{{seed}}/{name}" for name in POTENTIAL_FILES[kind]
    ]


def potentials(wildcards):
    """Return the files of the exported potentials of the wildcards' model, on every training set."""
    return expand(potential_files(kind(wildcards.model)), train=WHOLE, allow_missing=True)


def potential_of(train, model, seed=0):
    """Return the LAMMPS files of one potential."""
    names = {"train": train, "model": model, "seed": seed}
    return [path.format(**names) for path in potential_files(kind(model))]


def released_ace(wildcards):
    """Return the released errors and fits of ACE on the wildcards' training set; none where none are."""
    names = (f"errors/draws/{wildcards.train}/ace.csv.xz", f"errors/ace/{wildcards.train}.csv.xz")
    files = [Path(RELEASED, name) for name in names] if RELEASED and not is_made("ace") else []
    return files if all(map(Path.exists, files)) else []


def rows_of(kind, pairs, key):
    """Return the files of runs (nve) or ramps of these potentials; an error where there are none."""
    if not pairs:
        raise WorkflowError(
            f"{key}: the study has no model of those that it stands for by default (linear SNAP "
            "and networks, of ramps all but POD and ACE); name the models to run"
        )
    return [f"<results>/dynamics/{kind}/{train}-{model}.csv" for train, model in pairs]


def dynamic_potential(wildcards):
    """Return the files of the potential that the wildcards' dynamics are run with."""
    return potential_of(wildcards.train, wildcards.model)


def potential_at_work(wildcards):
    """Return the files of the potential whose physics is measured, unless LAMMPS ships them."""
    source = PHYSICS[wildcards.potential]
    if "labeller" in source:
        return labeller_files(source["labeller"])
    names = {"train": source["train"], "model": source["model"], "seed": SEED}
    files = [*potential_files(kind(source["model"])), *commands_of([source["model"]])[:1]]
    return [path.format(**names) for path in files]
