"""Published data sets: imported with their own labels, or relabelled like every other set.

Needs  the source named in the study file: a path, or a URL with its SHA-256
Makes  structures/{dataset}/0.xyz, labels/{dataset}/0.xyz, tables/import/{dataset}/*.csv
Steps  import_literature: read, check and report records
       keep_labels: take the published labels as they are (with labels: keep)
"""

KEPT = [name for name in PUBLISHED if config["datasets"][name]["labels"] == "keep"]


rule import_literature:
    """Import a published data set; what cannot be used is reported."""
    output:
        cells="<results>/structures/{dataset}/0.xyz",
        problems="<results>/tables/import/{dataset}/problems.csv",
        groups="<results>/tables/import/{dataset}/groups.csv",
    log:
        "<logs>/import_literature/{dataset}.log",
    benchmark:
        "<benchmarks>/import_literature/{dataset}.tsv"
    wildcard_constraints:
        dataset=either(PUBLISHED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        element=lookup(within=config, dpath="element"),
        dataset=lookup(within=config, dpath="datasets/{dataset}"),
        cache=f"{RESULTS}/downloads",
    message:
        "Importing {wildcards.dataset}"
    script:
        "../scripts/import_literature.py"


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
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    message:
        "Keeping the labels of {wildcards.dataset}"
    shell:
        "cp {input.cells} {output.cells} 2> {log}"
