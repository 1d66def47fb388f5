"""Physics: what potentials do with a crystal, its defects, surfaces and vibrations (on request).

Needs  models/{train}/{model}/0/potential.*; reference models; the study's labeller
Makes  physics/{potential}.{csv,json}: values, and the curves behind them;
       tables/physics.{csv,html}, figures/physics.png
Steps  measure_physics: every property of one potential, one after the other
       show_physics: all potentials beside the labeller and the literature, and a figure
"""

PHYSICS = measured_potentials(config)
LABELLER = config["labeller"] if config["labeller"] in PHYSICS else ""
REFERENCES = config["physics"]["references"]


rule measure_physics:
    """Measure the physical properties of one potential."""
    input:
        potential=potential_at_work,
    output:
        table="<results>/physics/{potential}.csv",
        curves="<results>/physics/{potential}.json",
    log:
        "<logs>/measure_physics/{potential}.log",
    benchmark:
        "<benchmarks>/measure_physics/{potential}.tsv"
    wildcard_constraints:
        potential=either(PHYSICS),
    conda:
        ENVIRONMENT
    resources:
        runtime=120,
        time_limit=0,  # s, of the labeller: no label is begun after it
    params:
        study=study_part("element", "lattice"),
        potential=lookup(within=PHYSICS, dpath="{potential}"),
        timeout=lookup(within=config, dpath="timeout"),
        released=RELEASED,
        ledger=f"{RESULTS}/ledger/physics/{{potential}}.xyz",
    message:
        "Measuring the physical properties of {wildcards.potential}"
    script:
        "../scripts/measure_physics.py"


rule show_physics:
    """Show the properties of all potentials beside the labeller and the literature."""
    input:
        tables=expand("<results>/physics/{potential}.csv", potential=PHYSICS),
        curves=expand("<results>/physics/{potential}.json", potential=PHYSICS),
        references=ROOT / REFERENCES if REFERENCES else [],
        template=ROOT / "workflow/report/physics.html",
    output:
        table="<results>/tables/physics.csv",
        curves="<results>/tables/physics.json",
        page="<results>/tables/physics.html",
        figure="<results>/figures/physics.png",
    log:
        "<logs>/show_physics.log",
    conda:
        ENVIRONMENT
    params:
        potentials=PHYSICS,
        labeller=LABELLER,
        families=FAMILIES,
    message:
        "Showing the physical properties of potentials"
    script:
        "../scripts/show_physics.py"


rule physics:
    input:
        "<results>/tables/physics.html",
        "<results>/figures/physics.png",
