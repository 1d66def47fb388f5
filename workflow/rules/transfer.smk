"""Transfer: every model on every held-out set, and where the errors come from.

Needs  predictions/{train}/{model}/{seed}/{test}.npz, datasets/{test}/test.xyz, tables/noise.csv,
       errors/draws/, errors/cells.csv.xz, tables/training_sets.csv; tables/dynamics.csv where it is known;
       references/scores.csv, tables/reference_models.csv where the study names reference models
Makes  errors/draws/{train}/exported.csv.xz (models that take no part in draws, a row a test cell),
       tables/scores.csv (one tidy row a number),
       tables/{transferability,claims,ratios,cell_sizes,groups}.{csv,html}, tables/theta.csv,
       figures/{transferability,ratios,groups}.png
Steps  score: errors of the models of a training set on every test set with bootstrap intervals, all
              seeds together
       collect_scores, tabulate_scores: the long and the wide table
       plot_transferability: heat map of the wide table
       measure_effects: which training set is better on each ground, by how much, how sure; the claims; errors
                        on larger cells over those on small ones
       show_effects: pages and figure of these
       show_groups: errors of each group of the curated and published sets
"""


localrules:
    collect_scores,
    tabulate_scores,
    plot_transferability,
    show_effects,
    show_groups,


if SMALL:

    localrules:
        score,


rule score:
    """Compute the errors of the models of one training set on every test set, over all seeds."""
    input:
        predictions=predictions_of(MODELS),
        exports=exports_of(MODELS),
        training="<results>/datasets/{train}/train.xyz",
        cells=TEST_CELLS,
        draws=TEST_TABLES,
    output:
        scores="<results>/scores/{train}.csv",
        errors="<results>/errors/draws/{train}/exported.csv.xz",
    log:
        "<logs>/score/{train}.log",
    benchmark:
        "<benchmarks>/score/{train}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=lookup(within=config, dpath="study"),
        tests=TESTS,
        models={model: len(seeds(model)) for model in MODELS},
        names=on_tests(MODELS),
        exported=exported(MODELS),
        drawn=DRAWN,
    message:
        "Scoring the models trained on {wildcards.train}"
    script:
        "../scripts/score.py"


rule collect_scores:
    """Join the scores of all models and test sets."""
    input:
        scores=expand("<results>/scores/{scores}.csv", scores=[*WHOLE, *ACE_SCORES]),
    output:
        scores="<results>/tables/scores.csv",
    log:
        "<logs>/collect_scores.log",
    conda:
        ENVIRONMENT
    message:
        "Collecting scores"
    script:
        "../scripts/collect_scores.py"


rule tabulate_scores:
    """Arrange the scores as the transferability table."""
    input:
        scores="<results>/tables/scores.csv",
        noise="<results>/tables/noise.csv",
        references=SCORED_REFERENCES,
        ace=ACE_TABLE,
    output:
        table="<results>/tables/transferability.csv",
        page=report(
            "<results>/tables/transferability.html",
            caption="../report/transferability_table.rst",
            category="Transferability",
            labels={"result": "table with intervals"},
        ),
    log:
        "<logs>/tabulate_scores.log",
    conda:
        ENVIRONMENT
    message:
        "Tabulating transferability"
    script:
        "../scripts/tabulate_scores.py"


rule plot_transferability:
    """Draw the transferability table as a heat map."""
    input:
        table="<results>/tables/transferability.csv",
        noise="<results>/tables/noise.csv",
    output:
        figure=report(
            "<results>/figures/transferability.png",
            caption="../report/transferability.rst",
            category="Transferability",
            labels={"result": "heat map"},
        ),
    log:
        "<logs>/plot_transferability.log",
    conda:
        ENVIRONMENT
    params:
        trains=WHOLE,
    message:
        "Drawing the transferability heat map"
    script:
        "../scripts/plot_transferability.py"


rule measure_effects:
    """Compare training sets over all draws: effects with intervals, and the claims they decide."""
    input:
        errors=DRAW_ERRORS,
        cells="<results>/errors/cells.csv.xz",
        sizes="<results>/tables/training_sets.csv",
        dynamics="<results>/tables/dynamics.csv" if DYNAMICS else [],
        references="<results>/tables/reference_models.csv" if UNIVERSAL else [],
    output:
        effects="<results>/tables/theta.csv",
        claims="<results>/tables/claims.csv",
        ratios="<results>/tables/ratios.csv",
        cell_sizes="<results>/tables/cell_sizes.csv",
    log:
        "<logs>/measure_effects.log",
    benchmark:
        "<benchmarks>/measure_effects.tsv"
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=WHOLE,
        models=lookup(within=config, dpath="models"),
        universal=UNIVERSAL,
    message:
        "Comparing training sets"
    script:
        "../scripts/measure_effects.py"


rule show_effects:
    """Show the claims, and the effects and ratios they rest on, as pages and as a figure."""
    input:
        effects="<results>/tables/theta.csv",
        claims="<results>/tables/claims.csv",
        ratios="<results>/tables/ratios.csv",
        cell_sizes="<results>/tables/cell_sizes.csv",
        references=COMPARED_REFERENCES,
    output:
        claims=report(
            "<results>/tables/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"result": "claims"},
        ),
        ratios=report(
            "<results>/tables/ratios.html",
            caption="../report/ratios_table.rst",
            category="Claims",
            labels={"result": "training sets compared: table"},
        ),
        cell_sizes=report(
            "<results>/tables/cell_sizes.html",
            caption="../report/cell_sizes.rst",
            category="Transferability",
            labels={"result": "larger cells"},
        ),
        figure=report(
            "<results>/figures/ratios.png",
            caption="../report/ratios.rst",
            category="Claims",
            labels={"result": "training sets compared"},
        ),
    log:
        "<logs>/show_effects.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
    message:
        "Showing the claims"
    script:
        "../scripts/show_effects.py"


rule show_groups:
    """Tabulate and draw the errors of each group of the curated and published sets."""
    input:
        scores="<results>/tables/scores.csv",
    output:
        table="<results>/tables/groups.csv",
        page=report(
            "<results>/tables/groups.html",
            caption="../report/groups_table.rst",
            category="Transferability",
            labels={"result": "table of groups"},
        ),
        figure=report(
            "<results>/figures/groups.png",
            caption="../report/groups.rst",
            category="Transferability",
            labels={"result": "errors of groups"},
        ),
    log:
        "<logs>/show_groups.log",
    conda:
        ENVIRONMENT
    params:
        families=FAMILIES,
        trains=WHOLE,
        tests=names("datasets", "family", "expert", "literature"),
    message:
        "Comparing the errors of groups"
    script:
        "../scripts/show_groups.py"


rule transfer:
    input:
        "<results>/tables/transferability.html",
