"""Curves: what errors depend on - cost, size, novelty - and what cells added to a set bring.

Needs  errors/{draws,subsets}/, errors/cells.csv.xz, tables/{training_sets,scores,reference_models}.csv,
       datasets/, structures/whitening.npz
Makes  errors/{levels,novelty}.csv, tables/{grounds,size,curves,novelty,mixtures,baselines,sensitivity,beside}.csv,
       tables/{baselines,sensitivity,beside}.html, figures/{parameters,nodes,cost,learning_curves,novelty,mixtures}.png
Steps  measure_levels: logarithms of errors, averaged over the groups of each ground, for every
                     training set, model and draw
       show_model_sizes: errors against the size of the model, and against the cost of dynamics with it
       measure_novelty: distance of test cells to the nearest training environments
       show_novelty: errors of single cells against their novelty and their shortest distance
       show_learning_curves: errors against core-hours and environments, if the study asks for
                     smaller training sets
       show_mixtures: what added cells change, and sets that were chosen in another way, if the
                     study has such sets
       tabulate_sensitivity: what another energy weight changes, if the study asks for some
       tabulate_beside: the claims of a released study beside those of this one, if it names one
"""


localrules:
    show_model_sizes,
    show_learning_curves,
    show_mixtures,
    tabulate_sensitivity,
    tabulate_beside,


# What training sets are compared with, but for the whole ones among themselves.
BASE = config.get("mixtures", {"base": None})["base"]
COMPARED_WITH = {
    **dict.fromkeys(COMPARED, BASE),
    **{name: of for name, (of, _) in WEIGHTED.items()},
    **CURVES,
}


rule measure_levels:
    """Average logarithms of errors over groups of test cells."""
    input:
        errors=[*DRAW_ERRORS, *SUBSET_ERRORS],
        cells="<results>/errors/cells.csv.xz",
        sizes="<results>/tables/training_sets.csv",
    output:
        levels="<results>/errors/levels.csv",
        grounds="<results>/tables/grounds.csv",
    log:
        "<logs>/measure_levels.log",
    benchmark:
        "<benchmarks>/measure_levels.tsv"
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=WHOLE,
        beside=COMPARED_WITH,
        models=lookup(within=config, dpath="models"),
    message:
        "Averaging errors over the groups of test cells"
    script:
        "../scripts/measure_levels.py"


rule show_model_sizes:
    """Tabulate and draw errors against the size of the model and the cost of dynamics."""
    input:
        levels="<results>/errors/levels.csv",
        scores="<results>/tables/scores.csv",
        speeds=SPEEDS,
        references=COMPARED_REFERENCES,
    output:
        table="<results>/tables/size.csv",
        parameters=report(
            "<results>/figures/parameters.png",
            caption="../report/parameters.rst",
            category="Transferability",
            labels={"result": "errors by number of parameters"},
        ),
        nodes=report(
            "<results>/figures/nodes.png",
            caption="../report/parameters.rst",
            category="Transferability",
            labels={"result": "errors by number of hidden nodes"},
        ),
        cost=report(
            "<results>/figures/cost.png",
            caption="../report/cost.rst",
            category="Transferability",
            labels={"result": "errors by cost of dynamics"},
        ),
    log:
        "<logs>/show_model_sizes.log",
    conda:
        ENVIRONMENT
    params:
        study=study_part("models", "cutoff"),
        families=FAMILIES,
        trains=WHOLE,
    message:
        "Comparing models of different sizes"
    script:
        "../scripts/show_model_sizes.py"


rule measure_novelty:
    """Measure how novel every test cell is to every training set."""
    input:
        trains=expand("<results>/datasets/{train}/train.xyz", train=WHOLE),
        tests=TEST_CELLS,
        whitening="<results>/structures/whitening.npz",
    output:
        table="<results>/errors/novelty.csv",
    log:
        "<logs>/measure_novelty.log",
    benchmark:
        "<benchmarks>/measure_novelty.tsv"
    conda:
        ENVIRONMENT
    params:
        study=study_part("seed", "cutoff", "optimiser"),
        trains=WHOLE,
        tests=TESTS,
    message:
        "Measuring the novelty of the test cells"
    script:
        "../scripts/measure_novelty.py"


