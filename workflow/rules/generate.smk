"""Generate: structures of every data set, in chunks.

Needs  the study file; of published sets the source it names: a path, or a URL with its SHA-256
Makes  config.yaml; structures/{dataset}/{chunk}.xyz and, of sampled sets, a count of accepted and rejected cells
       (.csv) and the statistics of their descriptors and of those they saw (.npz) beside it; of published sets
       tables/import/{dataset}/*.{csv,html}; tables/generation.csv, structures/chunks.csv
Steps  write_config: the study with every default, beside its results
       whiten: a reference sample of random cells fixes the space entropy is measured in
       start_statistics: what a set-entropy data set complements, before its first round
       generate_sampled: entropy-maximised or random cells of one chunk, which sees those of earlier rounds
       generate_expert: the cells of the expert recipes, of all data sets that have any
       import_literature: read, check and report the records of a published set
       tabulate_generation: cells made, refused, time, memory and SHA-256 of every chunk
"""


localrules:
    write_config,
    whiten,
    import_literature,


rule write_config:
    """Write the study with every default filled in."""
    output:
        config="<results>/config.yaml",
    log:
        "<logs>/write_config.log",
    priority: 1  # for those who watch the study
    conda:
        ENVIRONMENT
    params:
        study=config,
    message:
        "Writing the study's configuration"
    script:
        "../scripts/write_config.py"


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
    params:
        study=study_part(*SAMPLING),
    message:
        "Whitening descriptor space"
    script:
        "../scripts/whiten.py"


rule start_statistics:
    """Describe what a data set complements."""
    input:
        whitening="<results>/structures/whitening.npz",
        cells=complemented,
    output:
        statistics="<results>/structures/{dataset}/complemented.npz",
    log:
        "<logs>/start_statistics/{dataset}.log",
    conda:
        ENVIRONMENT
    params:
        study=study_part("element", "lattice", "cutoff", "optimiser"),
    message:
        "Describing what {wildcards.dataset} complements"
    script:
        "../scripts/start_statistics.py"


rule generate_sampled:
    """Make one chunk of an entropy-maximised or random data set."""
    input:
        whitening="<results>/structures/whitening.npz",
        earlier=statistics_before,
    output:
        cells="<results>/structures/{dataset}/{chunk}.xyz",
        outcome="<results>/structures/{dataset}/{chunk}.csv",
        statistics="<results>/structures/{dataset}/{chunk}.npz",
        seen="<results>/structures/{dataset}/{chunk}.seen.npz",
    log:
        "<logs>/generate_sampled/{dataset}/{chunk}.log",
    benchmark:
        "<benchmarks>/generate_sampled/{dataset}/{chunk}.tsv"
    wildcard_constraints:
        dataset=either(SAMPLED),
    conda:
        ENVIRONMENT
    resources:
        runtime=60,
    params:
        study=part_on_device(*SAMPLING),
        dataset=dataset_settings,
    message:
        "Generating {wildcards.dataset}, chunk {wildcards.chunk}"
    script:
        "../scripts/generate_sampled.py"


rule generate_expert:
    """Make all chunks of the expert-curated data sets, which takes as long as making one."""
    input:
        sources=RECIPE_SOURCES,
    output:
        all_chunks("structures", CURATED),
    log:
        "<logs>/generate_expert.log",
    benchmark:
        "<benchmarks>/generate_expert.tsv"
    conda:
        ENVIRONMENT
    resources:
        runtime=60,
    params:
        study=study_part("seed", "element", "lattice", "cutoff", "sampler", "optimiser"),
        datasets={name: settings_of_cells(name) for name in CURATED},
        chunks=chunk_names(CURATED),
    message:
        "Generating the expert-curated data sets"
    script:
        "../scripts/generate_expert.py"


rule import_literature:
    """Import a published data set; what cannot be used is reported."""
    input:
        source=local_source,
    output:
        cells="<results>/structures/{dataset}/0.xyz",
        problems="<results>/tables/import/{dataset}/problems.csv",
        groups="<results>/tables/import/{dataset}/groups.csv",
        page=report(
            "<results>/tables/import/{dataset}/import.html",
            caption="../report/import.rst",
            category="Data sets",
            labels={"result": "records of {dataset}"},
        ),
    log:
        "<logs>/import_literature/{dataset}.log",
    benchmark:
        "<benchmarks>/import_literature/{dataset}.tsv"
    wildcard_constraints:
        dataset=either(PUBLISHED),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        element=lookup(within=config, dpath="element"),
        dataset=lookup(within=config, dpath="datasets/{dataset}"),
        reach=max(config["cutoff"], config["zbl"]["outer"]),
        nearest=reference_lattice(config).nearest_neighbour,
        cache=f"{RESULTS}/downloads",
    message:
        "Importing {wildcards.dataset}"
    script:
        "../scripts/import_literature.py"


rule tabulate_generation:
    """Count what every chunk of random and entropy cells made and took."""
    input:
        cells=all_chunks("structures", SAMPLED),
        benchmarks=all_chunks("generate_sampled", SAMPLED, "<benchmarks>/{}/{}/{}.tsv"),
    output:
        chunks="<results>/structures/chunks.csv",
        table="<results>/tables/generation.csv",
    log:
        "<logs>/tabulate_generation.log",
    conda:
        ENVIRONMENT
    params:
        chunks=chunk_names(SAMPLED),
    message:
        "Counting what generation made and took"
    script:
        "../scripts/tabulate_generation.py"


rule generate:
    input:
        all_chunks("structures"),
