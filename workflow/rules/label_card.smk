"""What the labels are like: a figure, and the data card that is released with them.

Needs  labels/{dataset}/{chunk}.xyz, labels/{dataset}.xyz.xz, tables/{noise,diversity}.csv
Makes  figures/labels.png, labels/README.md
Steps  plot_labels: sizes of forces, iterations and core time of every label
       write_card: what is in each file, how it was made, how good it is, and how to read it
"""


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
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
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
        errors=KNOWN_ERRORS or [],
        diversity="<results>/tables/diversity.csv",
        config="<results>/config.yaml",
        schema=ROOT / "workflow/schemas/study.schema.yaml",
        template=ROOT / "workflow/report/data_card.md",
    output:
        card="<results>/labels/README.md",
    log:
        "<logs>/write_card.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        datasets=LABELLED,
    message:
        "Writing the data card of the labels"
    script:
        "../scripts/write_card.py"
