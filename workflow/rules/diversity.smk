"""How diverse the data sets are, how well they cover each other, what making them took: no labels.

Needs  structures/{dataset}/{chunk}.xyz, structures/whitening.npz
Makes  diversity/{dataset}.npz, tables/{diversity,ablation}.{csv,html},
       tables/generation.csv, structures/chunks.csv
Steps  sample_environments: describe a sample of each data set, for all that follows
       measure_diversity: every measure of every set and of every pair of sets
       summarise_generation: cells made, refused, time, memory and SHA-256 of every chunk
       ablate: the same of fresh random, cell-entropy and set-entropy cells, for several seeds
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
        others=CURATED + PUBLISHED,
    message:
        "Measuring what the entropy term buys"
    script:
        "../scripts/ablate.py"


rule summarise_generation:
    """Count what every chunk of random and entropy cells made and took."""
    input:
        cells=all_chunks("structures", SAMPLED),
        benchmarks=all_chunks("generate_sampled", SAMPLED, "<benchmarks>/{}/{}/{}.tsv"),
    output:
        chunks="<results>/structures/chunks.csv",
        table="<results>/tables/generation.csv",
    log:
        "<logs>/summarise_generation.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Counting what generation made and took"
    script:
        "../scripts/summarise_generation.py"


rule diversity:
    input:
        "<results>/tables/diversity.html",
        "<results>/tables/ablation.html",
        "<results>/tables/generation.csv",
        expand(
            "<results>/figures/{figure}.png",
            figure=["environments", "geometry", "coverage", "diversity", "ablation"],
        ),
