"""Potentials: every model as a folder to take away, with its model card.

Needs  models/{train}/{model}/{seed}/{potential.*,export.csv}, scores/{train}.csv,
       datasets/{train}/train.xyz
Makes  potentials/{train}-{model}-{seed}/: the files that LAMMPS and Python run, potential.lammps
       with the lines that use them, npt.lammps, a whole LAMMPS input, and README.md, the card
Steps  collect_potentials: copy the files of each, write its card
"""


localrules:
    collect_potentials,


# What a card says of each training set; published labels have no labeller of the study.
ORIGINS = {
    name: {
        "family": FAMILIES[name],
        "labeller": None if name in KEPT else labeller_options(config, name),
    }
    for name in WHOLE
}


rule collect_potentials:
    """Collect the files of the potentials of one training set, each with its model card."""
    input:
        parameters=parameters_of(EXPORTED),
        commands=commands_of(EXPORTED),
        exports=exports_of(EXPORTED),
        fits=expand("<results>/models/{{train}}/{model}/0/fit.csv", model=FITTED),
        searches=[SEARCHES[model] for model in SEARCHED],
        scores=[
            "<results>/scores/{train}.csv",
            *(["<results>/scores/ace/{train}.csv"] if ACES else []),
        ],
        training="<results>/datasets/{train}/train.xyz",
        template=str(ROOT / "workflow/report/model_card.md"),
        example=str(ROOT / "workflow/report/npt.lammps"),
        speeds=SPEEDS,
        schema=str(ROOT / "workflow/schemas/study.schema.yaml"),
    output:
        cards_of(EXPORTED),  # of each potential the other files lie beside its card
    log:
        "<logs>/collect_potentials/{train}.log",
    benchmark:
        "<benchmarks>/collect_potentials/{train}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=study_part("element", "lattice", "cutoff", "zbl"),
        models=lookup(within=config, dpath="models"),
        names=exported(EXPORTED),
        files=POTENTIAL_FILES,
        fitted=FITTED,
        searched=SEARCHED,
        origin=lookup(within=ORIGINS, dpath="{train}"),
        families=FAMILIES,
    message:
        "Collecting the potentials trained on {wildcards.train}"
    script:
        "../scripts/collect_potentials.py"


rule potentials:
    input:
        [
            f"<results>/potentials/{train}-{model}-{seed}/README.md"
            for train, model, seed in trained_seeds(EXPORTED)
        ],
