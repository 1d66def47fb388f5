"""Draws: every model trained anew on every draw of its training set, on halves, and on subsets.

Needs  labels/{dataset}/{chunk}.xyz, datasets/{dataset}/draws.csv, datasets/subsets.csv
Makes  errors/draws/{train}/{polynomials,{model}}.csv.xz, errors/subsets/{model}.csv.xz: errors of
       every model on every cell that its draw holds out, a row a cell
Steps  draw_polynomials: all polynomials on every draw of one training set and its halves
       draw_network: a network on them, many draws at once, and further seeds on the first
       fit_subsets, train_subsets: one polynomial, one network on every subset in every draw
"""

FURTHER_SEEDS = 3  # of networks on the first draw: the spread that training alone makes
OVERRIDES = {name: {"energy_weight": weight} for name, (_, weight) in WEIGHTED.items()}


rule draw_polynomials:
    """Fit polynomials to every draw of a training set and its halves; measure their errors."""
    input:
        labels=all_chunks("labels", TESTS),
        draws=TEST_TABLES,
        subsets=[],
        searches=searches,
    output:
        errors="<results>/errors/draws/{train}/polynomials.csv.xz",
    log:
        "<logs>/draw_polynomials/{train}.log",
    benchmark:
        "<benchmarks>/draw_polynomials/{train}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        study=study_part("element", "cutoff", "zbl"),
        datasets=TESTS,
        models={model: config["models"][model] for model in DRAWN_POLYNOMIALS},
        searched=searched_sets,
        subsets=[],
        overrides={},
    message:
        "Fitting polynomials to every draw of {wildcards.train}"
    script:
        "../scripts/draw_polynomials.py"


rule draw_network:
    """Train a network on every draw of a training set and its halves; measure its errors."""
    input:
        labels=all_chunks("labels", TESTS),
        draws=TEST_TABLES,
        subsets=[],
        searches=searches,
    output:
        errors="<results>/errors/draws/{train}/{model}.csv.xz",
    log:
        "<logs>/draw_network/{train}/{model}.log",
    benchmark:
        "<benchmarks>/draw_network/{train}/{model}.tsv"
    wildcard_constraints:
        model=either(DRAWN_NETWORKS),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        study=part_on_device("seed", "element", "cutoff", "zbl"),
        datasets=TESTS,
        model=lookup(within=config, dpath="models/{model}"),
        searched=searched_sets,
        subsets=[],
        overrides={},
        seeds=FURTHER_SEEDS,
    message:
        "Training {wildcards.model} on every draw of {wildcards.train}"
    script:
        "../scripts/draw_network.py"


use rule draw_polynomials as fit_subsets with:
    input:
        labels=all_chunks("labels"),
        draws=DRAW_TABLES,
        subsets=MEMBERS,
        searches=searches,
    output:
        errors="<results>/errors/subsets/{model}.csv.xz",
    log:
        "<logs>/fit_subsets/{model}.log",
    benchmark:
        "<benchmarks>/fit_subsets/{model}.tsv"
    wildcard_constraints:
        model=either(POLYNOMIALS),
    params:
        study=study_part("element", "cutoff", "zbl"),
        datasets=DATASETS,
        models=one_model,
        searched=searched_sets,
        subsets=subsets_of_model,
        overrides=OVERRIDES,
    message:
        "Fitting {wildcards.model} to every subset"


use rule draw_network as train_subsets with:
    input:
        labels=all_chunks("labels"),
        draws=DRAW_TABLES,
        subsets=MEMBERS,
        searches=searches,
    output:
        errors="<results>/errors/subsets/{model}.csv.xz",
    log:
        "<logs>/train_subsets/{model}.log",
    benchmark:
        "<benchmarks>/train_subsets/{model}.tsv"
    wildcard_constraints:
        model=either(NETWORKS),
    params:
        study=part_on_device("seed", "element", "cutoff", "zbl"),
        datasets=DATASETS,
        model=lookup(within=config, dpath="models/{model}"),
        searched=searched_sets,
        subsets=subsets_of_model,
        overrides=OVERRIDES,
        seeds=FURTHER_SEEDS,
    message:
        "Training {wildcards.model} on every subset"


rule draws:
    input:
        DRAW_ERRORS,
        SUBSET_ERRORS,
        "<results>/tables/training_sets.csv",
