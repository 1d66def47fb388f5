"""Labels: energies, forces and stress of every cell.

Needs  structures/{dataset}/{chunk}.xyz
Makes  labels/{dataset}/{chunk}.xyz, labels/{dataset}.xyz.xz, datasets/{dataset}/{train,test}.xyz, tables/failures.csv
Steps  label: one chunk, through its ledger (ledger/{dataset}/{chunk}.xyz, which outlives the job)
       merge_labels: the chunks of a data set in one file
       split: hold out whole trajectories of every group; cut the training set to equal size
       failures: cells that got no label, with the cause
"""

LABELLED = [name for name in DATASETS if name not in KEPT]


rule label_chunk:
    """Label one chunk; what its ledger or a released one holds is not computed again."""
    input:
        cells="<results>/structures/{dataset}/{chunk}.xyz",
    output:
        cells="<results>/labels/{dataset}/{chunk}.xyz",
    log:
        "<logs>/label_chunk/{dataset}/{chunk}.log",
    benchmark:
        "<benchmarks>/label_chunk/{dataset}/{chunk}.tsv"
    wildcard_constraints:
        dataset=either(LABELLED),
    retries: 3
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
        cores_per_cell=1,
        time_limit=0,
    params:
        labeller=dataset_labeller,
        timeout=lookup(within=config, dpath="timeout"),
        retry=config["labels"] == "retry",
        released=RELEASED,
        ledger=f"{RESULTS}/ledger/{{dataset}}/{{chunk}}.xyz",
    message:
        "Labelling {wildcards.dataset}, chunk {wildcards.chunk}"
    script:
        "../scripts/label_chunk.py"


rule merge_labels:
    """Join the labels of a data set; a damaged file is named."""
    input:
        cells=labelled_chunks,
    output:
        labels="<results>/labels/{dataset}.xyz.xz",
    log:
        "<logs>/merge_labels/{dataset}.log",
    wildcard_constraints:
        dataset=either(LABELLED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Joining the labels of {wildcards.dataset}"
    script:
        "../scripts/merge_labels.py"


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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        study=study_part("seed", "split", "cutoff", "optimiser"),
        use=lookup(within=config, dpath="datasets/{dataset}/use"),
    message:
        "Splitting {wildcards.dataset}"
    script:
        "../scripts/split.py"


rule failures:
    """List the cells that got no label."""
    input:
        labels=expand("<results>/labels/{dataset}.xyz.xz", dataset=LABELLED),
    output:
        table=report(
            "<results>/tables/failures.csv",
            caption="../report/failures.rst",
            category="Labels",
            labels={"table": "cells without a label"},
        ),
    log:
        "<logs>/failures.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Listing labelling failures"
    script:
        "../scripts/failures.py"


rule label:
    input:
        all_chunks("labels"),
        "<results>/tables/failures.csv",
