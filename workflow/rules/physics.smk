"""Physics: what potentials do with a crystal, its defects, surfaces and vibrations (on request).

Needs  models/{train}/{model}/0/potential.*; reference models; the study's labeller; released values,
       for a study that has none of its own
Makes  on request physics/values/{potential}.{csv,json}, values and the curves behind them, and
       physics/physics.{csv,json,html,png} of all; tables/physics.{csv,json,html} and figures/physics.png
       of the values that are known
Steps  measure_physics: every property of one potential, one after the other
       show_physics: the values that are known (KNOWN_PHYSICS), the study's own, else those that are
                     released of a study of its name, beside the labeller and the literature
       show_own_physics: the same of the study's own values
"""

LABELLER = config["labeller"] if config["labeller"] in PHYSICS else ""
REFERENCES = config["physics"]["references"]


rule measure_physics:
    """Measure the physical properties of one potential."""
    input:
        potential=potential_at_work,
    output:
        table="<results>/physics/values/{potential}.csv",
        curves="<results>/physics/values/{potential}.json",
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
        melting=lookup(within=config, dpath="physics/melting"),
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
        tables=[path for path in KNOWN_PHYSICS or OWN_PHYSICS if path.suffix == ".csv"],
        curves=[path for path in KNOWN_PHYSICS or OWN_PHYSICS if path.suffix == ".json"],
        commands=[
            f"<results>/models/{train}/{model}/0/potential.lammps" for train, model in MEASURED
        ],
        parameters=[path for pair in MEASURED for path in potential_of(*pair)],
        references=named_file(REFERENCES, ROOT) if REFERENCES else [],
        template=ROOT / "workflow/report/physics.html",
    output:
        table="<results>/tables/physics.csv",
        curves="<results>/tables/physics.json",
        page=report(
            "<results>/tables/physics.html",
            caption="../report/physics.rst",
            category="Physics",
            labels={"result": "physical properties: table and curves"},
        ),
        figure=report(
            "<results>/figures/physics.png",
            caption="../report/physics.rst",
            category="Physics",
            labels={"result": "deviations from the reference"},
        ),
    log:
        "<logs>/show_physics.log",
    conda:
        ENVIRONMENT
    params:
        study=study_part("element", "lattice", "physics"),
        potentials=PHYSICS,
        labeller=LABELLER,
        families=FAMILIES,
        origin="this study" if KNOWN_PHYSICS == OWN_PHYSICS else "released",
    message:
        "Showing the physical properties of potentials"
    script:
        "../scripts/show_physics.py"


use rule show_physics as show_own_physics with:
    input:
        tables=[path for path in OWN_PHYSICS if path.suffix == ".csv"],
        curves=[path for path in OWN_PHYSICS if path.suffix == ".json"],
        commands=rules.show_physics.input.commands,
        parameters=rules.show_physics.input.parameters,
        references=rules.show_physics.input.references,
        template=rules.show_physics.input.template,
    output:
        table="<results>/physics/physics.csv",
        curves="<results>/physics/physics.json",
        page="<results>/physics/physics.html",
        figure="<results>/physics/physics.png",
    log:
        "<logs>/show_own_physics.log",
    params:
        study=study_part("element", "lattice", "physics"),
        potentials=PHYSICS,
        labeller=LABELLER,
        families=FAMILIES,
        origin="this study",


rule physics:
    input:
        rules.show_own_physics.output,
