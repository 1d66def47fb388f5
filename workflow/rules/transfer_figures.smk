"""Where errors come from: groups of test cells, and sizes of training sets.

Needs  tables/scores.csv
Makes  figures/{groups,learning_curves}.png, tables/groups.{csv,html}
Steps  compare_groups: errors of each group of the curated and published sets
       plot_learning_curves: errors against the number of training environments
"""


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