rule show_novelty:
    """Tabulate and draw errors of test cells against their novelty and their shortest distance."""
    input:
        errors=DRAW_ERRORS,
        cells="<results>/errors/cells.csv.xz",
        novelty="<results>/errors/novelty.csv",
        scores="<results>/tables/scores.csv",
    output:
        table="<results>/tables/novelty.csv",
        figure=report(
            "<results>/figures/novelty.png",
            caption="../report/novelty.rst",
            category="Transferability",
            labels={"result": "errors by novelty"},
        ),
    log:
        "<logs>/show_novelty.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        models=lookup(within=config, dpath="models"),
    message:
        "Drawing errors against novelty"
    script:
        "../scripts/show_novelty.py"


rule show_learning_curves:
    """Tabulate and draw errors against the core-hours and the environments of training sets."""
    input:
        levels="<results>/errors/levels.csv",
        sizes="<results>/tables/training_sets.csv",
    output:
        table="<results>/tables/curves.csv",
        figure=report(
            "<results>/figures/learning_curves.png",
            caption="../report/learning_curves.rst",
            category="Transferability",
            labels={"result": "learning curves"},
        ),
    log:
        "<logs>/show_learning_curves.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        curves=CURVES,
        models=lookup(within=config, dpath="models"),
    message:
        "Drawing learning curves"
    script:
        "../scripts/show_learning_curves.py"


rule show_mixtures:
    """Tabulate and draw what cells that are added to a training set, or replace some of it, change."""
    input:
        levels="<results>/errors/levels.csv",
        sizes="<results>/tables/training_sets.csv",
    output:
        table="<results>/tables/mixtures.csv",
        baselines="<results>/tables/baselines.csv",
        page=report(
            "<results>/tables/baselines.html",
            caption="../report/baselines.rst",
            category="Mixtures",
            labels={"result": "training sets chosen in another way"},
        ),
        figure=report(
            "<results>/figures/mixtures.png",
            caption="../report/mixtures.rst",
            category="Mixtures",
            labels={"result": "what added cells bring"},
        ),
    log:
        "<logs>/show_mixtures.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=COMPARED,
        base=BASE,
    message:
        "Comparing mixtures of training sets"
    script:
        "../scripts/show_mixtures.py"


rule tabulate_sensitivity:
    """Tabulate what another energy weight changes in the comparison of training sets."""
    input:
        levels="<results>/errors/levels.csv",
    output:
        table="<results>/tables/sensitivity.csv",
        page=report(
            "<results>/tables/sensitivity.html",
            caption="../report/sensitivity.rst",
            category="Transferability",
            labels={"result": "other energy weights"},
        ),
    log:
        "<logs>/tabulate_sensitivity.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=WHOLE,
        weighted=WEIGHTED,
    message:
        "Comparing energy weights"
    script:
        "../scripts/tabulate_sensitivity.py"


rule tabulate_beside:
    """Put the claims of this study beside those of a released one, with what they differ in."""
    input:
        claims="<results>/tables/claims.csv",
        sizes="<results>/tables/training_sets.csv",
        curves="<results>/tables/curves.csv" if SIZES else [],
        released=BESIDE,
    output:
        table="<results>/tables/beside.csv",
        sizes="<results>/tables/equal_sizes.csv",
        page=report(
            "<results>/tables/beside.html",
            caption="../report/beside.rst",
            category="Claims",
            labels={"result": "claims beside those of a released study"},
        ),
    log:
        "<logs>/tabulate_beside.log",
    conda:
        ENVIRONMENT
    params:
        study=lookup(within=config, dpath="study"),
        labeller=config["labellers"][config["labeller"]]["kind"] if LABELLED else "published",
        trains=WHOLE,
        families=FAMILIES,
        curves=CURVES,
    message:
        "Putting claims beside those of a released study"
    script:
        "../scripts/tabulate_beside.py"


rule curves:
    input:
        "<results>/figures/parameters.png",
        "<results>/figures/novelty.png",
        "<results>/figures/learning_curves.png" if SIZES else [],
        "<results>/figures/mixtures.png" if len(COMPARED) > len(WHOLE) else [],
        "<results>/tables/sensitivity.html" if WEIGHTED and len(WHOLE) > 1 else [],
        "<results>/tables/beside.html" if BESIDE and len(WHOLE) > 1 else [],
