"""Models: every model of the study on every training set, as potentials that LAMMPS runs.

Needs  datasets/{train}/train.xyz
Makes  models/{train}/{model}/{seed}/trained.npz, potential.* and export.csv;
       predictions/{train}/{model}/{seed}/{test}.npz;
       models/{train}/{model}/search.csv, tables/{search,fits}.{csv,html},
       figures/{search,fits,training}.png
Steps  search_polynomial, search_network: loss weights that the study leaves to auto, from the training
                     set alone: every candidate is fitted with parts of it left out
       fit_polynomial, fit_pod: SNAP and POD from normal equations, any number of cells; with
                     solver: fitsnap, FitSNAP fits the same cells and its fit is taken, if both
                     predict the same within 1e-7 eV/atom and 1e-6 eV/Å, or the study fails
       train_network: a tanh network on energies and forces
       check_export: a model's potentials as LAMMPS and Python read them against the models as they
                     were trained (trained.npz), within 1e-8 eV/atom and 1e-6 eV/Å, or the study fails;
                     its energies, forces and stresses on every test set are kept
       show_search: every candidate of every search
       show_fits: regularisation paths and conditioning of the polynomial fits, FitSNAP's among them
       plot_training: loss curves of the networks
"""


localrules:
    show_search,
    show_fits,
    plot_training,


if SMALL:

    localrules:
        fit_polynomial,
        train_network,
        check_export,


rule search_polynomial:
    """Choose loss weights by what fits predict on folds of the training set left out."""
    input:
        cells="<results>/datasets/{train}/train.xyz",
    output:
        search="<results>/models/{train}/{model}/search.csv",
    log:
        "<logs>/search_polynomial/{train}/{model}.log",
    benchmark:
        "<benchmarks>/search_polynomial/{train}/{model}.tsv"
    wildcard_constraints:
        model=either(POLYNOMIALS),
    conda:
        ENVIRONMENT
    resources:
        runtime=240,
    params:
        study=study_part("element", "cutoff", "zbl", "search"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Searching loss weights of {wildcards.model} on {wildcards.train}"
    script:
        "../scripts/search_polynomial.py"


rule search_network:
    """Choose loss weights by what short trainings predict on parts of the training set left out."""
    input:
        cells="<results>/datasets/{train}/train.xyz",
    output:
        search="<results>/models/{train}/{model}/search.csv",
    log:
        "<logs>/search_network/{train}/{model}.log",
    benchmark:
        "<benchmarks>/search_network/{train}/{model}.tsv"
    wildcard_constraints:
        model=either(NETWORKS),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        study=part_on_device("seed", "element", "cutoff", "zbl", "search"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Searching loss weights of {wildcards.model} on {wildcards.train}"
    script:
        "../scripts/search_network.py"


rule fit_polynomial:
    """Fit SNAP, POD or ACE to energies and forces, on top of ZBL; with FitSNAP beside it."""
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
        model=either([] if BLOCKED else SNAPS),
    conda:
        ENVIRONMENT
    resources:
        runtime=240,
    params:
        study=part_on_device("element", "cutoff", "zbl"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Fitting {wildcards.model} to {wildcards.train}"
    script:
        "../scripts/fit_polynomial.py"


use rule fit_polynomial as fit_pod with:
    output:
        parameters=potential_files("pod"),
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
        covariance="<results>/models/{train}/{model}/{seed}/covariance.npz",
        path="<results>/models/{train}/{model}/{seed}/ridge.csv",
        summary="<results>/models/{train}/{model}/{seed}/fit.csv",
    log:
        "<logs>/fit_pod/{train}/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/fit_pod/{train}/{model}/{seed}.tsv"
    wildcard_constraints:
        model=either([] if BLOCKED else PODS),


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
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        study=part_on_device("seed", "element", "cutoff", "zbl"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Training {wildcards.model} on {wildcards.train}, seed {wildcards.seed}"
    script:
        "../scripts/train_network.py"


rule check_export:
    """Compare exported potentials, cell by cell, with the trained models; keep their predictions."""
    input:
        parameters=potentials,
        trained=expand("<results>/models/{train}/{{model}}/{{seed}}/trained.npz", train=WHOLE),
        cells=TEST_CELLS,
    output:
        differences=expand("<results>/models/{train}/{{model}}/{{seed}}/export.csv", train=WHOLE),
        commands=expand("<results>/models/{train}/{{model}}/{{seed}}/potential.lammps", train=WHOLE),
        predictions=expand(
            "<results>/predictions/{train}/{{model}}/{{seed}}/{test}.npz", train=WHOLE, test=TESTS
        ),
    log:
        "<logs>/check_export/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/check_export/{model}/{seed}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=study_part("element", "cutoff", "zbl"),
    message:
        "Checking the potentials of {wildcards.model}"
    script:
        "../scripts/check_export.py"


rule show_search:
    """Draw and tabulate every candidate of every search."""
    input:
        searches=[
            f"<results>/models/{train}/{model}/search.csv" for train, model in trained(SEARCHED)
        ],
    output:
        figure=report(
            "<results>/figures/search.png",
            caption="../report/search.rst",
            category="Models",
            labels={"result": "choice of loss weights"},
        ),
        table="<results>/tables/search.csv",
        page=report(
            "<results>/tables/search.html",
            caption="../report/search.rst",
            category="Models",
            labels={"result": "loss weights tried"},
        ),
    log:
        "<logs>/show_search.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        models=trained(SEARCHED),
    message:
        "Drawing the search of loss weights"
    script:
        "../scripts/show_search.py"


rule show_fits:
    """Draw the regularisation paths of the polynomial fits and tabulate what they rest on."""
    input:
        paths=of_models("ridge.csv", POLYNOMIALS),
        summaries=of_models("fit.csv", POLYNOMIALS),
    output:
        figure=report(
            "<results>/figures/fits.png",
            caption="../report/fits.rst",
            category="Models",
            labels={"result": "regularisation paths"},
        ),
        table="<results>/tables/fits.csv",
        page=report(
            "<results>/tables/fits.html",
            caption="../report/fits_table.rst",
            category="Models",
            labels={"result": "polynomial fits and FitSNAP"},
        ),
    log:
        "<logs>/show_fits.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        models=trained_seeds(POLYNOMIALS),
    message:
        "Drawing regularisation paths"
    script:
        "../scripts/show_fits.py"


rule plot_training:
    """Draw the loss curves of every network."""
    input:
        histories=of_models("history.csv", NETWORKS),
    output:
        figure=report(
            "<results>/figures/training.png",
            caption="../report/training.rst",
            category="Models",
            labels={"result": "loss curves"},
        ),
    log:
        "<logs>/plot_training.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        models=trained_seeds(NETWORKS),
    message:
        "Drawing loss curves"
    script:
        "../scripts/plot_training.py"


rule train:
    input:
        of_models("export.csv", MODELS),
