"""ACE: models of a package that an extra environment brings, beside those of the study's own.

Needs  labels/{dataset}/{chunk}.xyz, datasets/{dataset}/{draws.csv,train.xyz,test.xyz}; where the extra
       environment is not made, released errors of the same models on the same draws
Makes  errors/draws/{train}/ace.csv.xz, errors/ace/{train}.csv.xz (a row a fit), scores/ace/{train}.csv,
       tables/ace.{csv,html}
Steps  fit_ace: one potential by the solver of fit_polynomial (train.smk), on request alone
       draw_ace: every ACE model on every draw of one training set and its halves, or as released
       tabulate_ace: what was fitted, here or elsewhere, and what failed
       Potentials get their cards by the rules of all models, on request alone
"""


localrules:
    tabulate_ace,


if not is_made("ace"):

    localrules:
        draw_ace,


ACE_TRAINS = WHOLE if ACES else []
ACE_SCORES = [f"ace/{train}" for train in ACE_TRAINS]
ACE_FITS = expand("<results>/errors/ace/{train}.csv.xz", train=ACE_TRAINS)
ACE_TABLE = ["<results>/tables/ace.csv"] if ACES else []
FITTED = [model for model in EXPORTED if model not in NETWORKS]  # linear in their coefficients


rule draw_ace:
    """Fit ACE to every draw of a training set and its halves, or take what is released of that."""
    input:
        labels=all_chunks("labels", TESTS),
        draws=TEST_TABLES,
        training="<results>/datasets/{train}/train.xyz",
        tests=TEST_CELLS,
        released=released_ace,
    output:
        errors="<results>/errors/draws/{train}/ace.csv.xz",
        fits="<results>/errors/ace/{train}.csv.xz",
        scores="<results>/scores/ace/{train}.csv",
    log:
        "<logs>/draw_ace/{train}.log",
    benchmark:
        "<benchmarks>/draw_ace/{train}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        study=study_part("study", "element", "cutoff", "zbl"),
        datasets=TESTS,
        models={model: config["models"][model] for model in ACES},
        halves=config["split"]["draws"] > 1,
        here=is_made("ace"),
    message:
        "Fitting ACE to every draw of {wildcards.train}, or taking released errors"
    script:
        "../scripts/draw_ace.py"


use rule fit_polynomial as fit_ace with:
    output:
        parameters=potential_files("ace"),
        trained="<results>/models/{train}/{model}/{seed}/trained.npz",
        covariance="<results>/models/{train}/{model}/{seed}/covariance.npz",
        path="<results>/models/{train}/{model}/{seed}/ridge.csv",
        summary="<results>/models/{train}/{model}/{seed}/fit.csv",
    log:
        "<logs>/fit_ace/{train}/{model}/{seed}.log",
    benchmark:
        "<benchmarks>/fit_ace/{train}/{model}/{seed}.tsv"
    wildcard_constraints:
        model=either(ACES),


rule tabulate_ace:
    """List the fits of ACE: where they were made, and what failed."""
    input:
        fits=ACE_FITS,
    output:
        table="<results>/tables/ace.csv",
        page=report(
            "<results>/tables/ace.html",
            caption="../report/ace.rst",
            category="Models",
            labels={"result": "ACE, fitted in an extra environment"},
        ),
    log:
        "<logs>/tabulate_ace.log",
    conda:
        ENVIRONMENT
    params:
        models=ACES,
        trains=WHOLE,
        here=is_made("ace"),
    message:
        "Listing fits of ACE"
    script:
        "../scripts/tabulate_ace.py"


rule ace:
    input:
        ACE_TABLE,
        expand("<results>/errors/draws/{train}/ace.csv.xz", train=ACE_TRAINS),
        [
            f"<results>/potentials/{train}-{model}-0/README.md"
            for train in WHOLE
            for model in ACES
            if model in EXPORTED
        ],
