"""Report: the page that is read first, the HTML report, and what the repository releases.

Needs  every table and figure
Makes  figures/workflow.png, tables/dependencies.csv, index.html, report.html, manifest.csv; on request results/release/
Steps  plot_workflow: the graph of stages
       tabulate_dependencies: the packages that the study runs with, their licences and advisories
       write_index: question, verdicts on the claims, and how sure they are, on one page
       write_report: snakemake --report over all of it
       write_manifest: SHA-256 of every file that the study's jobs wrote
       verify: compare the files with the manifest, and make a sample of them again (on request)
       reproduce: compare the tables with the released ones, number by number (on request)
       release: copy what the repository ships to results/release/, pack the rest, and write the
                findings to README.md; of a study beside the released one, what is no structure or
                label to a folder of its own below (on request)
       release_ahead: add labels of steps that the study does not take yet, from the ledgers that a run
                    of `label` left, whole or stopped (on request)
       In the end the terminal says where the results lie or, where something failed, the logs.
"""


localrules:
    plot_workflow,
    tabulate_dependencies,
    write_index,
    write_report,
    write_manifest,
    verify,
    reproduce,
    release,
    release_ahead,


CAPTIONS = ROOT / "workflow/report"
MIXED = len(COMPARED) > len(WHOLE)
SHOWN_TABLES = [
    *("claims", "theta", "ratios", *(["mixtures", "baselines"] if MIXED else [])),
    *(["sensitivity"] if WEIGHTED and len(WHOLE) > 1 else []),
    *(["dynamics"] if DYNAMICS else []),
    *(["ramps"] if RAMPS else []),
    *("cell_sizes", "transferability"),
    *(["ace"] if ACES else []),
    *(["reference_models"] if REFERENCE_OPTIONS else []),
    *("training_sets", "datasets"),
]
PHYSICS_OF_INDEX = [
    *("<results>/tables/physics.csv", "<results>/tables/physics.json"),
    CAPTIONS / "physics.html",
]
OTHER_ERRORS = [
    *expand("<results>/errors/{name}", name=["cells.csv.xz", "levels.csv", "novelty.csv"]),
    *(["<results>/errors/references.csv.xz"] if REFERENCE_OPTIONS else []),
]
SHOWN_FIGURES = [
    "ratios",
    *(["mixtures"] if MIXED else []),
    *(["dynamics"] if DYNAMICS else []),
    *(["ramps"] if RAMPS else []),
]


rule plot_workflow:
    """Draw the graph of stages."""
    input:
        config="<results>/config.yaml",
    output:
        figure="<results>/figures/workflow.png",
    log:
        "<logs>/plot_workflow.log",
    conda:
        ENVIRONMENT
    params:
        stages=STAGES,
    message:
        "Drawing the graph of stages"
    script:
        "../scripts/plot_workflow.py"


rule results:
    input:
        "<results>/tables/failures.csv",
        "<results>/tables/transferability.html",
        "<results>/tables/datasets.html",
        "<results>/figures/transferability.png",
        rules.references.input,
        rules.tabulate_ace.output if ACES else [],
        rules.show_effects.output,
        "<results>/figures/groups.png" if CURATED or PUBLISHED else [],
        rules.curves.input,
        "<results>/figures/datasets.png",
        "<results>/figures/labels.png",
        "<results>/labels/README.md" if LABELLED else [],
        rules.diversity.input,
        "<results>/figures/workflow.png",
        "<results>/tables/dependencies.csv",
        "<results>/figures/training.png" if NETWORKS else [],
        rules.show_convergence.output if KNOWN_ERRORS else [],
        "<results>/figures/fits.png" if POLYNOMIALS else [],
        "<results>/figures/search.png" if SEARCHED else [],
        "<results>/figures/gallery.png" if CURATED else [],
        "<results>/figures/calibration.png" if CALIBRATED else [],
        rules.potentials.input,
        rules.show_dynamics.output if DYNAMICS else [],
        rules.show_ramps.output if RAMPS else [],
        rules.show_physics.output if KNOWN_PHYSICS else [],


