"""What people see in the Prefect UI, in a real browser. `make screenshots` keeps the pictures for the README."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from flows.server import PrefectServer
from pfflow.settings import Settings
from tests.flows.cockpit import ending, eventually, expressway_in

pytestmark = [pytest.mark.prefect, pytest.mark.browser, pytest.mark.xdist_group("prefect")]

LIFECYCLE = "flows/lifecycle.py:lifecycle"
MONDAY = "2026-01-05T18:00:00+08:00"


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
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--window-size=1400,1000",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture(scope="module")
def home(server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give a home in which January was lived in sight of the server."""
    settings = expressway_in(tmp_path_factory.mktemp("seen") / "home")
    assert ending(server, settings.home, LIFECYCLE, from_on="2026-01-05", until_on="2026-02-05")["type"] == "COMPLETED"
    return settings


def shown(browser: WebDriver, url: str, *texts: str) -> str:
    """Open a page and give its text once it shows what it should."""
    browser.get(url)

    def found() -> str | None:
        body = browser.find_element(By.TAG_NAME, "body").text
        return body if all(text in body for text in texts) else None

    return eventually(found, 30, f"{url} shows {texts}")


def keep(browser: WebDriver, name: str) -> None:
    """Keep a picture where the environment asks for it."""
    folder = os.environ.get("PFFLOW_SCREENSHOTS")  # noqa: TID251 - where the maker of screenshots wants them
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        assert browser.save_screenshot(str(Path(folder) / name))


def latest(server: PrefectServer, key: str) -> str:
    wanted = {"artifacts": {"key": {"any_": [key]}}}
    (found,) = httpx.post(f"{server.api}/artifacts/latest/filter", json=wanted).raise_for_status().json()
    return str(found["latest_id"])


def asked_hosts(browser: WebDriver) -> set[str]:
    """Give the hosts the pages opened since the last call asked for anything."""
    said = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))  # type: ignore[no-untyped-call]  # selenium's
    urls = (e["params"]["request"]["url"] for e in said if e["method"] == "Network.requestWillBeSent")
    return {urlsplit(url).hostname or "" for url in urls if urlsplit(url).scheme.startswith("http")}


@pytest.mark.usefixtures("home")
def test_the_ui_asks_nobody_but_this_machine(browser: WebDriver, server: PrefectServer) -> None:
    for page in ("", "dashboard", "runs", "deployments"):
        shown(browser, f"{server.url}/{page}", "Deployments")
    assert asked_hosts(browser) == {"127.0.0.1"}


@pytest.mark.usefixtures("home")
def test_the_runs_say_project_and_dates(browser: WebDriver, server: PrefectServer) -> None:
    shown(browser, f"{server.url}/runs", "lifecycle · EXP-01 · 2026-01-05 – 2026-02-05", "Completed")
    keep(browser, "prefect-runs.png")


@pytest.mark.usefixtures("home")
def test_a_projects_page_says_what_is_owed_by_whom_and_what_is_wrong(browser: WebDriver, server: PrefectServer) -> None:
    browser.set_window_size(1400, 1700)
    page = shown(browser, f"{server.url}/artifacts/artifact/{latest(server, 'project-exp-01')}", "EXP-01", "DSCR")
    for text in ("欠办事项", "Owed", "预警", "Warnings", "部门考核", "1.12"):
        assert text in page
    keep(browser, "prefect-project.png")


@pytest.mark.usefixtures("home")
def test_a_stages_table_says_which_rule_put_a_party_where(browser: WebDriver, server: PrefectServer) -> None:
    page = shown(
        browser, f"{server.url}/artifacts/artifact/{latest(server, 'identification')}", "institutional-investor"
    )
    assert "capital_size" in page


def test_a_letter_reads_well(browser: WebDriver, home: Settings, tmp_path: Path) -> None:
    """The fund-use report of 15 January as a Chinese reader sees it."""
    (path, *_) = sorted(home.mailbox_folder.glob("*fund-use-report-2026-01-15-send*.eml"))
    html = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("html",))
    assert html is not None
    page = tmp_path / "letter.html"
    page.write_text(str(html.get_content()), encoding="utf-8")
    browser.set_window_size(900, 1300)
    text = shown(browser, page.as_uri(), "资金使用")
    assert "EXP-01/fund-use-report/2026-01-15" in text
    keep(browser, "letter.png")
