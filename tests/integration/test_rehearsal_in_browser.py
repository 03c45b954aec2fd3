"""The page of a rehearsal in a real browser: no network, nothing wider than the screen, and fit for paper."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from pfflow.rehearsal.figures import Rehearsed
from pfflow.rehearsal.living import Span
from pfflow.rehearsal.pages import page_html
from pfflow.rehearsal.running import Stage, rehearse
from pfflow.rehearsal.tables import figures_of
from tests.unit.rehearsing import example

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("rehearsal-page")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        why = "chromium and chromedriver are not installed"
        if "browser" in os.environ.get("PFFLOW_REQUIRE", ""):  # noqa: TID251 - says which tests may not be skipped
            pytest.fail(why)
        pytest.skip(why)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    profile = tmp_path_factory.mktemp("browser")
    flags = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1200,1000",
        f"--user-data-dir={profile}",
    )
    for flag in flags:
        options.add_argument(flag)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture(scope="module")
def found() -> Rehearsed:
    facts, playbook = example("expressway")
    return rehearse(Stage(facts, playbook, Span(date(2026, 1, 1), date(2026, 4, 30))))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_page_shows_its_figures_without_network_and_prints_whole(
    language: str, browser: WebDriver, found: Rehearsed, tmp_path: Path
) -> None:
    file = tmp_path / "rehearsal.html"
    file.write_text(page_html(found, language), encoding="utf-8")
    browser.get(file.as_uri())
    page = browser.find_element(By.TAG_NAME, "main").text
    for figure in figures_of(found):
        assert figure.label.in_language(language) in page
    loads = (*found.people, *found.teams)
    fields = sum(count > 0 and week <= found.last for load in loads for week, count in load.dates.items())
    assert fields > 300
    assert len(browser.find_elements(By.CSS_SELECTOR, "rect:not(.ground)")) == fields
    asked = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))  # type: ignore[no-untyped-call]  # selenium's
    urls = [e["params"]["request"]["url"] for e in asked if e["method"] == "Network.requestWillBeSent"]
    assert not [url for url in urls if urlsplit(url).scheme not in ("file", "data", "chrome")]  # its own first page
    wide = browser.execute_script("return document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pdf = base64.b64decode(printed["data"])
    pages = len(re.findall(rb"/Type\s*/Page[^s]", pdf))
    assert 2 <= pages <= 14
    (width, height), *_ = re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([0-9.]+)\s+([0-9.]+)", pdf)
    assert float(width) > float(height)  # A4 across, as the page asks


def test_the_reader_chooses_the_year_and_paper_has_every_year_by_month(browser: WebDriver, tmp_path: Path) -> None:
    facts, playbook = example("expressway")
    lived = rehearse(Stage(facts, playbook, Span(date(2026, 10, 1), date(2028, 2, 29))))
    file = tmp_path / "years.html"
    file.write_text(page_html(lived, "en"), encoding="utf-8")
    browser.get(file.as_uri())

    def shown() -> list[str]:
        return [one.text for one in browser.find_elements(By.CSS_SELECTOR, ".years h2") if one.is_displayed()]

    assert shown() == ["Dates by person and week in 2027", "Dates by team and week in 2027"]  # the busiest
    browser.find_element(By.CSS_SELECTOR, "label[for=year-2028]").click()
    assert shown() == ["Dates by person and week in 2028", "Dates by team and week in 2028"]
    months = browser.find_element(By.CSS_SELECTOR, "svg[aria-label='Dates that fall due, by year and month']")
    numbers = [int(one.text) for one in months.find_elements(By.CSS_SELECTOR, "text.in")]
    assert len(numbers) == 17
    assert sum(numbers) == len(lived.dates)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert shown() == ["Dates by person and week in 2028", "Dates by team and week in 2028"]
    assert not any(one.is_displayed() for one in browser.find_elements(By.CSS_SELECTOR, ".years > label"))
    assert months.is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
