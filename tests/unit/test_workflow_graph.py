"""The graph of stages: every stage of the Snakefile, and no arrow but between stages."""

import re
import subprocess

from diverse.report.plotting.workflow import Stage, stage_graph
from paths import ROOT

RULEGRAPH = """digraph snakemake_dag {
    0[label = "all", color = "0.1 0.6 0.85", style="rounded"];
    1[label = "make", color = "0.2 0.6 0.85", style="rounded"];
    2[label = "measure", color = "0.3 0.6 0.85", style="rounded"];
    3[label = "refine", color = "0.3 0.6 0.85", style="rounded"];
    4[label = "tell", color = "0.4 0.6 0.85", style="rounded"];
    2 -> 0
    1 -> 2
    3 -> 1
    2 -> 4
}"""


def test_rules_of_one_file_are_one_stage():
    stages = {
        "first": Stage("how <things> are made", ["make", "refine", "tell"]),
        "second": Stage("numbers", ["measure"]),
        "unused": Stage("nothing", ["rest"]),
    }
    graph, back = stage_graph(RULEGRAPH, stages)
    assert re.findall(r"(\w+) -> (\w+)", graph) == [("first", "second")]
    assert back == "second -> first [style=dashed, constraint=false];"
    assert "how &lt;things&gt; are made" in graph
    assert "unused" not in graph
    subprocess.run(["dot", "-Tsvg"], input=graph, text=True, check=True, capture_output=True)


def test_stages_are_the_files_that_the_snakefile_includes():
    included = re.findall(r"rules/(\w+)\.smk", (ROOT / "Snakefile").read_text())
    listed = re.search(r"STAGES = \[.*?\]", (ROOT / "workflow/rules/common.smk").read_text(), re.S)
    assert ["common", "known", *re.findall(r'"(\w+)"', listed[0])] == included
    files = {path.stem for path in (ROOT / "workflow/rules").glob("*.smk")}
    assert files == set(included)


def test_every_stage_says_what_it_is():
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        stage = Stage.read(path)
        assert len(stage.title) > 20, path.name
        assert ":" not in stage.title
        assert stage.rules or path.stem in ("common", "known")
