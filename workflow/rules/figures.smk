"""Figures of a study, each with its caption for the report.

Needs  tables/transferability.csv, labels/{dataset}/{chunk}.xyz, models/{...}/history.csv
       models/{...}/{ridge,fit}.csv
Makes  figures/{transferability,datasets,training,fits}.png, tables/datasets.{csv,html},
       tables/fits.csv
Steps  plot_transferability: heat map of the transferability table
       compare_datasets: sizes, energies, forces and cost of the sets
       plot_training: loss curves of the networks
       plot_fits: regularisation paths and conditioning of the polynomial fits
"""


rule plot_transferability:
    """Draw the transferability table as a heat map."""
    input:
        table="<results>/tables/transferability.csv",
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


rule plot_training:
    """Draw the loss curves of every network."""
    input:
        histories=of_models("history.csv", NETWORKS),
    output:
        figure=report(
            "<results>/figures/training.png",
            caption="../report/training.rst",
            category="Models",
            labels={"result": "loss curves"},
        ),
    log:
        "<logs>/plot_training.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        datasets=lookup(within=config, dpath="datasets"),
    message:
        "Drawing loss curves"
    script:
        "../scripts/plot_training.py"


rule plot_fits:
    """Draw the regularisation paths of the polynomial fits and tabulate what they rest on."""
    input:
        paths=of_models("ridge.csv", STREAMED),
        summaries=of_models("fit.csv", STREAMED),
    output:
        figure=report(
            "<results>/figures/fits.png",
            caption="../report/fits.rst",
            category="Models",
            labels={"result": "regularisation paths"},
        ),
        table="<results>/tables/fits.csv",
    log:
        "<logs>/plot_fits.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
    message:
        "Drawing regularisation paths"
    script:
        "../scripts/plot_fits.py"


rule results:
    input:
        "<results>/tables/failures.csv",
        "<results>/tables/transferability.html",
        "<results>/tables/datasets.html",
        "<results>/figures/transferability.png",
        "<results>/figures/datasets.png",
        rules.diversity.input,
        "<results>/figures/workflow.png",
        "<results>/figures/training.png" if NETWORKS else [],
        rules.show_convergence.output if KNOWN_ERRORS else [],
        "<results>/figures/fits.png" if STREAMED else [],
