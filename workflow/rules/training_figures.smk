"""Figures of how the models were trained.

Needs  models/{...}/history.csv of networks, models/{...}/{ridge,fit}.csv of polynomials
Makes  figures/{training,fits}.png, tables/fits.csv
Steps  plot_training: loss curves of the networks
       plot_fits: regularisation paths and conditioning of the polynomial fits
"""


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
        families=FAMILIES,
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
