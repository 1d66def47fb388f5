"""Benchmarks: speed beside that of programs that do the same work.

Needs  the programs of tests/benchmarks/; the released potentials
Makes  on request results/release/benchmarks/comparisons.csv, and the tables that README.md and workflow/README.md
       show of it
Steps  measure_speed: run one program, with all cores to itself
       release_speed: put the rates together, and show them
"""


localrules:
    measure_speed,
    release_speed,


PROGRAMS = ["descriptor", "fit", "generate", "train", "md"]


rule measure_speed:
    """Measure rates in turns with those of the peers."""
    input:
        program=ROOT / "tests/benchmarks/{program}.py",
    output:
        table=temp("<results>/speed/{program}.csv"),
    log:
        "<logs>/measure_speed/{program}.log",
    wildcard_constraints:
        program="|".join(PROGRAMS),
    conda:
        ENVIRONMENT
    threads: 1000  # all that there are: nothing runs beside it
    message:
        "Measuring speed: {wildcards.program}"
    script:
        "../scripts/measure_speed.py"


rule release_speed:
    """Put all rates in one table of the release, and show them in README.md and workflow/README.md."""
    input:
        expand("<results>/speed/{program}.csv", program=PROGRAMS),
    output:
        table=temp("<results>/speed/comparisons.csv"),  # asked for again, all is measured again
    log:
        "<logs>/release_speed.log",
    conda:
        ENVIRONMENT
    params:
        root=ROOT,
        released=ROOT / "results/release/benchmarks/comparisons.csv",
    message:
        "Showing the rates of all benchmarks"
    script:
        "../scripts/release_speed.py"


rule benchmarks:
    input:
        "<results>/speed/comparisons.csv",
