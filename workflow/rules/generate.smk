"""Structures of every data set, in chunks.

Needs  the study file.
Makes  structures/{dataset}/{chunk}.xyz and, beside it, a count of accepted and rejected cells
       (.csv) and the statistics of their descriptors (.npz).
Steps  whiten: a reference sample of random cells fixes the space entropy is measured in
       start_statistics: what a set-entropy data set complements, before its first round
       sum_statistics: that and all chunks of earlier rounds, before every later round
       generate_sampled: entropy-maximised or random cells of one chunk
       generate_expert: the slice of the expert recipes that belongs to one chunk
"""


rule whiten:
    """Fit the whitening of descriptor space on a sample of random cells."""
    output:
        whitening="<results>/structures/whitening.npz",
    log:
        "<logs>/whiten.log",
    benchmark:
        "<benchmarks>/whiten.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        study=study_part(*SAMPLING),
    message:
        "Whitening descriptor space"
    script:
        "../scripts/whiten.py"


rule start_statistics:
    """Describe what a data set complements, or nothing."""
    input:
        whitening="<results>/structures/whitening.npz",
        cells=complemented,
    output:
        statistics="<results>/structures/{dataset}/rounds/0.npz",
    log:
        "<logs>/start_statistics/{dataset}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        study=study_part("element", "lattice", "cutoff", "optimiser"),
    message:
        "Describing what {wildcards.dataset} complements"
    script:
        "../scripts/start_statistics.py"


rule sum_statistics:
    """Add the statistics of one round to those of all earlier ones."""
    input:
        statistics=statistics_of_round,
    output:
        statistics="<results>/structures/{dataset}/rounds/{round}.npz",
    log:
        "<logs>/sum_statistics/{dataset}/{round}.log",
    wildcard_constraints:
        round=r"[1-9]\d*",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    message:
        "Summing what {wildcards.dataset} holds before round {wildcards.round}"
    script:
        "../scripts/sum_statistics.py"


rule generate_sampled:
    """Make one chunk of an entropy-maximised or random data set."""
    input:
        whitening="<results>/structures/whitening.npz",
        earlier=statistics_before,
    output:
        cells="<results>/structures/{dataset}/{chunk}.xyz",
        outcome="<results>/structures/{dataset}/{chunk}.csv",
        statistics="<results>/structures/{dataset}/{chunk}.npz",
    log:
        "<logs>/generate_sampled/{dataset}/{chunk}.log",
    benchmark:
        "<benchmarks>/generate_sampled/{dataset}/{chunk}.tsv"
    wildcard_constraints:
        dataset=either(SAMPLED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        study=study_part(*SAMPLING),
        dataset=dataset_settings,
    message:
        "Generating {wildcards.dataset}, chunk {wildcards.chunk}"
    script:
        "../scripts/generate_sampled.py"


rule generate_expert:
    """Make one chunk of an expert-curated data set."""
    output:
        cells="<results>/structures/{dataset}/{chunk}.xyz",
    log:
        "<logs>/generate_expert/{dataset}/{chunk}.log",
    benchmark:
        "<benchmarks>/generate_expert/{dataset}/{chunk}.tsv"
    wildcard_constraints:
        dataset=either(CURATED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        study=study_part("seed", "element", "lattice", "cutoff", "sampler", "optimiser"),
        dataset=dataset_settings,
    message:
        "Generating {wildcards.dataset}, chunk {wildcards.chunk}"
    script:
        "../scripts/generate_expert.py"


rule generate:
    input:
        all_chunks("structures"),
