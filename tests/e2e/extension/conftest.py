"""The service, the site and the browsers, which the tests of this folder share: to start them takes longest."""

import http.server
import threading

import pytest
from browsers import EDITOR, Chromium, Firefox, Room, Site, fetched


@pytest.fixture(scope="package")
def site():
    """`site(path, html)`: the address of a page, of any host whose name ends in .test."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def page(path, html, host="notes.test"):
        """The page's address."""
        Site.pages[path] = html
        return f"http://{host}:{server.server_port}{path}"

    page.asked = Site.asked
    yield page
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="package")
def service(knowing_service, tmp_path_factory):
    """The service of them all, which makes corrections by itself."""
    with knowing_service(tmp_path_factory.mktemp("service") / "profile", corrections="apply") as service:
        service.ask("/v1/words/add", kind="always_correct", text="hte", replacement="the")
        yield service


@pytest.fixture(scope="package")
def room(tmp_path_factory, service):
    return Room(tmp_path_factory.mktemp("room"), service)


def begun(browser):
    """It suggests on the tests' site."""
    browser.switch(browser.url("/", ""), "suggest")
    return browser


@pytest.fixture(scope="package")
def chromium(room, site, new_tab):
    more = ("--enable-unsafe-extension-debugging", "--host-resolver-rules=MAP *.test 127.0.0.1")
    with new_tab(room.folder / "config" / "chromium", more, room.environment) as tab:
        yield begun(Chromium(tab, room, site))


@pytest.fixture(scope="package")
def firefox(room, site, new_firefox):
    with new_firefox(room.folder / "config" / "firefox", room.environment) as tab:
        yield begun(Firefox(tab, room, site))


@pytest.fixture(params=["chromium", "firefox"])
def browser(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def learning(browser):
    """The address of the tests' site, on which what is written is learned until the test ends."""
    url = browser.url("/", "")
    browser.switch(url, "learn")
    yield url
    browser.switch(url, "suggest")


@pytest.fixture(scope="session")
def editors(needs_program):
    return fetched(needs_program)


@pytest.fixture
def editor(browser, editors):
    """`editor(name)`: have the page be that editor, with the cursor in it."""

    def open_editor(name):
        src = browser.url(f"/{name}.js", (editors / "bundled" / f"{name}.js").read_text())
        browser.open(EDITOR.format(src=src), path=f"/{name}")
        browser.tab.until("!!globalThis.field")
        browser.tab.js("globalThis.field.focus()")

    return open_editor