rule tabulate_dependencies:
    """List the packages that the study runs with: version, licence, known advisories."""
    input:
        pins=ROOT / "envs/requirements.txt",
        extras=[ROOT / f"envs/{name}.txt" for name in ("universal", "ace", "requirements-gpu")],
        advisories=ROOT / "envs/advisories.csv",
    output:
        table="<results>/tables/dependencies.csv",
    log:
        "<logs>/tabulate_dependencies.log",
    conda:
        ENVIRONMENT
    params:
        made=[name for name in ("universal", "ace") if is_made(name)],
    message:
        "Listing the packages that the study runs with"
    script:
        "../scripts/tabulate_dependencies.py"


rule write_index:
    """Write the page that is read first: question, verdicts, how sure they are, all numbers."""
    input:
        config="<results>/config.yaml",
        noise="<results>/tables/noise.csv",
        tables=expand("<results>/tables/{name}.csv", name=SHOWN_TABLES),
        figures=expand("<results>/figures/{name}.png", name=SHOWN_FIGURES),
        captions=expand(str(CAPTIONS / "{name}.rst"), name=SHOWN_FIGURES),
        template=str(CAPTIONS / "index.html"),
        physics=PHYSICS_OF_INDEX if KNOWN_PHYSICS else [],
    output:
        page="<results>/index.html",
        answer="<results>/tables/answer.html",  # for the front of the report
    log:
        "<logs>/write_index.log",
    conda:
        ENVIRONMENT
    message:
        "Writing the page that is read first"
    script:
        "../scripts/write_index.py"


rule write_report:
    """Collect tables, figures, captions and provenance in one HTML page."""
    input:
        rules.results.input,
        config="<results>/config.yaml",
        answer="<results>/tables/answer.html",
        style=str(CAPTIONS / "report.css"),
    output:
        page="<results>/report.html",
    log:
        "<logs>/write_report.log",
    conda:
        ENVIRONMENT
    message:
        "Writing the report"
    script:
        "../scripts/write_report.py"


rule write_manifest:
    """Write the SHA-256 of every file that the study's jobs wrote."""
    input:
        "<results>/index.html",
        "<results>/report.html",
    output:
        manifest="<results>/manifest.csv",
    log:
        "<logs>/write_manifest.log",
    conda:
        ENVIRONMENT
    message:
        "Writing the manifest"
    script:
        "../scripts/write_manifest.py"


rule verify:
    """Compare the study's files with its manifest, and make a sample of them again."""
    log:
        "<logs>/verify.log",
    conda:
        ENVIRONMENT
    params:
        results=RESULTS,
    message:
        "Verifying the study"
    script:
        "../scripts/verify.py"


rule reproduce:
    """Compare the study's tables with the released ones, number by number."""
    input:
        page="<results>/index.html",
    log:
        "<logs>/reproduce.log",
    conda:
        ENVIRONMENT
    params:
        study=lookup(within=config, dpath="study"),
        released=str(ROOT / "results/release"),
    message:
        "Comparing the study with the released one"
    script:
        "../scripts/reproduce.py"


rule release:
    """Copy what the repository ships of this study to results/release/."""
    input:
        rules.results.input,
        config="<results>/config.yaml",
        scores="<results>/tables/scores.csv",
        labels=expand("<results>/labels/{dataset}.xyz.xz", dataset=LABELLED),
        errors=[*DRAW_ERRORS, *SUBSET_ERRORS, *ACE_FITS, *OTHER_ERRORS],
        potentials=rules.potentials.input,
    log:
        "<logs>/release.log",
    conda:
        ENVIRONMENT
    params:
        study=lookup(within=config, dpath="study"),
        families={name: FAMILIES[name] for name in WHOLE},
        dynamics={
            "nve": [f"{train}-{model}" for train, model in MOVED],
            "ramps": [f"{train}-{model}" for train, model in RAMPED],
        },
        physics=list(PHYSICS),
        target="results/release",  # no output: what git brought may be newer than the study
        readme="README.md",
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
    params:
        results=RESULTS,
        release="results/release",
    message:
        "Releasing labels that lie ahead of the study"
    script:
        "../scripts/release_ahead.py"


onsuccess:
    print(f"Results: {first_page()}", file=sys.stderr)


onerror:
    print(f"What failed is said above; logs of all jobs: {RESULTS}/logs/", file=sys.stderr)
