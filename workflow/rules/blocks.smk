"""Blocks: polynomials on all draws of a set of any size, by sums of normal equations of its blocks.

Needs  labels/{dataset}/{chunk}.xyz, datasets/{dataset}/draws.csv
Makes  sums/{train}/{model}/{basis,{block}}.npz; what fit_polynomial and draw_polynomials make of
       studies that are not split by block
Steps  survey_blocks: the basis that all blocks are summed in, from the first of them
       sum_block: one pass over one block, for all fits that hold it; SNAP has its sums from
                     the widest SNAP of the study that holds it
       fit_sums: the potential that is exported, of the first draw
       draw_sums: a model on every draw of a training set and its halves, and its errors
"""

SUMMED = shared_sums(config["models"], POLYNOMIALS) if BLOCKED else {}
SUMMING = sorted(set(SUMMED.values()))


rule survey_blocks:
    """Choose the basis that the normal equations of all blocks of a training set are summed in."""
    input:
        labels=blocked_chunks,
        draws="<results>/datasets/{train}/draws.csv",
    output:
        basis="<results>/sums/{train}/{model}/basis.npz",
    log:
        "<logs>/survey_blocks/{train}/{model}.log",
    benchmark:
        "<benchmarks>/survey_blocks/{train}/{model}.tsv"
    wildcard_constraints:
        model=either(SUMMING),
    conda:
        ENVIRONMENT
    params:
        study=study_part("element", "cutoff"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Surveying blocks of {wildcards.train} for {wildcards.model}"
    script:
        "../scripts/survey_blocks.py"


rule sum_block:
    """Sum the normal equations of one block of a training set."""
    input:
        labels=blocked_chunks,
        draws="<results>/datasets/{train}/draws.csv",
        basis="<results>/sums/{train}/{model}/basis.npz",
    output:
        sums="<results>/sums/{train}/{model}/{block}.npz",
    log:
        "<logs>/sum_block/{train}/{model}/{block}.log",
    benchmark:
        "<benchmarks>/sum_block/{train}/{model}/{block}.tsv"
    wildcard_constraints:
        model=either(SUMMING),
        block=r"\d+",
    conda:
        ENVIRONMENT
    params:
        study=study_part("element", "cutoff", "zbl"),
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Summing block {wildcards.block} of {wildcards.train} for {wildcards.model}"
    script:
        "../scripts/sum_block.py"


rule fit_sums:
    """Fit SNAP to the sums of the blocks of the first draw, on top of ZBL."""
    input:
        sums=summed_blocks,
        basis=summed_basis,
        draws="<results>/datasets/{train}/draws.csv",
        search=lookup(within=SEARCHES, dpath="{model}", default=[]),
    output:
        parameters=potential_files("polynomial"),
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
        covariance="<results>/models/{train}/{model}/{seed}/covariance.npz",
        path="<results>/models/{train}/{model}/{seed}/ridge.csv",
        summary="<results>/models/{train}/{model}/{seed}/fit.csv",
    log:
        "<logs>/fit_sums/{train}/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/fit_sums/{train}/{model}/{seed}.tsv"
    wildcard_constraints:
        model=either(SNAPS if BLOCKED else []),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
    params:
        study=study_part("element", "cutoff"),
        model=lookup(within=config, dpath="models/{model}"),
        summed=summed_model,
    message:
        "Fitting {wildcards.model} to sums of {wildcards.train}"
    script:
        "../scripts/fit_sums.py"


use rule fit_sums as fit_sums_of_pod with:
    output:
        parameters=potential_files("pod"),
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
        covariance="<results>/models/{train}/{model}/{seed}/covariance.npz",
        path="<results>/models/{train}/{model}/{seed}/ridge.csv",
        summary="<results>/models/{train}/{model}/{seed}/fit.csv",
    log:
        "<logs>/fit_sums_of_pod/{train}/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/fit_sums_of_pod/{train}/{model}/{seed}.tsv"
    wildcard_constraints:
        model=either(PODS if BLOCKED else []),


rule draw_sums:
    """Fit a model to the sums of every draw of a training set and its halves; measure its errors."""
    input:
        sums=summed_blocks,
        basis=summed_basis,
        labels=all_chunks("labels", TESTS),
        draws=TEST_TABLES,
        search=lookup(within=SEARCHES, dpath="{model}", default=[]),
    output:
        errors="<results>/errors/draws/{train}/{model}.csv.xz",
    log:
        "<logs>/draw_sums/{train}/{model}.log",
    benchmark:
        "<benchmarks>/draw_sums/{train}/{model}.tsv"
    wildcard_constraints:
        model=either(DRAWN_POLYNOMIALS if BLOCKED else []),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        study=study_part("element", "cutoff", "zbl"),
        datasets=TESTS,
        model=lookup(within=config, dpath="models/{model}"),
        summed=summed_model,
        blocks=list(BLOCKS),
    message:
        "Fitting {wildcards.model} to every draw of {wildcards.train}"
    script:
        "../scripts/draw_sums.py"


rule sums:
    input:
        [
            f"<results>/sums/{train}/{model}/{block}.npz"
            for train in WHOLE
            for model in SUMMING
            for block in BLOCKS
        ],
