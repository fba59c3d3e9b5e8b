"""The API's own page works in a browser that has no internet."""

import httpx
from playwright.sync_api import expect

from ..support.browser import chromium


def test_the_page_asks_nobody_but_the_server(api: httpx.Client) -> None:
    asked, complaints = [], []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(httpx.URL(request.url).host))
        page.on("console", lambda message: complaints.append(message.text))

        page.goto(str(api.base_url.join("/schema")))

        expect(page.get_by_role("heading", name="Panel Session Monitor")).to_be_visible()
        expect(page.get_by_text("/sessions/{session_id}/kill")).to_be_visible()
    assert set(asked) - {"", None} == {api.base_url.host}
    assert complaints == []
