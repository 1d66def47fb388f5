"""References: potentials that were not trained here, asked for every labelled cell of the test sets.

Needs  labels/{dataset}/{chunk}.xyz, datasets/{dataset}/draws.csv, errors/draws/, errors/cells.csv.xz,
       tables/training_sets.csv; where the extra environment of a model is not made, its released answers
Makes  references/{reference}.xyz, errors/references.csv.xz (a row an answer), references/scores.csv,
       tables/reference_models.{csv,html}
Steps  label_reference: one reference model, through its ledger (ledger/references/{reference}.xyz)
       tabulate_references: their errors beside those of the models of every training set
"""

REFERENCE_OPTIONS = reference_options(config)
ASKED = [name for name, options in REFERENCE_OPTIONS.items() if can_run(options)]
REFERENCE_SOURCES = {name: labeller_files(REFERENCE_OPTIONS[name]) for name in ASKED}
UNIVERSAL = names("reference_models", "universal", True)
SCORED_REFERENCES = ["<results>/references/scores.csv"] if REFERENCE_OPTIONS else []
COMPARED_REFERENCES = ["<results>/tables/reference_models.csv"] if REFERENCE_OPTIONS else []
ANSWERS = Path(RELEASED, "errors/references.csv.xz") if RELEASED else None


use rule label_chunk as label_reference with:
    input:
        cells=all_chunks("labels", TESTS),
        sources=lookup(within=REFERENCE_SOURCES, dpath="{reference}"),
    output:
        cells="<results>/references/{reference}.xyz",
    log:
        "<logs>/label_reference/{reference}.log",
    benchmark:
        "<benchmarks>/label_reference/{reference}.tsv"
    wildcard_constraints:
        reference=either(ASKED),
    params:
        labeller=lookup(within=REFERENCE_OPTIONS, dpath="{reference}"),
        labelled=True,
        timeout=lookup(within=config, dpath="timeout"),
        retry=config["labels"] == "retry",
        released="",
        ledger=f"{RESULTS}/ledger/references/{{reference}}.xyz",
    message:
        "Asking the reference model {wildcards.reference}"


rule tabulate_references:
    """Compare reference models with the models of every training set."""
    input:
        labels=all_chunks("labels", TESTS),
        draws=TEST_TABLES,
        errors=DRAW_ERRORS,
        cells="<results>/errors/cells.csv.xz",
        sizes="<results>/tables/training_sets.csv",
        computed=expand("<results>/references/{reference}.xyz", reference=ASKED),
        released=ANSWERS if ANSWERS and ANSWERS.exists() else [],
        speeds=REFERENCE_SPEEDS,
    output:
        answers="<results>/errors/references.csv.xz",
        scores="<results>/references/scores.csv",
        table="<results>/tables/reference_models.csv",
        page=report(
            "<results>/tables/reference_models.html",
            caption="../report/reference_models.rst",
            category="Transferability",
            labels={"result": "reference models, not trained here"},
        ),
    log:
        "<logs>/tabulate_references.log",
    benchmark:
        "<benchmarks>/tabulate_references.tsv"
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=WHOLE,
        tests=TESTS,
        models=lookup(within=config, dpath="models"),
        options=REFERENCE_OPTIONS,
        computed=ASKED,
        trained_on={
            name: block.get("trained_on", "") for name, block in config["reference_models"].items()
        },
    message:
        "Comparing reference models"
    script:
        "../scripts/tabulate_references.py"


rule references:
    input:
        "<results>/tables/reference_models.html" if REFERENCE_OPTIONS else [],
