"""Convergence of the labels: the same cells with variants of a labeller (snakemake convergence).

Needs  the cells that the study's block `convergence` names
Makes  convergence/{variant}.xyz, convergence/{errors.csv,labels.xyz.xz}, tables/convergence.html,
       figures/convergence.png; the report of a study that has a released table, or failing that
       one of its own, shows it; tables/noise.csv, of what is shown
Steps  label_variant: the cells with one variant, through its ledger
       measure_convergence: differences of every variant from its reference
       show_convergence: the page and the figure
       measure_noise: errors of the labellers' own settings, which model errors are read against
"""

from diverse.config import measured_variants

VARIANTS = variant_options(config)
CELLS = ROOT / config.get("convergence", {}).get("cells", "")
KNOWN_ERRORS = [Path(RESULTS, "convergence/errors.csv")]
if RELEASED:
    KNOWN_ERRORS.insert(0, Path(RELEASED, "convergence", f"{config['study']}.csv"))
KNOWN_ERRORS = next((path for path in KNOWN_ERRORS if path.exists()), None)


use rule label_chunk as label_variant with:
    input:
        cells=CELLS,
    output:
        cells="<results>/convergence/{variant}.xyz",
    log:
        "<logs>/label_variant/{variant}.log",
    benchmark:
        "<benchmarks>/label_variant/{variant}.tsv"
    wildcard_constraints:
        variant=either(VARIANTS),
    params:
        labeller=lookup(within=VARIANTS, dpath="{variant}"),
        largest=lookup(within=config, dpath="convergence/variants/{variant}/atoms"),
        timeout=lookup(within=config, dpath="timeout"),
        retry=config["labels"] == "retry",
        released=RELEASED,
        ledger=f"{RESULTS}/ledger/convergence/{{variant}}.xyz",
    message:
        "Labelling the convergence cells with {wildcards.variant}"


rule measure_convergence:
    """Compare every variant of the labels with its reference."""
    input:
        cells=expand("<results>/convergence/{variant}.xyz", variant=VARIANTS),
    output:
        table="<results>/convergence/errors.csv",
        labels="<results>/convergence/labels.xyz.xz",
    log:
        "<logs>/measure_convergence.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        variants=list(VARIANTS),
        against={name: config["convergence"]["variants"][name]["against"] for name in VARIANTS},
    message:
        "Measuring the convergence of the labels"
    script:
        "../scripts/measure_convergence.py"


rule show_convergence:
    """Show how far the labels are from better ones: a page and a figure."""
    input:
        table=KNOWN_ERRORS or "<results>/convergence/errors.csv",
    output:
        page=report(
            "<results>/tables/convergence.html",
            caption="../report/convergence.rst",
            category="Labels",
            labels={"result": "convergence table"},
        ),
        figure=report(
            "<results>/figures/convergence.png",
            caption="../report/convergence.rst",
            category="Labels",
            labels={"result": "convergence"},
        ),
    log:
        "<logs>/show_convergence.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Showing the convergence of the labels"
    script:
        "../scripts/show_convergence.py"


rule measure_noise:
    """Say how large the noise of the labels is that errors of models are read against."""
    input:
        errors=KNOWN_ERRORS or [],
    output:
        table="<results>/tables/noise.csv",
    log:
        "<logs>/measure_noise.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        variants=measured_variants(config),
    message:
        "Summing up the noise of the labels"
    script:
        "../scripts/measure_noise.py"


rule convergence:
    input:
        "<results>/convergence/errors.csv",
        "<results>/tables/convergence.html",
