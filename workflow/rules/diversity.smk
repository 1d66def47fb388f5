"""How diverse the data sets are, and how well they cover each other. Needs no labels.

Needs  structures/{dataset}/{chunk}.xyz, structures/whitening.npz
Makes  diversity/{dataset}.npz, tables/diversity.{csv,html}
Steps  sample_environments: describe a sample of each data set, for all that follows
       measure_diversity: every measure of every set and of every pair of sets
"""


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
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
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
