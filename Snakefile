"""diverse: do purposely diverse training sets give potentials that transfer better?

snakemake --cores all                                  the default study (config/config.yaml)
snakemake --cores all --configfile config/smoke.yaml   another study
snakemake --cores all STAGE                            a stage alone, or what is made on request: workflow/README.md
"""

from snakemake.utils import min_version

min_version("9.14")

if not workflow.overwrite_configfiles:  # a file given with --configfile stands for itself

    configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/study.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/known.smk"


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",


include: "workflow/rules/estimate.smk"
include: "workflow/rules/benchmarks.smk"
include: "workflow/rules/generate.smk"
include: "workflow/rules/diversity.smk"
include: "workflow/rules/label.smk"
include: "workflow/rules/label_quality.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/blocks.smk"
include: "workflow/rules/draws.smk"
include: "workflow/rules/ace.smk"
include: "workflow/rules/references.smk"
include: "workflow/rules/transfer.smk"
include: "workflow/rules/curves.smk"
include: "workflow/rules/uncertainty.smk"
include: "workflow/rules/fits.smk"
include: "workflow/rules/potentials.smk"
include: "workflow/rules/dynamics.smk"
include: "workflow/rules/physics.smk"
include: "workflow/rules/report.smk"


show_stages(workflow, logger)


rule all:
    default_target: True
    input:
        "<results>/index.html",
        "<results>/report.html",
        "<results>/manifest.csv",
