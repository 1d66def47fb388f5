"""Uncertainty: what errors the models predict for themselves, against those they make.

Needs  predictions/{train}/{model}/{seed}/{test}.npz, datasets/{train}/train.xyz,
       models/{train}/{model}/0/covariance.npz of polynomials
Makes  calibration/{train}/{model}.csv, tables/calibration.{csv,html}, figures/calibration.png
Steps  calibrate: a model on every test set; polynomials by the covariance of
                  their coefficients (the streaming fit's, also where FitSNAP's is taken), networks
                  of two and more seeds by the spread of the ensemble
       show_calibration: all models in one table and one figure
"""


localrules:
    show_calibration,


if SMALL:

    localrules:
        calibrate,


rule calibrate:
    """Compare the errors of one model, trained on each set, with those it predicts."""
    input:
        predictions=predictions_by_model,
        trainings=expand("<results>/datasets/{train}/train.xyz", train=WHOLE),
        cells=TEST_CELLS,
        covariances=covariances,
    output:
        tables=expand("<results>/calibration/{train}/{{model}}.csv", train=WHOLE),
    log:
        "<logs>/calibrate/{model}.log",
    benchmark:
        "<benchmarks>/calibrate/{model}.tsv"
    wildcard_constraints:
        model=either(CALIBRATED),
    conda:
        ENVIRONMENT
    params:
        model=lookup(within=config, dpath="models/{model}"),
        trains=WHOLE,
        tests=TESTS,
        study=study_part("element", "cutoff"),
    message:
        "Calibrating the errors predicted by {wildcards.model}"
    script:
        "../scripts/calibrate.py"


rule show_calibration:
    """Show the calibration of every model that predicts its own errors."""
    input:
        scores="<results>/tables/scores.csv",
        tables=expand("<results>/calibration/{train}/{model}.csv", train=WHOLE, model=CALIBRATED),
    output:
        table="<results>/tables/calibration.csv",
        page=report(
            "<results>/tables/calibration.html",
            caption="../report/calibration_table.rst",
            category="Uncertainty",
            labels={"result": "calibration table"},
        ),
        figure=report(
            "<results>/figures/calibration.png",
            caption="../report/calibration.rst",
            category="Uncertainty",
            labels={"result": "predicted against actual errors"},
        ),
    log:
        "<logs>/show_calibration.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
    message:
        "Showing the calibration of predicted errors"
    script:
        "../scripts/show_calibration.py"
