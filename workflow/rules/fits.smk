"""Fits: models of a study that takes several sittings, released one by one and taken up again.

Needs  models/, errors/{draws,subsets}/, calibration/, datasets/{dataset}/draws.csv of a study that is
       split by block; what is released of it in fits/
Makes  fits/{model}.json, the record of a model: its settings, the cells it is of, the SHA-256 of its
       files; on request results/release/<study>/fits/
Steps  record_fit: write the record of a model, once it is trained and tested on every set
       take_fits: copy released models whose settings are those of the study, if they are of its cells
       release_fits: copy the models that have a record and are as it says (on request)
"""

from diverse.study.fits import fit_settings, known_fits


localrules:
    record_fit,
    release_fits,


RELEASED_FITS = f"{RELEASED}/{config['study']}/fits"
FIT_SETTINGS = {model: fit_settings(config, model) for model in (MODELS if BLOCKED else [])}
TAKEN = known_fits(RELEASED_FITS, FIT_SETTINGS) if RELEASED else {}  # files by model


rule record_fit:
    """Record the settings of a model, the cells it is of, and the SHA-256 of its files."""
    input:
        files=files_of_fit,
        draws=TEST_TABLES,
    output:
        record="<results>/fits/{model}.json",
    log:
        "<logs>/record_fit/{model}.log",
    wildcard_constraints:
        model=either(FIT_SETTINGS),
    conda:
        ENVIRONMENT
    params:
        settings=lookup(within=FIT_SETTINGS, dpath="{model}"),
        tests=TESTS,
        results=RESULTS,
    message:
        "Recording the fits of {wildcards.model}"
    script:
        "../scripts/record_fit.py"


if TAKEN:

    localrules:
        take_fits,

    ruleorder: take_fits > fit_sums > fit_sums_of_pod > train_network
    ruleorder: take_fits > draw_sums > fit_subsets > calibrate

    rule take_fits:
        """Take released models as they are, if they are of the study's cells."""
        input:
            records=[f"{RELEASED_FITS}/{model}.json" for model in TAKEN],
            files=[f"{RELEASED_FITS}/{name}" for names in TAKEN.values() for name in names],
            draws=TEST_TABLES,
        output:
            files=[f"<results>/{name}" for names in TAKEN.values() for name in names],
        log:
            "<logs>/take_fits.log",
        conda:
            ENVIRONMENT
        params:
            tests=TESTS,
        message:
            "Taking released fits"
        script:
            "../scripts/take_fits.py"


rule release_fits:
    """Add models that are finished to the released ones, whether the study is or not."""
    log:
        "<logs>/release_fits.log",
    conda:
        ENVIRONMENT
    params:
        results=RESULTS,
        target=f"results/release/{config['study']}/fits",
    message:
        "Releasing fits"
    script:
        "../scripts/release_fits.py"


rule fits:
    input:
        [f"<results>/fits/{model}.json" for model in FIT_SETTINGS],
