"""Verify a finished study: its files against its manifest, and a sample made again."""

import sys
from pathlib import Path

import numpy as np

from diverse.study.job import begin
from diverse.study.verify import changed_files, differing_files, draw_sample, targets

begin(snakemake)
results, log = Path(snakemake.params.results), Path(snakemake.log[0])
changed = changed_files(results)
if len(changed):
    lines = "\n".join(f"{row.path}: {row.problem}" for row in changed.itertuples())
    names = " ".join(f"'{results}/{path}'" for path in targets(changed["path"]))
    raise RuntimeError(
        f"{len(changed)} files of {results} are not as their jobs wrote them:\n{lines}\nMake them "
        f"again, then run the study once more: rm -f {names}; ./envs/run snakemake --cores all "
        f"--configfile '{results}/config.yaml' -- {names}"
    )
sample = draw_sample(results, np.random.default_rng())
snakefile = Path(snakemake.scriptdir).resolve().parents[1] / "Snakefile"
different = differing_files(results, sample, snakefile, log)
if different:
    raise RuntimeError(
        f"made again, {', '.join(different)} of {results} came out different: they were made by "
        "other versions of the code or its libraries, or on a machine that computes otherwise"
    )
print(
    f"{results}: every file is as its job wrote it; made again with the same bytes: "
    f"{', '.join(sample)}",
    file=sys.stderr,
)
