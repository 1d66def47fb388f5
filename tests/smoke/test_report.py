"""The HTML report in a real browser: the tables and figures are really shown."""

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--window-size=1400,1000",
)
SHOWN = {
    ("Transferability", "heat map"): "img",
    ("Transferability", "table with intervals"): "Label noise of zhou: not measured.",
    ("Transferability", "training sets compared"): "img",
    ("Transferability", "training sets compared: table"): "RMSE of forces, over that of",
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
    ("Models", "choice of loss weights"): "img",
    ("Models", "loss weights tried"): "RMSE of forces (meV/Å)",
    ("Uncertainty", "predicted against actual errors"): "img",
    ("Uncertainty", "calibration table"): "on other sets",
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def open_result(browser, study, category, result):
    """Click through the report to one result."""
    browser.get(f"file://{study}/results/smoke/report.html")
    wait = WebDriverWait(browser, 20)
    wait.until(lambda b: b.find_element(By.LINK_TEXT, category)).click()
    row = f"//*[contains(text(), '{result}')]/following::a[@iconname='eye'][1]"
    wait.until(lambda b: b.find_element(By.XPATH, row)).click()
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


def test_front_page_tells_of_the_study(browser, study):
    browser.get(f"file://{study}/results/smoke/report.html")
    text = WebDriverWait(browser, 20).until(lambda b: b.find_element(By.TAG_NAME, "body").text)
    assert "Study smoke" in text
    assert "System Message" not in text
