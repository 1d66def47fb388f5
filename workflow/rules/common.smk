"""The study: its configuration, its wildcards, and the lists of files that follow from them."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
ENVIRONMENT = str(ROOT / "envs/study.yaml")
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from diverse.study.check import ConfigError, load_study
from diverse.study.rounds import chunk_round, chunks_made, chunks_of_round
from diverse.study.settings import labeller_options, measured_variants, variant_options

try:
    config = load_study(config, str(ROOT / "workflow/schemas/study.schema.yaml"))
except ConfigError as error:
    raise WorkflowError(f"The study file is not valid. {error}") from None

RESULTS = f"results/{config['study']}"
DATASETS = list(config["datasets"])
FAMILIES = {name: entry["family"] for name, entry in config["datasets"].items()}


def names(block, key, *values):
    """Names of the entries of a config block whose `key` has one of `values`."""
    return [name for name, entry in config[block].items() if entry.get(key) in values]


def seeds(model):
    """Seeds a model is trained with; a polynomial fit has nothing random."""
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

# Labels that are known before anything runs: released ones, unless the study recomputes its own.
RELEASED = "" if config["labels"] == "recompute" else str(ROOT / "results/release")

# The errors of the labels that tables and figures are read against. They are input of the report only
# where they exist: measuring them takes hours of DFT, which no study shall start by itself. So what
# lies on disk decides here, when the workflow is read, whether the report shows a released table of
# this study, one that `snakemake convergence` made, or the words "not measured".
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
    """The named top-level entries of the study: a rule depends on nothing else."""
    return {key: config[key] for key in keys}


def dataset_settings(wildcards):
    """What the cells of a chunk follow from; how many chunks are made changes none of them."""
    settings = config["datasets"][wildcards.dataset]
    return {key: value for key, value in settings.items() if key != "first_chunks"}


def either(names):
    """Regular expression that matches these names and, for an empty list, nothing."""
    return "|".join(names) or "(?!)"


def complemented(wildcards):
    """Cells that the wildcards' data set complements, of a data set or a file."""
    source = config["datasets"][wildcards.dataset]["complement"]
    return all_chunks("structures", [source]) if source in DATASETS else source or []


def statistics_before(wildcards):
    """Summed statistics that the wildcards' chunk may see; none without rounds."""
    entry, folder = config["datasets"][wildcards.dataset], f"structures/{wildcards.dataset}"
    path = f"<results>/{folder}/rounds/{chunk_round(entry, int(wildcards.chunk))}.npz"
    return path if entry.get("estimator") == "set" else []


def statistics_of_round(wildcards):
    """What the sum for a round is made of: the sum before it and the chunks of the last round."""
    last, folder = int(wildcards.round) - 1, f"structures/{wildcards.dataset}"
    members = chunks_of_round(config["datasets"][wildcards.dataset], last)
    return [f"<results>/{folder}/{file}.npz" for file in (f"rounds/{last}", *members)]


def all_chunks(stage, datasets=DATASETS, pattern="<results>/{}/{}/{}.xyz"):
    """Files of one stage (structures or labels) for every chunk of data sets."""
    return [pattern.format(stage, name, chunk) for name, chunk in chunk_names(datasets)]


def chunk_names(datasets):
    """Data set and number of every chunk, in the order of `all_chunks`."""
    return [(name, chunk) for name in datasets for chunk in chunks_made(config["datasets"][name])]


def structure_chunks(wildcards):
    """Structures of the wildcards' data set."""
    return all_chunks("structures", [wildcards.dataset])


def labelled_chunks(wildcards):
    """Labels of the wildcards' data set."""
    return all_chunks("labels", [wildcards.dataset])


def dataset_labeller(wildcards):
    """Protocol that labels the wildcards' data set."""
    return labeller_options(config, wildcards.dataset)


def trained(models):
    """Pairs of a training set and one of these models, for all that are trained."""
    return [(train, m) for train, names in MODELS_ON.items() for m in names if m in models]


def trained_seeds(models):
    """Training set, model and seed of everything that is trained of these models."""
    return [(train, model, seed) for train, model in trained(models) for seed in seeds(model)]


def of_models(pattern, models):
    """The pattern's file for every seed of these models on every set they are trained on."""
    return [
        f"<results>/models/{'/'.join(map(str, name))}/{pattern}" for name in trained_seeds(models)
    ]


def potential_files(family):
    """Files of one model of a family, with wildcards."""
    suffixes = ["nn", "descriptor"] if family == "network" else ["snapcoeff", "snapparam"]
    return [f"<results>/models/{{train}}/{{model}}/{{seed}}/potential.{end}" for end in suffixes]


def potential(wildcards):
    """The exported potential of the wildcards' model."""
    return potential_files(config["models"][wildcards.model]["family"])


def predictions_on_tests(*seed):
    """Predictions on every test set, with wildcards; seeds may be given."""
    pattern = "<results>/predictions/{{train}}/{{model}}/{seed}/{test}.npz"
    return expand(pattern, seed=seed or ["{seed}"], test=DATASETS)


def predictions(wildcards):
    """Predictions of every seed of the wildcards' model on every test set."""
    return predictions_on_tests(*seeds(wildcards.model))
