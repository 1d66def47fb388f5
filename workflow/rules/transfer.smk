"""Transfer: every model on every held-out set, and where the errors come from.

Needs  predictions/{train}/{model}/{seed}/{test}.npz, datasets/{test}/test.xyz, tables/noise.csv
Makes  errors/draws/{train}/exported.csv.xz (models that take no part in draws, a row a test cell),
       tables/scores.csv (one tidy row a number),
       tables/{transferability,ratios,groups}.{csv,html}, tables/verdicts.csv,
       figures/{transferability,ratios,groups,learning_curves}.png
Steps  score: errors of the models of a training set on every test set with bootstrap intervals, all
              seeds together
       collect_scores, tabulate_scores: the long and the wide table
       plot_transferability: heat map of the wide table
       compare_training_sets: which is better on each test set, and by how much
       show_groups: errors of each group of the curated and published sets
       plot_learning_curves: errors against the number of training environments
"""


rule score:
    """Compute the errors of the models of one training set on every test set, over all seeds."""
    input:
        predictions=predictions_of(config["models"]),
        exports=exports_of(config["models"]),
        training="<results>/datasets/{train}/train.xyz",
        cells=TEST_CELLS,
        draws=DRAW_TABLES,
    output:
        scores="<results>/scores/{train}.csv",
        errors="<results>/errors/draws/{train}/exported.csv.xz",
    log:
        "<logs>/score/{train}.log",
    conda:
        ENVIRONMENT
    params:
        study=lookup(within=config, dpath="study"),
        tests=DATASETS,
        models={model: len(seeds(model)) for model in config["models"]},
        names=on_tests(config["models"]),
        exported=exported(config["models"]),
        drawn=DRAWN,
    message:
        "Scoring the models trained on {wildcards.train}"
    script:
        "../scripts/score.py"


rule collect_scores:
    """Join the scores of all models and test sets."""
    input:
        scores=expand("<results>/scores/{train}.csv", train=WHOLE),
    output:
        scores="<results>/tables/scores.csv",
    log:
        "<logs>/collect_scores.log",
    conda:
        ENVIRONMENT
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
    message:
        "Tabulating transferability"
    script:
        "../scripts/tabulate_scores.py"


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
    params:
        trains=WHOLE,
    message:
        "Drawing the transferability heat map"
    script:
        "../scripts/plot_transferability.py"


rule compare_training_sets:
    """Compare training sets: errors over those of the reference set, on the same test cells."""
    input:
        cells=expand("<results>/errors/{train}/{model}.csv", train=WHOLE, model=config["models"]),
    output:
        ratios="<results>/tables/ratios.csv",
        verdicts="<results>/tables/verdicts.csv",
        page=report(
            "<results>/tables/ratios.html",
            caption="../report/ratios_table.rst",
            category="Transferability",
            labels={"result": "training sets compared: table"},
        ),
        figure=report(
            "<results>/figures/ratios.png",
            caption="../report/ratios.rst",
            category="Transferability",
            labels={"result": "training sets compared"},
        ),
    log:
        "<logs>/compare_training_sets.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=WHOLE,
    message:
        "Comparing training sets"
    script:
        "../scripts/compare_training_sets.py"


rule show_groups:
    """Tabulate and draw the errors of each group of the curated and published sets."""
    input:
        scores="<results>/tables/scores.csv",
    output:
        table="<results>/tables/groups.csv",
        page=report(
            "<results>/tables/groups.html",
            caption="../report/groups_table.rst",
            category="Transferability",
            labels={"result": "table of groups"},
        ),
        figure=report(
            "<results>/figures/groups.png",
            caption="../report/groups.rst",
            category="Transferability",
            labels={"result": "errors of groups"},
        ),
    log:
        "<logs>/show_groups.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=WHOLE,
        tests=names("datasets", "family", "expert", "literature"),
    message:
        "Comparing the errors of groups"
    script:
        "../scripts/show_groups.py"


rule plot_learning_curves:
    """Draw errors against the number of training environments."""
    input:
        scores="<results>/tables/scores.csv",
    output:
        figure=report(
            "<results>/figures/learning_curves.png",
            caption="../report/learning_curves.rst",
            category="Transferability",
            labels={"result": "learning curves"},
        ),
    log:
        "<logs>/plot_learning_curves.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        subsets=lookup(within=config, dpath="subsets"),
    message:
        "Drawing learning curves"
    script:
        "../scripts/plot_learning_curves.py"


rule transfer:
    input:
        "<results>/tables/transferability.html",
