"""Where errors come from: the training set, groups of test cells, and sizes of training sets.

Needs  errors/{train}/{model}.csv, tables/scores.csv
Makes  figures/{ratios,groups,learning_curves}.png, tables/{ratios,groups}.{csv,html}, tables/verdicts.csv
Steps  compare_training_sets: which is better on each test set, and by how much
       compare_groups: errors of each group of the curated and published sets
       plot_learning_curves: errors against the number of training environments
"""


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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
        trains=WHOLE,
    message:
        "Comparing training sets"
    script:
        "../scripts/compare_training_sets.py"


rule compare_groups:
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
        "<logs>/compare_groups.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
        trains=WHOLE,
        tests=names("datasets", "family", "expert", "literature"),
    message:
        "Comparing the errors of groups"
    script:
        "../scripts/compare_groups.py"


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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
        subsets=lookup(within=config, dpath="subsets"),
    message:
        "Drawing learning curves"
    script:
        "../scripts/plot_learning_curves.py"
