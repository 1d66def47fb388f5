"""Split: training and test parts of every data set in every draw, and further training sets.

Needs  labels/{dataset}/{chunk}.xyz
Makes  datasets/{dataset}/draws.csv, datasets/{dataset}/{train,test}.xyz of the first draw;
       datasets/subsets.csv, errors/cells.csv.xz, tables/training_sets.csv
Steps  split: hold out whole trajectories of every group; cut the training set to equal size, and
              divide it into halves; all of that once for each draw
       select_subsets: random, farthest-point or minimum-set-cover cells of training sets, as long
                       as they fit: learning curves, mixtures, baselines of selection
       describe_cells: every labelled cell; size and cost of every training set
"""


rule split:
    """Divide a labelled data set into a training and a test part."""
    input:
        cells=labelled_chunks,
    output:
        train="<results>/datasets/{dataset}/train.xyz",
        test="<results>/datasets/{dataset}/test.xyz",
        draws="<results>/datasets/{dataset}/draws.csv",
    log:
        "<logs>/split/{dataset}.log",
    benchmark:
        "<benchmarks>/split/{dataset}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=study_part("seed", "split", "cutoff", "optimiser"),
        test_fraction=test_fraction,
    message:
        "Splitting {wildcards.dataset}"
    script:
        "../scripts/split.py"


rule select_subsets:
    """Take the study's subsets from training parts, in every draw."""
    input:
        draws=DRAW_TABLES,
        cells=all_chunks("labels") if SELECTED else [],
    output:
        cells="<results>/datasets/subsets.csv",
    log:
        "<logs>/select_subsets.log",
    benchmark:
        "<benchmarks>/select_subsets.tsv"
    conda:
        ENVIRONMENT
    resources:
        runtime=60,
    params:
        study=study_part("seed", "lattice", "element", "cutoff", "optimiser"),
        subsets=lookup(within=config, dpath="subsets"),
        sources=DATASETS,
    message:
        "Selecting subsets"
    script:
        "../scripts/select_subsets.py"


rule describe_cells:
    """List every labelled cell, and the size and cost of every training set."""
    input:
        labels=all_chunks("labels"),
        draws=DRAW_TABLES,
        subsets=MEMBERS,
    output:
        cells="<results>/errors/cells.csv.xz",
        training_sets="<results>/tables/training_sets.csv",
    log:
        "<logs>/describe_cells.log",
    benchmark:
        "<benchmarks>/describe_cells.tsv"
    conda:
        ENVIRONMENT
    params:
        datasets=DATASETS,
        trains=WHOLE,
        subsets=list(config["subsets"]),
        some=config["split"]["test_cells"] is not None,
    message:
        "Describing labelled cells and training sets"
    script:
        "../scripts/describe_cells.py"
