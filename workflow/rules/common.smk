"""The study: its configuration, its wildcards, and the lists of files that follow from them."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(os.path.relpath(workflow.basedir))  # so that a clone that is moved has nothing to do
ENVIRONMENT = f"{workflow.basedir}/envs/study.yaml"
STAGES = [  # files of rules, in the order of the Snakefile
    *("generate", "diversity", "label", "label_quality", "split", "train", "transfer", "curves"),
    *("uncertainty", "potentials", "report"),
]
sys.path.insert(0, f"{workflow.basedir}/workflow/scripts")

from diverse.study.check import load_study
from diverse.study.reading import ConfigError, check_file
from diverse.study.rounds import chunk_round, chunks_made, chunks_of_round
from diverse.study.settings import (
    labeller_files,
    labeller_options,
    measured_variants,
    variant_options,
)

try:
    for path in workflow.configfiles:
        check_file(path)
    config = load_study(config, str(ROOT / "workflow/schemas/study.schema.yaml"))
except ConfigError as error:
    raise WorkflowError(f"The study file is not valid. {error}") from None

RESULTS = f"results/{config['study']}"
DATASETS = list(config["datasets"])
FAMILIES = {name: entry["family"] for name, entry in config["datasets"].items()}


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
SAMPLING = ["seed", "element", "lattice", "cutoff", "sampler", "optimiser"]  # of random cells
TEST_CELLS = expand("<results>/datasets/{dataset}/test.xyz", dataset=DATASETS)

# Training sets on a learning curve, and the data set whose curve it is; further ones, to compare.
SIZES = config.get("learning_curve", {"environments": []})["environments"]
CURVES = {f"{name}{size}": name for name in WHOLE for size in (*SIZES, "")}
COMPARED = [*WHOLE, *(name for name in config["subsets"] if name not in CURVES)]

# Models
MODELS_ON = {name: list(config["models"]) for name in WHOLE}  # of subsets, maybe not all
MODELS_ON |= {name: subset["models"] for name, subset in config["subsets"].items()}
STREAMED = names("models", "solver", "streaming")
FITSNAP = names("models", "solver", "fitsnap")
NETWORKS = names("models", "family", "network")
AUTO = [*names("models", "energy_weight", "auto"), *names("models", "energy_scale", "auto")]
SEARCHED = [model for model in config["models"] if model in AUTO]
SEARCHES = {model: f"<results>/models/{{train}}/{model}/search.csv" for model in SEARCHED}
CALIBRATED = [*STREAMED, *(model for model in NETWORKS if len(seeds(model)) > 1)]

# Files of the user's own behind the labels of each data set: factory modules, potentials.
LABEL_SOURCES = {name: labeller_files(labeller_options(config, name)) for name in LABELLED}

# Labels that are known before anything runs: released ones, unless the study recomputes its own.
RELEASED = "" if config["labels"] == "recompute" else str(ROOT / "results/release")

# The errors of the labels that tables and figures are read against. They are input of the report
# only where they exist: measuring them takes hours of DFT, which no study shall start by itself. So
# what lies on disk decides here, when the workflow is read, whether the report shows a released
# table of this study, one that `snakemake convergence` made, or the words "not measured".
ERRORS = [Path(RESULTS, "convergence/errors.csv")]
if RELEASED:
    ERRORS.insert(0, Path(RELEASED, "convergence", f"{config['study']}.csv"))
KNOWN_ERRORS = next((path for path in ERRORS if path.exists()), None)


wildcard_constraints:
    dataset="|".join([*DATASETS, *config["subsets"]]),
    chunk=r"\d+",
    round=r"\d+",
    train="|".join(MODELS_ON),
    model="|".join(config["models"]),
    seed=r"\d+",


def study_part(*keys):
    """Return the top-level entries of these names: a rule depends on nothing else of the study."""
    return {key: config[key] for key in keys}


def dataset_settings(wildcards):
    """Return the settings that cells follow from: all but the number of chunks that are made."""
    settings = config["datasets"][wildcards.dataset]
    return {key: value for key, value in settings.items() if key != "first_chunks"}


def either(names):
    """Return a regular expression that matches these names and, for an empty list, nothing."""
    return "|".join(names) or "(?!)"


def complemented(wildcards):
    """Return the files of cells that the wildcards' data set complements; none if it does not."""
    source = config["datasets"][wildcards.dataset]["complement"]
    return all_chunks("structures", [source]) if source in DATASETS else source or []


