"""The page that is read first, in a browser: tables sort, figures are seen, nothing is loaded."""

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

READY = "return document.querySelectorAll('table.sortable:not(.dataTable)').length == 0"
NUMBERS = """
const column = [...arguments[0].tBodies[0].rows].map(row => row.cells[arguments[1]]);
return column.map(cell => cell.dataset.order ?? null);
"""
TEXTS = "return [...arguments[0].tBodies[0].rows].map(row => row.cells[arguments[1]].textContent)"
CLICK = "arguments[0].tHead.rows[0].cells[arguments[1]].click()"


@pytest.fixture
def page(browser, study):
    """Open the page, and wait until its tables sort."""
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # of earlier pages
    browser.get(f"file://{study}/results/smoke/index.html")
    WebDriverWait(browser, 20).until(lambda b: b.execute_script(READY))
    return browser


def test_every_table_sorts_by_every_column(page):
    tables = page.find_elements(By.CSS_SELECTOR, "table")
    assert len(tables) >= 4
    for table in tables:
        sorted_columns = 0
        for number in range(len(table.find_elements(By.CSS_SELECTOR, "thead th"))):
            found = []
            for _ in ("upwards", "downwards"):
                page.execute_script(CLICK, table, number)
                numbers = page.execute_script(NUMBERS, table, number)
                texts = page.execute_script(TEXTS, table, number)
                known = [float(value) for value in numbers if value]
                found.append(texts if None in numbers else known)
            upwards, downwards = found
            if upwards and isinstance(upwards[0], float):
                assert upwards == sorted(upwards)
                assert downwards == sorted(downwards, reverse=True)
            sorted_columns += upwards != downwards
        assert sorted_columns, table.text


def test_every_figure_is_seen_and_has_words(page):
    images = page.find_elements(By.TAG_NAME, "img")
    assert images
    for image in images:
        assert page.execute_script("return arguments[0].naturalWidth", image) > 400
        assert image.is_displayed()
        assert image.get_attribute("alt")


def test_nothing_is_written_to_the_console_and_nothing_is_loaded(page, study):
    assert page.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    loaded = {
        event["params"]["request"]["url"].split(":")[0]: event["params"]["request"]["url"][:80]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert set(loaded) <= {"file", "data"}, loaded
    assert loaded["file"].endswith("/index.html")


def test_every_link_leads_somewhere(page, study):
    for link in page.find_elements(By.TAG_NAME, "a"):
        target = link.get_attribute("href").split("#")[0].removeprefix("file://")
        assert (study / target).exists(), target


@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_is_as_wide_as_its_window(page, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
