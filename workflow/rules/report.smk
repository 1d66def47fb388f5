"""The HTML report, and what the repository releases of a study.

Needs  every table and figure
Makes  config.yaml, figures/workflow.png, report.html; on request results/release/
Steps  write_config: the study with every default, beside its results
       draw_workflow: the graph of rules
       write_report: snakemake --report over all of it
       release: copy labels, tables, figures and potentials to results/release/, and the verdicts on the
                training sets to README.md (on request)
       release_ahead: add labels of steps that the study does not take yet, from the ledgers that a run
                    of `label` left, whole or stopped (on request)
"""


rule write_config:
    """Write the study with every default filled in."""
    output:
        config="<results>/config.yaml",
    log:
        "<logs>/write_config.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=config,
    message:
        "Writing the study's configuration"
    script:
        "../scripts/write_config.py"


rule draw_workflow:
    """Draw the graph of rules."""
    input:
        config="<results>/config.yaml",
    output:
        figure="<results>/figures/workflow.png",
    log:
        "<logs>/draw_workflow.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        snakefile=workflow.main_snakefile,
    message:
        "Drawing the graph of rules"
    shell:
        "(snakemake --snakefile {params.snakefile} --configfile {input.config} --nolock"
        " --forceall --rulegraph dot results | dot -Tpng -Gdpi=90 -o {output.figure}) 2> {log}"


rule write_report:
    """Collect tables, figures, captions and provenance in one HTML page."""
    input:
        rules.results.input,
        config="<results>/config.yaml",
    output:
        page="<results>/report.html",
    log:
        "<logs>/write_report.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        snakefile=workflow.main_snakefile,
    message:
        "Writing the report"
    shell:
        "snakemake --snakefile {params.snakefile} --configfile {input.config} --nolock"
        " --report {output.page} results > {log} 2>&1"


rule release:
    """Copy what the repository ships of this study to results/release/."""
    input:
        rules.results.input,
        config="<results>/config.yaml",
        labels=expand("<results>/labels/{dataset}.xyz.xz", dataset=LABELLED),
        potentials=rules.potentials.input,
    output:
        manifest="results/release/manifest.csv",
    log:
        "<logs>/release.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Releasing labels, tables, figures and potentials"
    script:
        "../scripts/release.py"


rule release_ahead:
    """Add labels of steps that the study does not take yet to results/release/labels-ahead/."""
    log:
        "<logs>/release_ahead.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        results=RESULTS,
        release="results/release",
    message:
        "Releasing labels that lie ahead of the study"
    script:
        "../scripts/release_ahead.py"
