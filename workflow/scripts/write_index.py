"""Write the page that is read first, and its table of claims for the front of the report."""

from pathlib import Path

import pandas as pd
import yaml

from diverse.report.certainty import certainty
from diverse.report.pages.claims import claims_table
from diverse.report.pages.index import Contents, Picture, caption_html, index_page
from diverse.report.pages.physics import known_physics
from diverse.report.survival import ramp_sentences
from diverse.study.job import begin, finish

begin(snakemake)
given, made = snakemake.input, snakemake.output
study = yaml.safe_load(Path(given.config).read_text())
tables = {Path(path).stem: pd.read_csv(path, dtype={"potential": str}) for path in given.tables}
noise = pd.read_csv(given.noise)
findings = {"ramps": ramp_sentences(tables["ramps"])} if "ramps" in tables else {}
contents = Contents(
    [
        Picture(figure, caption_html(caption, study), findings.get(figure.stem, ()))
        for figure, caption in zip(map(Path, given.figures), map(Path, given.captions), strict=True)
    ],
    certainty(tables.get("theta"), tables["datasets"], noise, study["left_out"]),
    tables,
    known_physics(*map(Path, given.physics)) if given.physics else "",
)
Path(made.page).write_text(index_page(Path(given.template).read_text(), study, contents))
Path(made.answer).write_text(claims_table(tables.get("claims"), links=False))
finish(snakemake)
