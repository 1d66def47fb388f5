"""Loss weights: energy weights and scales that the study leaves to auto, from training sets alone.

Needs  datasets/{train}/train.xyz
Makes  models/{train}/{model}/search.csv (every candidate), tables/search.csv, figures/search.png
Steps  search_polynomial: fits of every candidate with folds of the training set left out
       search_network: short trainings of every candidate with parts left out
       plot_search: all candidates of all models, in one table and one figure
"""

AUTO_WEIGHT = names("models", "energy_weight", "auto")
AUTO_SCALE = names("models", "energy_scale", "auto")
SEARCHED = [model for model in config["models"] if model in {*AUTO_WEIGHT, *AUTO_SCALE}]
SEARCHES = {model: f"<results>/models/{{train}}/{model}/search.csv" for model in SEARCHED}


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
        model=either(STREAMED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
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
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        study=study_part("seed", "element", "cutoff", "zbl", "search"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Searching loss weights of {wildcards.model} on {wildcards.train}"
    script:
        "../scripts/search_network.py"


rule plot_search:
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
        "<logs>/plot_search.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
    message:
        "Drawing the search of loss weights"
    script:
        "../scripts/plot_search.py"
