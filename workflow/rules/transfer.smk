"""Transfer: every model on every held-out set.

Needs  models/{train}/{model}/{seed}/potential.*, datasets/{test}/test.xyz, tables/noise.csv
Makes  errors/{train}/{model}.csv (one row a test cell), tables/scores.csv (one tidy row a number) and
       tables/transferability.{csv,html}
Steps  predict: energies, forces and stresses of one model on every test set
       score: errors of one model on every test set with bootstrap intervals, all seeds together
       collect_scores, tabulate_scores: the long and the wide table
"""


rule predict:
    """Predict energies, forces and stresses of every test set with one model."""
    input:
        parameters=potential,
        cells=TEST_CELLS,
    output:
        predictions=predictions_on_tests(),
    log:
        "<logs>/predict/{train}/{model}/{seed}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        study=study_part("element", "cutoff", "zbl"),
    message:
        "Predicting with {wildcards.model} trained on {wildcards.train}, seed {wildcards.seed}"
    script:
        "../scripts/predict.py"


rule score:
    """Compute the errors of one model on every test set, over all seeds."""
    input:
        predictions=predictions,
        export="<results>/models/{train}/{model}/0/export.csv",
        training="<results>/datasets/{train}/train.xyz",
        cells=TEST_CELLS,
    output:
        scores="<results>/scores/{train}/{model}.csv",
        cells="<results>/errors/{train}/{model}.csv",
    log:
        "<logs>/score/{train}/{model}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        study=lookup(within=config, dpath="study"),
        tests=DATASETS,
        model=lookup(within=config, dpath="models/{model}"),
    message:
        "Scoring {wildcards.model} trained on {wildcards.train}"
    script:
        "../scripts/score.py"


rule collect_scores:
    """Join the scores of all models and test sets."""
    input:
        scores=[
            f"<results>/scores/{train}/{model}.csv" for train, model in trained(config["models"])
        ],
        exports=of_models("export.csv", config["models"]),
    output:
        scores="<results>/tables/scores.csv",
    log:
        "<logs>/collect_scores.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Collecting scores"
    script:
        "../scripts/collect_scores.py"


rule tabulate_scores:
    """Arrange the scores as the transferability table."""
    input:
        scores="<results>/tables/scores.csv",
        noise="<results>/tables/noise.csv",
    output:
        table="<results>/tables/transferability.csv",
        page=report(
            "<results>/tables/transferability.html",
            caption="../report/transferability_table.rst",
            category="Transferability",
            labels={"result": "table with intervals"},
        ),
    log:
        "<logs>/tabulate_scores.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Tabulating transferability"
    script:
        "../scripts/tabulate_scores.py"


rule transfer:
    input:
        "<results>/tables/transferability.html",
