"""Further training sets, each a part of another one: learning curves, baselines of selection.

Needs  datasets/{of}/train.xyz
Makes  datasets/{dataset}/train.xyz
Steps  select_subset: random, farthest-point or minimum-set-cover cells, as long as they fit
"""


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
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        study=study_part("seed", "lattice", "element", "cutoff", "optimiser"),
        subset=lookup(within=config, dpath="subsets/{dataset}"),
    message:
        "Selecting {wildcards.dataset}"
    script:
        "../scripts/select_subset.py"
