"""Known results: what a study shows where it lies on disk, and computes on request alone.

These take hours of DFT or of dynamics, so that no table or figure may start them by itself. What lies
on disk when the workflow is read decides: results that the study's own target has made, results
that were released of a study of its name, or none, and then the pages say "not measured".
"""

from diverse.study.known import errors_of_same_labels, first_known, first_whole


def released_files(folder, *ends):
    """Return the files of this study below a folder of results/release; none where it recomputes."""
    return [Path(RELEASED, folder, f"{config['study']}{end}") for end in ends] if RELEASED else []


def own_files(pattern, pairs):
    """Return the study's own files of these training sets and models, as paths on disk."""
    return [Path(RESULTS, pattern.format(train=train, model=model)) for train, model in pairs]


# The errors of the labels, which tables and figures are read against (snakemake convergence): released
# ones only of labels of the same protocols.
RELEASED_ERRORS = released_files("convergence", ".csv", ".xyz.xz")
KNOWN_ERRORS = first_known(
    Path(RESULTS, "convergence/errors.csv"),
    *(errors_of_same_labels(config, *RELEASED_ERRORS) if RELEASED_ERRORS else []),
)

# Runs at constant energy (snakemake dynamics).
OWN_DYNAMICS = own_files("dynamics/nve/{train}-{model}.csv", MOVED)
DYNAMICS = first_whole(OWN_DYNAMICS, released_files("dynamics", ".csv.xz"))

# Ramps of temperature and pressure (snakemake ramps).
OWN_RAMPS = own_files("dynamics/ramps/{train}-{model}.csv", RAMPED)
RAMPS = first_whole(OWN_RAMPS, released_files("dynamics", "-ramps.csv.xz"))

# Physical properties (snakemake physics): tables, and the curves behind them.
OWN_PHYSICS = [
    Path(RESULTS, f"physics/values/{name}.{end}") for end in ("csv", "json") for name in PHYSICS
]
KNOWN_PHYSICS = first_whole(OWN_PHYSICS, released_files("physics", ".csv", ".json"))

# Rates of dynamics by form of model, and of reference models, which benchmarks have measured
# (tests/benchmarks/md.py, md_references.py).
SPEEDS = first_known(ROOT / "results/release/benchmarks/md.csv")
REFERENCE_SPEEDS = first_known(ROOT / "results/release/benchmarks/md_references.csv")

# Claims of a released study, beside which those of this one stand.
BESIDE = first_known(ROOT / (config["beside"] or "none") / "tables/claims.csv")
