"""Uncertainty: what errors the models predict for themselves, against those they make.

Needs  predictions/{train}/{model}/{seed}/{test}.npz, scores/{train}.csv,
       models/{train}/{model}/0/covariance.npz of polynomials
Makes  tables/calibration.{csv,html}, figures/calibration.png
Steps  calibrate: the models of a training set on every test set; polynomials by the covariance of
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
    """Compare the errors of the models of one training set with those they predict."""
    input:
        predictions=predictions_of(CALIBRATED),
        scores="<results>/scores/{train}.csv",
        cells=TEST_CELLS,
        covariances=expand("<results>/models/{{train}}/{model}/0/covariance.npz", model=POLYNOMIALS),
    output:
        table="<results>/calibration/{train}.csv",
    log:
        "<logs>/calibrate/{train}.log",
    benchmark:
        "<benchmarks>/calibrate/{train}.tsv"
    conda:
        ENVIRONMENT
    params:
        models={model: config["models"][model] for model in CALIBRATED},
        names=on_tests(CALIBRATED),
        covariances=POLYNOMIALS,
        study=study_part("element", "cutoff"),
        tests=TESTS,
    message:
        "Calibrating the errors predicted by the models trained on {wildcards.train}"
    script:
        "../scripts/calibrate.py"


rule show_calibration:
    """Show the calibration of every model that predicts its own errors."""
    input:
        scores="<results>/tables/scores.csv",
        tables=expand("<results>/calibration/{train}.csv", train=WHOLE),
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
