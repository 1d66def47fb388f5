"""Figures of a study, each with its caption for the report.

Needs  tables/{transferability,noise}.csv, {structures,labels}/{dataset}/{chunk}.xyz
Makes  figures/{transferability,datasets,gallery}.png, tables/datasets.{csv,html}
Steps  plot_transferability: heat map of the transferability table
       compare_datasets: sizes, energies, forces and cost of the sets
       plot_gallery: one cell of each group of the curated data sets
"""


rule plot_transferability:
    """Draw the transferability table as a heat map."""
    input:
        table="<results>/tables/transferability.csv",
        noise="<results>/tables/noise.csv",
    output:
        figure=report(
            "<results>/figures/transferability.png",
            caption="../report/transferability.rst",
            category="Transferability",
            labels={"result": "heat map"},
        ),
    log:
        "<logs>/plot_transferability.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        trains=WHOLE,
    message:
        "Drawing the transferability heat map"
    script:
        "../scripts/plot_transferability.py"


rule compare_datasets:
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
        "<logs>/compare_datasets.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        families=FAMILIES,
    message:
        "Comparing the labels of the data sets"
    script:
        "../scripts/compare_datasets.py"


rule plot_gallery:
    """Draw one cell of each group of the curated data sets."""
    input:
        cells=all_chunks("structures", CURATED),
    output:
        figure=report(
            "<results>/figures/gallery.png",
            caption="../report/gallery.rst",
            category="Data sets",
            labels={"result": "gallery of groups"},
        ),
    log:
        "<logs>/plot_gallery.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Drawing the gallery of curated groups"
    script:
        "../scripts/plot_gallery.py"


rule results:
    input:
        "<results>/tables/failures.csv",
        "<results>/tables/transferability.html",
        "<results>/tables/datasets.html",
        "<results>/figures/transferability.png",
        "<results>/figures/ratios.png" if len(WHOLE) > 1 else [],
        "<results>/figures/groups.png" if CURATED or PUBLISHED else [],
        "<results>/figures/learning_curves.png" if config["subsets"] else [],
        "<results>/figures/datasets.png",
        "<results>/figures/labels.png",
        "<results>/labels/README.md" if LABELLED else [],
        rules.diversity.input,
        "<results>/figures/workflow.png",
        "<results>/figures/training.png" if NETWORKS else [],
        rules.show_convergence.output if KNOWN_ERRORS else [],
        "<results>/figures/fits.png" if STREAMED else [],
        "<results>/figures/search.png" if SEARCHED else [],
        "<results>/figures/gallery.png" if CURATED else [],
        "<results>/figures/calibration.png" if CALIBRATED else [],
        rules.potentials.input,
