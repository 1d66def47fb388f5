"""Compare the tables of this study with the released ones, and print what differs."""

import sys
from pathlib import Path

from diverse.report.release_guard import release_folder
from diverse.report.reproduction import compare_release, comparison_text
from diverse.study.job import begin

begin(snakemake)
released = release_folder(snakemake.params.study, Path(snakemake.params.released))
table, sentences = compare_release(Path(snakemake.input.page).parent, released)
text = comparison_text(table, sentences)
Path(snakemake.log[0]).write_text(f"{table.to_string()}\n{text}\n")
print(text, file=sys.stderr)
