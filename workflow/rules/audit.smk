"""Audit of the labels (snakemake audit): is what the study rests on what its labeller says?

Needs  labels/{dataset}/{chunk}.xyz, of a random sample of which it computes everything anew
Makes  audit/{dataset}.csv, tables/audit.{csv,html}
Steps  audit_labels: recompute a sample of one data set, and check forces and stress of its cheapest
                     cell against finite differences of the free energy (how many: audit in the
                     study file; the log begins with what it costs)
       show_audit: one table and page of all data sets
"""


rule audit_labels:
    """Recompute a sample of one data set's labels, and check derivatives."""
    input:
        cells=labelled_chunks,
    output:
        table="<results>/audit/{dataset}.csv",
    log:
        "<logs>/audit_labels/{dataset}.log",
    benchmark:
        "<benchmarks>/audit_labels/{dataset}.tsv"
    wildcard_constraints:
        dataset=either(LABELLED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        labeller=dataset_labeller,
        timeout=lookup(within=config, dpath="timeout"),
        audit=lookup(within=config, dpath="audit"),
        ledger=f"{RESULTS}/ledger/audit/{{dataset}}.xyz",
    message:
        "Auditing the labels of {wildcards.dataset}"
    script:
        "../scripts/audit_labels.py"


rule show_audit:
    """Show the audits of all data sets."""
    input:
        tables=expand("<results>/audit/{dataset}.csv", dataset=LABELLED),
    output:
        table="<results>/tables/audit.csv",
        page=report(
            "<results>/tables/audit.html",
            caption="../report/audit.rst",
            category="Labels",
            labels={"result": "audit"},
        ),
    log:
        "<logs>/show_audit.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Showing the audit of the labels"
    script:
        "../scripts/show_audit.py"


rule audit:
    input:
        "<results>/tables/audit.html",
