"""Dynamics: how well potentials conserve energy (snakemake dynamics, claim C4), how far each gets (ramps).

Needs  models/{train}/{model}/0/potential.*; released runs, for a study that has none of its own
Makes  dynamics/nve/{train}-{model}.csv, a row for each time step and velocity seed, and
       dynamics/dynamics.{csv,html,png} of them (on request); tables/dynamics.{csv,html} and
       figures/dynamics.png of the runs that are known; on request dynamics/ramps/{train}-{model}.csv
       and dynamics/ramps.{csv,png}
Steps  measure_dynamics: all time steps and seeds of one potential, from equilibrated starts
       show_dynamics: slope, departure and drift of the runs that are known (DYNAMICS): the study's
                      own, else those that are released of a study of its name
       show_own_dynamics: the same of the study's own runs
       measure_ramps: one potential in ramps of temperature and pressure, until each run fails
       show_ramps: how far the potentials of every training set got
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
        rows=lambda wildcards: rows_of_moved("nve"),
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
    output:
        rows="<results>/dynamics/ramps/{train}-{model}.csv",
    log:
        "<logs>/measure_ramps/{train}-{model}.log",
    benchmark:
        "<benchmarks>/measure_ramps/{train}-{model}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=study_part("seed", "element", "lattice", "dynamics"),
    message:
        "Ramps with {wildcards.model} trained on {wildcards.train}"
    script:
        "../scripts/measure_ramps.py"


rule show_ramps:
    """Join the ramps of all potentials, and draw how far those of every training set got."""
    input:
        rows=lambda wildcards: rows_of_moved("ramps"),
    output:
        table="<results>/dynamics/ramps.csv",
        figure="<results>/dynamics/ramps.png",
    log:
        "<logs>/show_ramps.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
    message:
        "Showing how far potentials get"
    script:
        "../scripts/show_ramps.py"


rule ramps:
    input:
        rules.show_ramps.output,
