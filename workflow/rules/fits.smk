"""Fits: models of a study that takes several sittings, released one by one and taken up again.

Needs  models/, errors/{draws,subsets}/, calibration/, datasets/{dataset}/draws.csv of a study that is
       split by block; what is released of it in fits/
Makes  fits/{model}{,-subsets}.json, records of the fits of a model to all sets, and to subsets: its
       settings, the cells they are of, the SHA-256 of their files; on request results/release/<study>/fits/
Steps  record_fit: write a record, once the model is trained and tested on every set, or on every subset
       take_fits: copy released models whose settings are those of the study, if they are of its cells
       release_fits: copy the models that have a record and are as it says (on request)
"""

from diverse.study.fits import fit_settings, known_fits


localrules:
    record_fit,
    take_fits,
    release_fits,


RELEASED_FITS = f"{RELEASED}/{config['study']}/fits"
FIT_SETTINGS = fit_settings(config, MODELS if BLOCKED else [])
TAKEN = known_fits(RELEASED_FITS, FIT_SETTINGS, TESTS) if RELEASED else {}  # files by name


rule record_fit:
    """Record the settings of fits, the cells they are of, and the SHA-256 of their files."""
    input:
        files=files_of_fit,
        draws=TEST_TABLES,
    output:
        record="<results>/fits/{fit}.json",
    log:
        "<logs>/record_fit/{fit}.log",
    wildcard_constraints:
        fit=either(FIT_SETTINGS),
    conda:
        ENVIRONMENT
    params:
        settings=lookup(within=FIT_SETTINGS, dpath="{fit}"),
        tests=TESTS,
    message:
        "Recording the fits {wildcards.fit}"
    script:
        "../scripts/record_fit.py"


ruleorder: take_fits > fit_sums > fit_sums_of_pod > train_network
ruleorder: take_fits > draw_sums > fit_subsets > calibrate


rule take_fits:
    """Take released models as they are, if they are of the study's cells."""
    input:
        records=[f"{RELEASED_FITS}/{fit}.json" for fit in TAKEN],
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
        [f"<results>/fits/{fit}.json" for fit in FIT_SETTINGS],
