"""List the cells that got no label, with the cause."""

from diverse.labels.ledger.query import failures
from diverse.structures.frames import read_frames
from diverse.study.job import begin, finish

begin(snakemake)
frames = read_frames(snakemake.input.labels)
rows = (frame.cell() for frame in frames if not frame.labelled)
failures(rows).to_csv(snakemake.output.table, index=False)
finish(snakemake)
