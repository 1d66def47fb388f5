"""Dynamics: how well potentials conserve energy (snakemake dynamics, claim C4), how far each gets (ramps).

Needs  models/{train}/{model}/0/potential.*, datasets/{train}/, structures/whitening.npz; released runs,
       for a study that has none of its own
Makes  on request dynamics/nve/{train}-{model}.csv, a row for each time step and velocity seed,
       dynamics/ramps/{train}-{model}.csv, a row for each ramp and velocity seed, and
       dynamics/{dynamics,ramps}.{csv,html,png} of them; of the runs that are known
       tables/{dynamics,ramps}.{csv,html} and figures/{dynamics,ramps}.png
Steps  measure_dynamics: all time steps and seeds of one potential, from equilibrated starts
       show_dynamics: slope, departure and drift of the runs that are known (DYNAMICS): the study's
                      own, else those that are released of a study of its name
       show_own_dynamics: the same of the study's own runs
       measure_ramps: one potential in ramps of temperature and pressure, until each run fails, and
                      the novelty of its cells on the way
       show_ramps, show_own_ramps: how far the potentials of every training set got, and whether
                      novelty warned
"""


rule measure_dynamics:
    """Run one potential at constant energy with every time step and velocity seed."""
    input:
        parameters=dynamic_potential,
        commands="<results>/models/{train}/{model}/0/potential.lammps",
    output:
        rows="<results>/dynamics/nve/{train}-{model}.csv",
    log:
        "<logs>/measure_dynamics/{train}-{model}.log",
    benchmark:
        "<benchmarks>/measure_dynamics/{train}-{model}.tsv"
    conda:
        ENVIRONMENT
    resources:
        runtime=60,
    params:
        study=study_part("seed", "element", "lattice", "dynamics"),
    message:
        "Dynamics with {wildcards.model} trained on {wildcards.train}"
    script:
        "../scripts/measure_dynamics.py"


rule show_dynamics:
    """Tabulate and draw how the deviation of the energy rises with the time step."""
    input:
        rows=DYNAMICS or OWN_DYNAMICS,
        commands=[f"<results>/models/{train}/{model}/0/potential.lammps" for train, model in MOVED],
        parameters=[path for pair in MOVED for path in potential_of(*pair)],
    output:
        table="<results>/tables/dynamics.csv",
        page=report(
            "<results>/tables/dynamics.html",
            caption="../report/dynamics.rst",
            category="Dynamics",
            labels={"result": "energy conservation: table"},
        ),
        figure=report(
            "<results>/figures/dynamics.png",
            caption="../report/dynamics.rst",
            category="Dynamics",
            labels={"result": "energy conservation"},
        ),
    log:
        "<logs>/show_dynamics.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        pairs=MOVED,
        fitted=lookup(within=config, dpath="dynamics/fitted"),
        origin="this study" if DYNAMICS == OWN_DYNAMICS else "released",
    message:
        "Showing energy conservation"
    script:
        "../scripts/show_dynamics.py"


use rule show_dynamics as show_own_dynamics with:
    input:
        rows=lambda wildcards: rows_of("nve", MOVED, "dynamics.models"),
        commands=rules.show_dynamics.input.commands,
        parameters=rules.show_dynamics.input.parameters,
    output:
        table="<results>/dynamics/dynamics.csv",
        page="<results>/dynamics/dynamics.html",
        figure="<results>/dynamics/dynamics.png",
    log:
        "<logs>/show_own_dynamics.log",
    params:
        families=FAMILIES,
        pairs=MOVED,
        fitted=lookup(within=config, dpath="dynamics/fitted"),
        origin="this study",


rule dynamics:
    input:
        rules.show_own_dynamics.output,


rule measure_ramps:
    """Run one potential in ramps of temperature and pressure until it fails."""
    input:
        parameters=dynamic_potential,
        commands="<results>/models/{train}/{model}/0/potential.lammps",
        training="<results>/datasets/{train}/train.xyz",
        left_out="<results>/datasets/{train}/test.xyz",
        whitening="<results>/structures/whitening.npz",
    output:
        rows="<results>/dynamics/ramps/{train}-{model}.csv",
    log:
        "<logs>/measure_ramps/{train}-{model}.log",
    benchmark:
        "<benchmarks>/measure_ramps/{train}-{model}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=study_part("seed", "element", "lattice", "cutoff", "optimiser", "dynamics"),
    message:
        "Ramps with {wildcards.model} trained on {wildcards.train}"
    script:
        "../scripts/measure_ramps.py"


rule show_ramps:
    """Tabulate and draw how far potentials get, and whether novelty warns before they fail."""
    input:
        rows=RAMPS or OWN_RAMPS,
        commands=[f"<results>/models/{train}/{model}/0/potential.lammps" for train, model in RAMPED],
        parameters=[path for pair in RAMPED for path in potential_of(*pair)],
    output:
        table="<results>/tables/ramps.csv",
        page=report(
            "<results>/tables/ramps.html",
            caption="../report/ramps.rst",
            category="Dynamics",
            labels={"result": "ramps: table"},
        ),
        figure=report(
            "<results>/figures/ramps.png",
            caption="../report/ramps.rst",
            category="Dynamics",
            labels={"result": "ramps"},
        ),
    log:
        "<logs>/show_ramps.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        pairs=RAMPED,
        origin="this study" if RAMPS == OWN_RAMPS else "released",
    message:
        "Showing how far potentials get"
    script:
        "../scripts/show_ramps.py"


use rule show_ramps as show_own_ramps with:
    input:
        rows=lambda wildcards: rows_of("ramps", RAMPED, "dynamics.ramps.models"),
        commands=rules.show_ramps.input.commands,
        parameters=rules.show_ramps.input.parameters,
    output:
        table="<results>/dynamics/ramps.csv",
        page="<results>/dynamics/ramps.html",
        figure="<results>/dynamics/ramps.png",
    log:
        "<logs>/show_own_ramps.log",
    params:
        families=FAMILIES,
        pairs=RAMPED,
        origin="this study",


rule ramps:
    input:
        rules.show_own_ramps.output,