def statistics_before(wildcards):
    """Return the file of summed statistics that the wildcards' chunk sees; none without rounds."""
    entry, folder = config["datasets"][wildcards.dataset], f"structures/{wildcards.dataset}"
    path = f"<results>/{folder}/rounds/{chunk_round(entry, int(wildcards.chunk))}.npz"
    return path if entry.get("estimator") == "set" else []


def statistics_of_round(wildcards):
    """Return the files a round's sum is made of: the last sum, and the chunks of the last round."""
    last, folder = int(wildcards.round) - 1, f"structures/{wildcards.dataset}"
    members = chunks_of_round(config["datasets"][wildcards.dataset], last)
    return [f"<results>/{folder}/{file}.npz" for file in (f"rounds/{last}", *members)]


def all_chunks(stage, datasets=DATASETS, pattern="<results>/{}/{}/{}.xyz"):
    """Return the files of one stage (structures or labels) for every chunk of data sets."""
    return [pattern.format(stage, name, chunk) for name, chunk in chunk_names(datasets)]


def chunk_names(datasets):
    """Return data set and number of every chunk, in the order of `all_chunks`."""
    return [(name, chunk) for name in datasets for chunk in chunks_made(config["datasets"][name])]


def structure_chunks(wildcards):
    """Return the files of structures of every chunk of the wildcards' data set."""
    return all_chunks("structures", [wildcards.dataset])


def labelled_chunks(wildcards):
    """Return the files of labels of every chunk of the wildcards' data set."""
    return all_chunks("labels", [wildcards.dataset])


def dataset_labeller(wildcards):
    """Return the options of the labeller of the wildcards' data set."""
    return labeller_options(config, wildcards.dataset)


def variant_sources(wildcards):
    """Return the files behind the labels of the wildcards' variant."""
    return labeller_files(VARIANTS[wildcards.variant])


def local_source(wildcards):
    """Return the files of the wildcards' published data set where its source is local."""
    source = Path(config["datasets"][wildcards.dataset]["source"])
    members = sorted(source.rglob("*")) if source.is_dir() else [source]
    return [str(path) for path in members if path.is_file()]


def trained(models):
    """Return every pair of a training set and one of these models that is trained on it."""
    return [(train, m) for train, names in MODELS_ON.items() for m in names if m in models]


def trained_seeds(models):
    """Return training set, model and seed of every training of these models."""
    return [(train, model, seed) for train, model in trained(models) for seed in seeds(model)]


def of_models(pattern, models):
    """Return the pattern's file for every seed of these models on every set they are trained on."""
    return [
        f"<results>/models/{'/'.join(map(str, name))}/{pattern}" for name in trained_seeds(models)
    ]


def potential_files(family):
    """Return the LAMMPS files of a model of a family, with wildcards."""
    suffixes = ["nn", "descriptor"] if family == "network" else ["snapcoeff", "snapparam"]
    return [f"<results>/models/{{train}}/{{model}}/{{seed}}/potential.{end}" for end in suffixes]


def potential(wildcards):
    """Return the files of the exported potential of the wildcards' model."""
    return potential_files(config["models"][wildcards.model]["family"])


def predictions_on_tests(*seed):
    """Return the files of predictions on every test set, with wildcards; seeds may be given."""
    pattern = "<results>/predictions/{{train}}/{{model}}/{seed}/{test}.npz"
    return expand(pattern, seed=seed or ["{seed}"], test=DATASETS)


def predictions(wildcards):
    """Return the files of predictions of every seed of the wildcards' model on every test set."""
    return predictions_on_tests(*seeds(wildcards.model))
