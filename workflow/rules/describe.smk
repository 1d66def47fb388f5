"""Descriptors of every environment, their gradients, and the labels beside them.

Needs  datasets/{dataset}/{part}.xyz
Makes  descriptors/{dataset}/{part}/{twojmax}.npz
Steps  describe: bispectrum components by autograd, ZBL reference energies and forces
"""


rule describe_part:
    """Tabulate descriptors, gradients and labels of one part of a data set."""
    input:
        cells="<results>/datasets/{dataset}/{part}.xyz",
    output:
        table="<results>/descriptors/{dataset}/{part}/{twojmax}.npz",
    log:
        "<logs>/describe_part/{dataset}/{part}/{twojmax}.log",
    benchmark:
        "<benchmarks>/describe_part/{dataset}/{part}/{twojmax}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        study=study_part("element", "cutoff", "zbl"),
    message:
        "Describing {wildcards.dataset}, {wildcards.part} part, 2Jmax {wildcards.twojmax}"
    script:
        "../scripts/describe_part.py"


rule describe:
    input:
        expand(
            "<results>/descriptors/{dataset}/train/{twojmax}.npz",
            dataset=TRAINED_ON,
            twojmax=TWOJMAX,
        ),
