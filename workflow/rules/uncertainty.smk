"""Uncertainty: what errors the models predict for themselves, against those they make.

Needs  predictions/{train}/{model}/{seed}/{test}.npz, scores/{train}/{model}.csv,
       models/{train}/{model}/0/covariance.npz of polynomials (the streaming fit's, also where
       FitSNAP's coefficients are taken)
Makes  tables/calibration.{csv,html}, figures/calibration.png
Steps  calibrate: one model on every test set; polynomials by the covariance of their
                  coefficients, networks of two and more seeds by the spread of the ensemble
       show_calibration: all models in one table and one figure
"""


rule calibrate:
    """Compare the errors of one model with those it predicts, on every test set."""
    input:
        predictions=predictions,
        scores="<results>/scores/{train}/{model}.csv",
        cells=TEST_CELLS,
        covariance=branch(
            lookup(within=config, dpath="models/{model}/family"),
            cases={"network": []},
            otherwise="<results>/models/{train}/{model}/0/covariance.npz",
        ),
    output:
        table="<results>/calibration/{train}/{model}.csv",
    log:
        "<logs>/calibrate/{train}/{model}.log",
    wildcard_constraints:
        model=either(CALIBRATED),
    conda:
        ENVIRONMENT
    params:
        model=lookup(within=config, dpath="models/{model}"),
        study=study_part("cutoff"),
        tests=DATASETS,
    message:
        "Calibrating the errors predicted by {wildcards.model} trained on {wildcards.train}"
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
