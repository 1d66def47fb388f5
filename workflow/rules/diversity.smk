"""Diversity: of every data set, and how well the sets cover each other; no labels needed.

Needs  structures/{dataset}/{chunk}.xyz, structures/whitening.npz
Makes  diversity/{dataset}.npz, tables/{diversity,ablation}.{csv,html},
       figures/{environments,geometry,coverage,diversity,ablation,gallery}.png
Steps  sample_environments: describe a sample of each data set, for all that follows
       measure_diversity: every measure of every set and of every pair of sets
       ablate: the same of fresh random, cell-entropy and set-entropy cells, for several seeds, if the
               study samples cells at all
       plot_environments: principal components of all sets
       plot_geometry: cumulative curves of distances, volumes, coordination
       plot_coverage: heat maps of how well the sets cover each other
       plot_diversity: every measure at equal numbers of environments
       plot_ablation: the same for what the entropy term buys
       plot_gallery: one cell of each group of the curated data sets
"""


localrules:
    plot_environments,
    plot_geometry,
    plot_coverage,
    plot_diversity,
    plot_ablation,


rule sample_environments:
    """Sample the environments of one data set and describe them."""
    input:
        cells=structure_chunks,
    output:
        sample="<results>/diversity/{dataset}.npz",
    log:
        "<logs>/sample_environments/{dataset}.log",
    benchmark:
        "<benchmarks>/sample_environments/{dataset}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=study_part("seed", "element", "lattice", "cutoff", "optimiser", "diversity"),
    message:
        "Sampling the environments of {wildcards.dataset}"
    script:
        "../scripts/sample_environments.py"


rule measure_diversity:
    """Measure the diversity of every data set and how well the sets cover each other."""
    input:
        samples=expand("<results>/diversity/{dataset}.npz", dataset=DATASETS),
        whitening="<results>/structures/whitening.npz",
    output:
        table="<results>/tables/diversity.csv",
        page=report(
            "<results>/tables/diversity.html",
            caption="../report/diversity_table.rst",
            category="Data sets",
            labels={"result": "diversity table"},
        ),
    log:
        "<logs>/measure_diversity.log",
    benchmark:
        "<benchmarks>/measure_diversity.tsv"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        study=study_part("seed", "element", "lattice", "diversity"),
        datasets=DATASETS,
    message:
        "Measuring the diversity of the data sets"
    script:
        "../scripts/measure_diversity.py"


rule ablate:
    """Measure what the entropy term buys, against random cells and the curated data sets."""
    input:
        whitening="<results>/structures/whitening.npz",
        cells=all_chunks("structures", CURATED + PUBLISHED),
    output:
        rows="<results>/diversity/ablation.csv",
        table="<results>/tables/ablation.csv",
        page=report(
            "<results>/tables/ablation.html",
            caption="../report/ablation.rst",
            category="Data sets",
            labels={"result": "what the entropy term buys (table)"},
        ),
    log:
        "<logs>/ablate.log",
    benchmark:
        "<benchmarks>/ablate.tsv"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        study=study_part(*SAMPLING, "diversity", "ablation"),
        others=[name for name, _ in chunk_names(CURATED + PUBLISHED)],
    message:
        "Measuring what the entropy term buys"
    script:
        "../scripts/ablate.py"


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
    params:
        families=FAMILIES,
    message:
        "Drawing what the entropy term buys"
    script:
        "../scripts/plot_ablation.py"


rule plot_gallery:
    """Draw one cell of each group of the curated data sets."""
    input:
        cells=all_chunks("structures", CURATED),
    output:
        figure=report(
            "<results>/figures/gallery.png",
            caption="../report/gallery.rst",
            category="Data sets",
            labels={"result": "gallery of groups"},
        ),
    log:
        "<logs>/plot_gallery.log",
    conda:
        ENVIRONMENT
    message:
        "Drawing the gallery of curated groups"
    script:
        "../scripts/plot_gallery.py"


rule diversity:
    input:
        "<results>/tables/diversity.html",
        expand(
            "<results>/figures/{figure}.png",
            figure=["environments", "geometry", "coverage", "diversity"],
        ),
        expand(
            "<results>/{file}",
            file=["tables/ablation.html", "figures/ablation.png", "tables/generation.csv"],
        )
        if SAMPLED
        else [],
