"""The HTML report in a real browser: the tables and figures are really shown."""

import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SHOWN = {
    ("Claims", "claims"): "have the lowest error on cells like",
    ("Claims", "training sets compared"): "img",
    ("Claims", "training sets compared: table"): "RMSE of forces over that with the reference set",
    ("Transferability", "heat map"): "img",
    ("Transferability", "table with intervals"): "Label noise of zhou: not measured.",
    ("Transferability", "table of groups"): "RMSE of forces on expert (meV/Å)",
    ("Transferability", "errors of groups"): "img",
    ("Transferability", "learning curves"): "img",
    ("Transferability", "errors by number of parameters"): "img",
    ("Transferability", "errors by novelty"): "img",
    ("Mixtures", "what added cells bring"): "img",
    ("Mixtures", "training sets chosen in another way"): "over those of expert alone",
    ("Data sets", "map of environments"): "img",
    ("Data sets", "coverage of each other"): "img",
    ("Data sets", "diversity at equal environments"): "img",
    ("Data sets", "energies"): "img",
    ("Data sets", "gallery of groups"): "img",
    ("Data sets", "summary table"): "force rms (eV/Å)",
    ("Data sets", "diversity table"): "nearest-neighbour",
    ("Labels", "forces and effort"): "img",
    ("Models", "loss curves"): "img",
    ("Models", "regularisation paths"): "img",
    ("Models", "polynomial fits and FitSNAP"): "FitSNAP − streaming (eV/atom)",
    ("Models", "choice of loss weights"): "img",
    ("Models", "loss weights tried"): "RMSE of forces (meV/Å)",
    ("Uncertainty", "predicted against actual errors"): "img",
    ("Uncertainty", "calibration table"): "on other sets",
}


def open_result(browser, study, category, result):
    """Click through the report to one result."""
    browser.get(f"file://{study}/results/smoke/report.html")
    wait = WebDriverWait(browser, 20)
    wait.until(lambda b: b.find_element(By.LINK_TEXT, category)).click()
    row = f"//*[contains(text(), '{result}')]/following::a[@iconname='eye'][1]"
    eye = wait.until(lambda b: b.find_element(By.XPATH, row))
    browser.execute_script("arguments[0].click()", eye)  # its place may still move
    return wait


@pytest.mark.parametrize(("category", "result"), SHOWN)
def test_result_is_shown(browser, study, category, result):
    wait = open_result(browser, study, category, result)
    if SHOWN[category, result] == "img":
        width = "return Math.max(0, ...[...document.images].map(i => i.naturalWidth))"
        assert wait.until(lambda b: b.execute_script(width)) > 400
    else:
        wait.until(lambda b: b.find_elements(By.TAG_NAME, "iframe"))
        browser.switch_to.frame(0)
        body = wait.until(lambda b: b.find_element(By.TAG_NAME, "body").text)
        assert SHOWN[category, result] in body


def test_front_page_gives_the_answer_above_the_graph_of_rules(browser, study):
    browser.get(f"file://{study}/results/smoke/report.html")
    wait = WebDriverWait(browser, 20)
    graph = wait.until(
        lambda b: b.find_element(By.CSS_SELECTOR, "#rulegraph canvas, #rulegraph svg")
    )
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "Study smoke" in text
    assert "System Message" not in text
    answer = browser.find_element(By.CSS_SELECTOR, "table.claims")
    for claim in pd.read_csv(f"{study}/results/smoke/tables/claims.csv")["reading"]:
        assert claim in answer.text
    assert answer.rect["y"] + answer.rect["height"] <= graph.rect["y"]
    assert browser.find_element(By.ID, "rulegraph").rect["height"] < 400
