"""Models: every model of the study on every training set, as potentials that LAMMPS runs.

Needs  datasets/{train}/train.xyz, models/{train}/{model}/search.csv where weights are auto
Makes  models/{train}/{model}/{seed}/trained.npz, potential.* and export.csv
Steps  fit_polynomial: linear and quadratic SNAP from normal equations, any number of cells
       fit_fitsnap: the same by FitSNAP, for sets that fit in memory (solver: fitsnap)
       train_network: a tanh network on energies and forces
       check_export: the potential as LAMMPS and Python read it against the model as it was
                     trained (trained.npz), within 1e-8 eV/atom and 1e-6 eV/Å, or the study fails
"""

FITSNAP = names("models", "solver", "fitsnap")


rule fit_polynomial:
    """Fit linear or quadratic SNAP to energies and forces, in constant memory, on top of ZBL."""
    input:
        cells="<results>/datasets/{train}/train.xyz",
        search=lookup(within=SEARCHES, dpath="{model}", default=[]),
    output:
        parameters=potential_files("polynomial"),
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
        covariance="<results>/models/{train}/{model}/{seed}/covariance.npz",
        path="<results>/models/{train}/{model}/{seed}/ridge.csv",
        summary="<results>/models/{train}/{model}/{seed}/fit.csv",
    log:
        "<logs>/fit_polynomial/{train}/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/fit_polynomial/{train}/{model}/{seed}.tsv"
    wildcard_constraints:
        model=either(STREAMED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        study=study_part("element", "cutoff", "zbl"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Fitting {wildcards.model} to {wildcards.train}"
    script:
        "../scripts/fit_polynomial.py"


rule fit_fitsnap:
    """Fit linear or quadratic SNAP with FitSNAP to energies and forces, on top of ZBL."""
    input:
        cells="<results>/datasets/{train}/train.xyz",
    output:
        parameters=potential_files("polynomial"),
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
    log:
        "<logs>/fit_fitsnap/{train}/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/fit_fitsnap/{train}/{model}/{seed}.tsv"
    wildcard_constraints:
        model=either(FITSNAP),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        study=study_part("element", "cutoff", "zbl"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Fitting {wildcards.model} to {wildcards.train}"
    script:
        "../scripts/fit_fitsnap.py"


rule train_network:
    """Train one tanh network on energies and forces, on top of ZBL."""
    input:
        cells="<results>/datasets/{train}/train.xyz",
        search=lookup(within=SEARCHES, dpath="{model}", default=[]),
    output:
        parameters=potential_files("network"),
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
        history="<results>/models/{train}/{model}/{seed}/history.csv",
    log:
        "<logs>/train_network/{train}/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/train_network/{train}/{model}/{seed}.tsv"
    wildcard_constraints:
        model=either(NETWORKS),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        study=study_part("seed", "element", "cutoff", "zbl"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Training {wildcards.model} on {wildcards.train}, seed {wildcards.seed}"
    script:
        "../scripts/train_network.py"


rule check_export:
    """Run the exported potential and compare it with the model that was trained, cell by cell."""
    input:
        parameters=potential,
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
        cells=TEST_CELLS,
    output:
        differences="<results>/models/{train}/{model}/{seed}/export.csv",
        commands="<results>/models/{train}/{model}/{seed}/potential.lammps",
    log:
        "<logs>/check_export/{train}/{model}/{seed}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        study=study_part("element", "cutoff", "zbl"),
    message:
        "Checking the potential of {wildcards.model} trained on {wildcards.train}"
    script:
        "../scripts/check_export.py"


rule train:
    input:
        of_models("export.csv", config["models"]),
