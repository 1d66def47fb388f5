"""Split: training and test parts of every data set, and further training sets.

Needs  labels/{dataset}/{chunk}.xyz
Makes  datasets/{dataset}/{train,test}.xyz
Steps  split: hold out whole trajectories of every group; cut the training set to equal size
       select_subset: random, farthest-point or minimum-set-cover cells of a training set, as long as
                      they fit: learning curves, baselines of selection
"""


rule split:
    """Divide a labelled data set into a training and a test part."""
    input:
        cells=labelled_chunks,
    output:
        train="<results>/datasets/{dataset}/train.xyz",
        test="<results>/datasets/{dataset}/test.xyz",
    log:
        "<logs>/split/{dataset}.log",
    benchmark:
        "<benchmarks>/split/{dataset}.tsv"
    wildcard_constraints:
        dataset=either(DATASETS),
    conda:
        ENVIRONMENT
    params:
        study=study_part("seed", "split", "cutoff", "optimiser"),
        use=lookup(within=config, dpath="datasets/{dataset}/use"),
    message:
        "Splitting {wildcards.dataset}"
    script:
        "../scripts/split.py"


rule select_subset:
    """Take a subset of the training part of a data set, for a training set of its own."""
    input:
        cells=expand(
            "<results>/datasets/{of}/train.xyz",
            of=lookup(within=config, dpath="subsets/{dataset}/of"),
        ),
    output:
        train="<results>/datasets/{dataset}/train.xyz",
    log:
        "<logs>/select_subset/{dataset}.log",
    wildcard_constraints:
        dataset=either(config["subsets"]),
    conda:
        ENVIRONMENT
    resources:
        runtime=60,
    params:
        study=study_part("seed", "lattice", "element", "cutoff", "optimiser"),
        subset=lookup(within=config, dpath="subsets/{dataset}"),
    message:
        "Selecting {wildcards.dataset}"
    script:
        "../scripts/select_subset.py"
