"""Potentials: every model as a folder to take away, with its model card.

Needs  models/{train}/{model}/{seed}/{potential.*,export.csv}, scores/{train}/{model}.csv,
       datasets/{train}/train.xyz
Makes  potentials/{train}-{model}-{seed}/: the files that LAMMPS and Python run, potential.lammps
       with the lines that use them, and README.md, the card
Steps  collect_potential: copy the files, write the card
"""

# What a card says of each training set; published labels have no labeller of the study.
ORIGINS = {
    name: {
        "family": FAMILIES[name],
        "labeller": None if name in KEPT else labeller_options(config, name),
    }
    for name in WHOLE
}


rule collect_potential:
    """Collect the files of one potential with its model card."""
    input:
        parameters=potential,
        commands="<results>/models/{train}/{model}/{seed}/potential.lammps",
        export="<results>/models/{train}/{model}/{seed}/export.csv",
        fit=branch(
            lookup(within=config, dpath="models/{model}/family"),
            cases={"network": []},
            otherwise="<results>/models/{train}/{model}/{seed}/fit.csv",
        ),
        search=lookup(within=SEARCHES, dpath="{model}", default=[]),
        scores="<results>/scores/{train}/{model}.csv",
        training="<results>/datasets/{train}/train.xyz",
        template=str(ROOT / "workflow/report/model_card.md"),
        schema=str(ROOT / "workflow/schemas/study.schema.yaml"),
    output:
        card="<results>/potentials/{train}-{model}-{seed}/README.md",  # the other files lie beside it
    log:
        "<logs>/collect_potential/{train}-{model}-{seed}.log",
    conda:
        ENVIRONMENT
    params:
        study=study_part("element", "cutoff", "zbl"),
        model=lookup(within=config, dpath="models/{model}"),
        origin=lookup(within=ORIGINS, dpath="{train}"),
        families=FAMILIES,
    message:
        "Collecting the potential of {wildcards.model} trained on {wildcards.train}, seed {wildcards.seed}"
    script:
        "../scripts/collect_potential.py"


rule potentials:
    input:
        [
            f"<results>/potentials/{train}-{model}-{seed}/README.md"
            for train, model, seed in trained_seeds(config["models"])
            if train in WHOLE
        ],
