"""Figures of the diversity of the data sets.

Needs  diversity/{dataset}.npz, tables/{diversity,ablation}.csv
Makes  figures/{environments,geometry,coverage,diversity,ablation}.png
Steps  plot_environments: principal components of all sets
       plot_geometry: cumulative curves of distances, volumes, coordination
       plot_coverage: heat maps of how well the sets cover each other
       plot_diversity: every measure at equal numbers of environments
       plot_ablation: the same for what the entropy term buys
"""


rule plot_environments:
    """Draw the environments of all data sets on their principal components."""
    input:
        samples=expand("<results>/diversity/{dataset}.npz", dataset=DATASETS),
    output:
        figure=report(
            "<results>/figures/environments.png",
            caption="../report/environments.rst",
            category="Data sets",
            labels={"result": "map of environments"},
        ),
    log:
        "<logs>/plot_environments.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
    message:
        "Drawing the map of environments"
    script:
        "../scripts/plot_environments.py"


rule plot_geometry:
    """Draw distances, volumes and coordination of all data sets."""
    input:
        samples=expand("<results>/diversity/{dataset}.npz", dataset=DATASETS),
    output:
        figure=report(
            "<results>/figures/geometry.png",
            caption="../report/geometry.rst",
            category="Data sets",
            labels={"result": "distances, volumes, coordination"},
        ),
    log:
        "<logs>/plot_geometry.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
    message:
        "Drawing distances, volumes and coordination"
    script:
        "../scripts/plot_geometry.py"


rule plot_coverage:
    """Draw how well the data sets cover each other."""
    input:
        table="<results>/tables/diversity.csv",
    output:
        figure=report(
            "<results>/figures/coverage.png",
            caption="../report/coverage.rst",
            category="Data sets",
            labels={"result": "coverage of each other"},
        ),
    log:
        "<logs>/plot_coverage.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Drawing the coverage of the data sets"
    script:
        "../scripts/plot_coverage.py"


rule plot_diversity:
    """Draw the diversity of the data sets at equal numbers of environments."""
    input:
        table="<results>/tables/diversity.csv",
    output:
        figure=report(
            "<results>/figures/diversity.png",
            caption="../report/diversity.rst",
            category="Data sets",
            labels={"result": "diversity at equal environments"},
        ),
    log:
        "<logs>/plot_diversity.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
    message:
        "Drawing diversity at equal environments"
    script:
        "../scripts/plot_diversity.py"


rule plot_ablation:
    """Draw what the entropy term buys."""
    input:
        table="<results>/tables/ablation.csv",
    output:
        figure=report(
            "<results>/figures/ablation.png",
            caption="../report/ablation.rst",
            category="Data sets",
            labels={"result": "what the entropy term buys"},
        ),
    log:
        "<logs>/plot_ablation.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        families=FAMILIES,
    message:
        "Drawing what the entropy term buys"
    script:
        "../scripts/plot_ablation.py"
