"""Labels: energies, forces and stress of every cell, and what they are like.

Needs  structures/{dataset}/{chunk}.xyz; the user's own files behind a labeller: factory modules, potentials;
       for the card of a study with learning curves tables/curves.csv
Makes  labels/{dataset}/{chunk}.xyz, labels/{dataset}.xyz.xz, tables/failures.csv, tables/datasets.{csv,html},
       figures/{datasets,labels}.png, labels/README.md
Steps  label_chunk: one chunk, through its ledger (ledger/{dataset}/{chunk}.xyz, which outlives the job)
       keep_labels: take the published labels of a set as they are (with labels: keep)
       merge_labels: the chunks of a data set in one file
       tabulate_failures: cells that got no label, with the cause
       show_datasets: sizes, energies, forces and cost of the sets
       plot_labels: sizes of forces, iterations and core time of every label
       write_card: what is in each file, how it was made, how good it is, and how to read it
"""


rule label_chunk:
    """Label one chunk; what its ledger or a released one holds is not computed again."""
    input:
        cells="<results>/structures/{dataset}/{chunk}.xyz",
        sources=lookup(within=LABEL_SOURCES, dpath="{dataset}"),
    output:
        cells="<results>/labels/{dataset}/{chunk}.xyz",
    log:
        "<logs>/label_chunk/{dataset}/{chunk}.log",
    benchmark:
        "<benchmarks>/label_chunk/{dataset}/{chunk}.tsv"
    wildcard_constraints:
        dataset=either(LABELLED),
    retries: 3 if workflow.is_main_process else 0  # never within what is left of its own time
    conda:
        ENVIRONMENT
    resources:
        mem_mb=label_memory,
        runtime=label_minutes,
        cores_per_cell=1,
        time_limit=0,
        launcher="",
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


rule keep_labels:
    """Take the labels of a published data set as they are."""
    input:
        cells="<results>/structures/{dataset}/0.xyz",
    output:
        cells="<results>/labels/{dataset}/0.xyz",
    log:
        "<logs>/keep_labels/{dataset}.log",
    wildcard_constraints:
        dataset=either(KEPT),
    conda:
        ENVIRONMENT
    message:
        "Keeping the labels of {wildcards.dataset}"
    script:
        "../scripts/keep_labels.py"


rule merge_labels:
    """Join the labels of a data set; a damaged file is named."""
    input:
        cells=labelled_chunks,
    output:
        labels="<results>/labels/{dataset}.xyz.xz",
    log:
        "<logs>/merge_labels/{dataset}.log",
    benchmark:
        "<benchmarks>/merge_labels/{dataset}.tsv"
    wildcard_constraints:
        dataset=either(LABELLED),
    conda:
        ENVIRONMENT
    message:
        "Joining the labels of {wildcards.dataset}"
    script:
        "../scripts/merge_labels.py"


rule tabulate_failures:
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
        "<logs>/tabulate_failures.log",
    benchmark:
        "<benchmarks>/tabulate_failures.tsv"
    conda:
        ENVIRONMENT
    message:
        "Listing labelling failures"
    script:
        "../scripts/tabulate_failures.py"


rule show_datasets:
    """Compare the labels of the data sets: sizes, energies, forces, cost."""
    input:
        cells=all_chunks("labels"),
    output:
        figure=report(
            "<results>/figures/datasets.png",
            caption="../report/datasets.rst",
            category="Data sets",
            labels={"result": "energies"},
        ),
        table="<results>/tables/datasets.csv",
        page=report(
            "<results>/tables/datasets.html",
            caption="../report/datasets_table.rst",
            category="Data sets",
            labels={"result": "summary table"},
        ),
    log:
        "<logs>/show_datasets.log",
    benchmark:
        "<benchmarks>/show_datasets.tsv"
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
    message:
        "Comparing the labels of the data sets"
    script:
        "../scripts/show_datasets.py"


rule plot_labels:
    """Draw sizes of forces, iterations and core time of the labels."""
    input:
        cells=all_chunks("labels"),
    output:
        figure=report(
            "<results>/figures/labels.png",
            caption="../report/labels.rst",
            category="Labels",
            labels={"result": "forces and effort"},
        ),
    log:
        "<logs>/plot_labels.log",
    benchmark:
        "<benchmarks>/plot_labels.tsv"
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
    message:
        "Drawing forces and effort of the labels"
    script:
        "../scripts/plot_labels.py"


rule write_card:
    """Write the data card of the labels."""
    input:
        labels=expand("<results>/labels/{dataset}.xyz.xz", dataset=LABELLED),
        noise="<results>/tables/noise.csv",
        errors=KNOWN_ERRORS,
        diversity="<results>/tables/diversity.csv",
        curves="<results>/tables/curves.csv" if SIZES else [],
        config="<results>/config.yaml",
        schema=ROOT / "workflow/schemas/study.schema.yaml",
        template=ROOT / "workflow/report/data_card.md",
    output:
        card="<results>/labels/README.md",
    log:
        "<logs>/write_card.log",
    benchmark:
        "<benchmarks>/write_card.tsv"
    conda:
        ENVIRONMENT
    params:
        datasets=LABELLED,
    message:
        "Writing the data card of the labels"
    script:
        "../scripts/write_card.py"


rule label:
    input:
        "<results>/config.yaml",
        all_chunks("labels"),
        "<results>/tables/failures.csv",
