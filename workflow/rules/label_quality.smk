"""Label quality: labels recomputed (snakemake audit) and against better converged ones (convergence).

Needs  labels/{dataset}/{chunk}.xyz; the cells that the study's block `convergence` names
Makes  audit/{dataset}.csv, tables/audit.{csv,html}; convergence/{variant}.xyz,
       convergence/{errors.csv,labels.xyz.xz}, tables/convergence.html, figures/convergence.png;
       tables/noise.csv
Steps  audit_labels: recompute a sample of one data set, and check forces and stress of its cheapest
                     cell against finite differences of the free energy (how many: audit in the
                     study file; the log begins with what it costs)
       tabulate_audit: one table and page of all data sets
       audit: an error that names the checks beyond their limits
       label_variant: the cells with one variant of a labeller, through its ledger
       measure_convergence: differences of every variant from its reference
       show_convergence: the page and the figure of the errors that are known (KNOWN_ERRORS)
       measure_noise: errors of the labellers' own settings, which model errors are read against
"""


localrules:
    tabulate_audit,
    measure_noise,
    show_convergence,


VARIANTS = variant_options(config)


rule audit_labels:
    """Recompute a sample of one data set's labels, and check derivatives."""
    input:
        cells=labelled_chunks,
        sources=lookup(within=LABEL_SOURCES, dpath="{dataset}"),
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
    resources:
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


rule tabulate_audit:
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
        "<logs>/tabulate_audit.log",
    conda:
        ENVIRONMENT
    message:
        "Showing the audit of the labels"
    script:
        "../scripts/tabulate_audit.py"


use rule label_chunk as label_variant with:
    input:
        cells=lambda wildcards: named_file(variant_cells(config, wildcards.variant), ROOT),
        sources=lambda wildcards: labeller_files(VARIANTS[wildcards.variant]),
    output:
        cells="<results>/convergence/{variant}.xyz",
    log:
        "<logs>/label_variant/{variant}.log",
    benchmark:
        "<benchmarks>/label_variant/{variant}.tsv"
    wildcard_constraints:
        variant=either(VARIANTS),
    params:
        labeller=lookup(within=VARIANTS, dpath="{variant}"),
        largest=lookup(within=config, dpath="convergence/variants/{variant}/atoms"),
        timeout=lookup(within=config, dpath="timeout"),
        retry=config["labels"] == "retry",
        released=RELEASED,
        ledger=f"{RESULTS}/ledger/convergence/{{variant}}.xyz",
    message:
        "Labelling the convergence cells with {wildcards.variant}"


rule measure_convergence:
    """Compare every variant of the labels with its reference."""
    input:
        cells=expand("<results>/convergence/{variant}.xyz", variant=VARIANTS),
    output:
        table="<results>/convergence/errors.csv",
        labels="<results>/convergence/labels.xyz.xz",
    log:
        "<logs>/measure_convergence.log",
    conda:
        ENVIRONMENT
    params:
        variants=list(VARIANTS),
        against={name: config["convergence"]["variants"][name]["against"] for name in VARIANTS},
    message:
        "Measuring the convergence of the labels"
    script:
        "../scripts/measure_convergence.py"


rule show_convergence:
    """Show how far the labels are from better ones: a page and a figure."""
    input:
        table=KNOWN_ERRORS or "<results>/convergence/errors.csv",
    output:
        page=report(
            "<results>/tables/convergence.html",
            caption="../report/convergence.rst",
            category="Labels",
            labels={"result": "convergence table"},
        ),
        figure=report(
            "<results>/figures/convergence.png",
            caption="../report/convergence.rst",
            category="Labels",
            labels={"result": "convergence"},
        ),
    log:
        "<logs>/show_convergence.log",
    conda:
        ENVIRONMENT
    message:
        "Showing the convergence of the labels"
    script:
        "../scripts/show_convergence.py"


rule measure_noise:
    """Say how large the noise of the labels is that errors of models are read against."""
    input:
        errors=KNOWN_ERRORS,
    output:
        table="<results>/tables/noise.csv",
    log:
        "<logs>/measure_noise.log",
    conda:
        ENVIRONMENT
    params:
        variants=measured_variants(config),
    message:
        "Summing up the noise of the labels"
    script:
        "../scripts/measure_noise.py"


rule audit:
    """End with an error if a check is beyond its limit; the table and the page stay."""
    input:
        table="<results>/tables/audit.csv",
        page="<results>/tables/audit.html",
    log:
        "<logs>/audit.log",
    conda:
        ENVIRONMENT
    message:
        "Holding the audit to its limits"
    script:
        "../scripts/audit.py"


rule convergence:
    input:
        "<results>/convergence/errors.csv",
        "<results>/tables/convergence.html",
