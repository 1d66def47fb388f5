"""Estimate: what the study will take, before any of it is made.

Needs  the study file; released labels and benchmarks; structures of the study, where there are some
Makes  on request estimate/{stages,nodes}.csv
Steps  tabulate_estimate: core-hours, memory and disk of every stage; hours of labelling on some nodes
       estimate: print it
       release_estimate: write it into README.md and workflow/README.md
"""


localrules:
    tabulate_estimate,
    estimate,
    release_estimate,


rule tabulate_estimate:
    """Estimate core-hours, memory and disk of every stage, and hours of labelling on some nodes."""
    input:
        reference=ROOT / "config/config.yaml",
        schema=ROOT / "workflow/schemas/study.schema.yaml",
    output:
        stages="<results>/estimate/stages.csv",
        nodes="<results>/estimate/nodes.csv",
    log:
        "<logs>/tabulate_estimate.log",
    conda:
        ENVIRONMENT
    resources:
        node_cores=64,
    params:
        study=config,
        released=ROOT / "results/release",
        structures=structures_made,
        nodes=[1, 10, 100],
    message:
        "Estimating what {config[study]} will take"
    script:
        "../scripts/tabulate_estimate.py"


rule estimate:
    """Print what the study will take."""
    input:
        stages="<results>/estimate/stages.csv",
        nodes="<results>/estimate/nodes.csv",
    log:
        "<logs>/estimate.log",
    conda:
        ENVIRONMENT
    message:
        "What {config[study]} will take"
    script:
        "../scripts/estimate.py"


rule release_estimate:
    """Write what the study will take into README.md and workflow/README.md."""
    input:
        stages="<results>/estimate/stages.csv",
        nodes="<results>/estimate/nodes.csv",
    log:
        "<logs>/release_estimate.log",
    conda:
        ENVIRONMENT
    params:
        study=config["study"],
        page=ROOT / "workflow/README.md",
        first=ROOT / "README.md",
    message:
        "Writing what {config[study]} will take"
    script:
        "../scripts/release_estimate.py"
