"""Draw the graph of stages: the study's rules, put together by the file they stand in."""

import subprocess
from pathlib import Path

from diverse.report.plotting.workflow import Stage, stage_graph
from diverse.study.job import begin, finish

begin(snakemake)
ROOT = Path(snakemake.scriptdir).resolve().parents[1]
RULES = ROOT / "workflow/rules"

with open(snakemake.log[0], "w") as log:

    def run(*command, text=""):
        options = {"input": text, "text": True, "stderr": log, "stdout": subprocess.PIPE}
        return subprocess.run(command, check=True, **options).stdout

    rulegraph = run(
        *("snakemake", "--snakefile", ROOT / "Snakefile", "--nolock", "--forceall"),
        *("--configfile", snakemake.input.config, "--rulegraph", "dot", "--", "results"),
    )
    names = snakemake.params.stages
    stages = {name: Stage.read(RULES / f"{name}.smk") for name in names}
    graph, back = stage_graph(rulegraph, stages)
    reduced = run("tred", text=graph).rstrip().removesuffix("}")
    whole = f"{reduced}{back}\n}}"
    run("dot", "-Tpng", "-Gdpi=150", "-o", snakemake.output.figure, text=whole)
finish(snakemake)
