"""Bad input of every kind: the 4xx of the contract, never a 5xx, and nothing is lost."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

JSON = {"content-type": "application/json"}
NAMES = ["app_name", "user_id"]

BAD_NAMES: list[Any] = ["", "   ", "x" * 201, "a\0b", "a\nb", "\x7f", 5, None, [], {}, True]
BAD_BODIES = {
    "nothing": b"",
    "no JSON": b"app_name=sales",
    "half": b'{"app_name": "sal',
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "invalid UTF-8": b'{"app_name": "\xff\xfe"}',
    "a truncated surrogate": b'{"app_name": "\\ud800"}',
    "surrogates the wrong way": b'{"app_name": "\\udc00\\ud800"}',
    "not a number": b'{"app_name": "sales", "age": NaN}',
    "infinity": b'{"app_name": "sales", "age": 1e999}',
    "a negative age": b'{"app_name": "sales", "age": -1}',
    "nested a thousand deep": b'{"app_name": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "nested a hundred thousand deep": b"[" * 60_000,
    "an id that is none": b'{"app_name": "sales", "session_id": "1"}',
    "a pid beyond all": b'{"app_name": "a", "process": {"process_id": "%s", "pid": 1e30}}',
    "a byte order mark alone": b"\xef\xbb\xbf",
}


@pytest.fixture
def session(api: httpx.Client) -> str:
    answer = api.post("/sessions", json={"app_name": "bad-input"})
    return str(answer.json()["session_id"])


def refused(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in (statuses or (400,)), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    return body


@pytest.mark.parametrize("value", BAD_NAMES, ids=repr)
@pytest.mark.parametrize("field", NAMES)
def test_a_bad_name_is_refused_by_the_name_of_its_field(
    api: httpx.Client, field: str, value: object
) -> None:
    if (field, value) == ("user_id", None):
        return  # no user is no error

    body = refused(api.post("/sessions", json={"app_name": "sales"} | {field: value}))

    assert [error["field"] for error in body["errors"]] == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "stale"}, "status"),
        ({"status": "running", "task": "x" * 201}, "task"),
        ({"status": "running", "task": "\0"}, "task"),
        ({"status": "running", "progress": 1.1}, "progress"),
        ({"status": "running", "progress": -0.1}, "progress"),
        ({"status": "running", "progress": "half"}, "progress"),
        ({"status": "running", "age": -1}, "age"),
        ({"status": "running", "age": 1e300}, "age"),
        ({}, "status"),
    ],
    ids=str,
)
def test_a_bad_status_is_refused_and_the_old_one_stays(
    api: httpx.Client, session: str, change: dict[str, Any], field: str
) -> None:
    api.put(f"/sessions/{session}/status", json={"status": "running", "task": "Load"})

    body = refused(api.put(f"/sessions/{session}/status", json=change))

    assert field in json.dumps(body)
    assert api.get(f"/sessions/{session}").json()["task"] == "Load"


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
@pytest.mark.parametrize("path", ["POST /sessions", "PUT /sessions/{}/status", "POST /heartbeats"])
def test_a_body_that_is_none_is_refused(
    api: httpx.Client, session: str, path: str, body: bytes
) -> None:
    method, _, target = path.format(session).partition(" ")

    refused(api.request(method, target, content=body, headers=JSON))

    assert api.get(f"/sessions/{session}").json()["status"] == "idle"


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_kill_with_a_bad_body_kills_nobody(api: httpx.Client, session: str, body: bytes) -> None:
    harmless = body in (b"", b"null") or body.startswith(b'{"app_name": ')  # an unknown field

    answer = api.post(f"/sessions/{session}/kill", content=body, headers=JSON)

    if not (answer.status_code == 202 and harmless):
        refused(answer)
        assert not api.get(f"/sessions/{session}").json()["kill_requested"]


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "a\0b", 5])
def test_a_bad_reason_is_refused(api: httpx.Client, session: str, reason: object) -> None:
    answers = [
        api.post(f"/sessions/{session}/kill", json={"reason": reason}),
        api.post("/apps/bad-input/kill-all", json={"reason": reason}),
    ]

    for answer in answers:
        refused(answer)
    assert not api.get(f"/sessions/{session}").json()["kill_requested"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
@pytest.mark.parametrize("path", ["/sessions/{}/kill", "/apps/bad-input/kill-all", "/sessions"])
def test_a_body_that_does_not_call_itself_json_is_refused(
    api: httpx.Client, session: str, path: str, kind: str
) -> None:
    body = b'{"app_name": "sales"}'

    answer = api.post(path.format(session), content=body, headers={"content-type": kind})

    refused(answer, 415)
    assert not api.get(f"/sessions/{session}").json()["kill_requested"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_sends_no_kill(
    api: httpx.Client, session: str, origin: str
) -> None:
    refused(api.post(f"/sessions/{session}/kill", headers={"origin": origin}), 403)

    assert not api.get(f"/sessions/{session}").json()["kill_requested"]


def test_the_apis_own_page_may_send_a_kill(api: httpx.Client, session: str) -> None:
    own = str(api.base_url).rstrip("/")

    assert api.post(f"/sessions/{session}/kill", headers={"origin": own}).status_code == 202


def test_an_empty_form_of_another_site_sends_no_kill(api: httpx.Client, session: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}

    refused(api.post(f"/sessions/{session}/kill", headers=form), 415)
    refused(api.post(f"/sessions/{session}/kill", headers={"sec-fetch-site": "cross-site"}), 403)

    assert not api.get(f"/sessions/{session}").json()["kill_requested"]


def test_a_content_type_with_a_charset_is_json(api: httpx.Client) -> None:
    kind = {"content-type": "application/json; charset=utf-8"}

    answer = api.post("/sessions", content=b'{"app_name": "sales"}', headers=kind)

    assert answer.status_code == 201


@pytest.mark.parametrize(("path", "limit"), [("/sessions", 64 << 10), ("/heartbeats", 1 << 20)])
def test_a_body_over_the_limit_is_refused(api: httpx.Client, path: str, limit: int) -> None:
    padded = json.dumps({"app_name": "x"}).encode()

    over = api.post(path, content=padded.ljust(limit + 1), headers=JSON)
    streamed = api.post(path, content=iter([padded.ljust(limit + 1)]), headers=JSON)
    within = api.post(path, content=padded.ljust(limit), headers=JSON)

    refused(over, 413)
    refused(streamed, 413)
    assert within.status_code != 413


def test_more_heartbeats_than_allowed_are_refused(api: httpx.Client) -> None:
    ids = [str(uuid4())] * 10_001

    refused(api.post("/heartbeats", json={"process_id": ids[0], "session_ids": ids}))


def test_a_report_of_ten_thousand_strangers_is_taken(api: httpx.Client) -> None:
    ids = [str(uuid4()) for _ in range(10_000)]

    reply = api.post("/heartbeats", json={"process_id": ids[0], "session_ids": ids})

    assert set(reply.json()["unknown"]) == set(ids)


@pytest.mark.parametrize(
    "query",
    [
        "status=dead",
        "status=ended",
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=10001",
        "cursor=x",
        "limit=99999999999999999999999",
        "q=",
        "q=%20",
        "q=%00",
        f"q={'x' * 201}",
    ],
)
def test_a_bad_query_is_refused(api: httpx.Client, query: str) -> None:
    refused(api.get(f"/sessions?{query}"))


@pytest.mark.parametrize("silence", ["119", "-1", "x", "nan", "inf", "1e300", ""])
def test_a_bad_silence_gives_up_nobody(api: httpx.Client, session: str, silence: str) -> None:
    refused(api.delete("/sessions/stale", params={"older_than": silence}))

    assert api.get(f"/sessions/{session}").json()["status"] == "idle"


@pytest.mark.parametrize("query", ["app_name=%00", "app_name=%ff", "user_id=%ed%a0%80"])
def test_a_strange_filter_finds_nobody(api: httpx.Client, query: str) -> None:
    answer = api.get(f"/sessions?{query}")

    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or answer.json() == []


@pytest.mark.parametrize("name", ["%00", "%0A", "%20", "x" * 201, "%C2%80", "%7F"])
def test_a_bad_name_in_the_path_is_refused(api: httpx.Client, name: str) -> None:
    refused(api.post(f"/apps/{name}/kill-all"))


@pytest.mark.parametrize("name", ["%ff", "%ed%a0%80"])
def test_a_path_that_is_no_utf8_reaches_nobody(api: httpx.Client, name: str) -> None:
    answer = api.post(f"/apps/{name}/kill-all")

    assert answer.json()["kill_requested"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/sessions"), ("GET", "/heartbeats"), ("GET", "/nowhere"), ("PUT", "/apps/a/b")],
)
def test_what_is_not_there_is_a_problem_too(api: httpx.Client, method: str, path: str) -> None:
    refused(api.request(method, path), 404, 405)


A_STRANGER = "01a20d56-4cdd-79af-95e9-000000000000"
TELLING = ["/sessions/{}/messages", "/apps/bad-input/messages", "/messages"]
BAD_TEXTS: list[Any] = ["", " ", "x" * 1001, "a\0b", "\x7f", "\u2028", 5, None, [], {}]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=repr)
@pytest.mark.parametrize("path", TELLING)
def test_a_bad_text_is_sent_to_nobody(
    api: httpx.Client, session: str, path: str, text: object
) -> None:
    body = refused(api.post(path.format(session), json={"text": text}))

    assert "text" in json.dumps(body)
    assert "message sent" not in api.get(f"/sessions/{session}/events").text


@pytest.mark.parametrize("sent_by", ["", "x" * 201, "a\nb", 5])
@pytest.mark.parametrize("path", TELLING)
def test_a_bad_sender_sends_nothing(
    api: httpx.Client, session: str, path: str, sent_by: object
) -> None:
    refused(api.post(path.format(session), json={"text": "Hello", "sent_by": sent_by}))

    assert "message sent" not in api.get(f"/sessions/{session}/events").text


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
@pytest.mark.parametrize("path", [*TELLING, "/sessions/kill"])
def test_a_body_that_orders_nothing_is_refused(
    api: httpx.Client, session: str, path: str, body: bytes
) -> None:
    refused(api.post(path.format(session), content=body, headers=JSON))

    assert [each["kind"] for each in api.get(f"/sessions/{session}/events").json()] == ["opened"]


@pytest.mark.parametrize(
    "order",
    [
        {"session_ids": None},
        {"session_ids": "all"},
        {"session_ids": ["1"]},
        {"session_ids": [None]},
        {"session_ids": [A_STRANGER] * 10_001},
        {"session_ids": [A_STRANGER] * 25_000},
        {"session_ids": [], "reason": ""},
        {"session_ids": [], "requested_by": 5},
    ],
    ids=lambda order: json.dumps(order)[:60],
)
def test_a_bad_order_for_several_kills_nobody(
    api: httpx.Client, session: str, order: dict[str, Any]
) -> None:
    ids = [session, *order["session_ids"]] if isinstance(order["session_ids"], list) else "all"

    refused(api.post("/sessions/kill", json=order | {"session_ids": ids}))

    assert not api.get(f"/sessions/{session}").json()["kill_requested"]


def test_an_order_for_too_many_is_too_large(api: httpx.Client) -> None:
    body = b'{"session_ids": []}'

    refused(api.post("/sessions/kill", content=body.ljust((1 << 20) + 1), headers=JSON), 413)


@pytest.mark.parametrize(
    "terms",
    [
        {"kill_after": -1},
        {"kill_after": "soon"},
        {"kill_after": 1e300},
        {"kill_after": []},
        {"reason": ""},
        {"reason": "x" * 501},
        {"reason": "a\0b"},
        {"requested_by": 5},
        {"requested_by": "x" * 201},
    ],
    ids=str,
)
def test_bad_terms_drain_nothing(api: httpx.Client, terms: dict[str, Any]) -> None:
    refused(api.put("/apps/bad-terms/drain", json=terms))

    assert "bad-terms" not in api.get("/drains").text


@pytest.mark.parametrize(
    "body", [each for each in BAD_BODIES.values() if each not in (b"", b"null")]
)
def test_a_drain_with_a_bad_body_never_fails(api: httpx.Client, body: bytes) -> None:
    harmless = body.startswith(b'{"app_name": ')  # an unknown field

    answer = api.put("/apps/bad-terms/drain", content=body, headers=JSON)

    api.delete("/apps/bad-terms/drain")
    if not (answer.status_code == 200 and harmless):
        refused(answer)


@pytest.mark.parametrize("name", ["%00", "%0A", "%20", "x" * 201, "%C2%80", "%7F"])
def test_a_bad_name_in_the_path_is_told_nothing(api: httpx.Client, name: str) -> None:
    refused(api.put(f"/apps/{name}/drain"))
    refused(api.delete(f"/apps/{name}/drain"))
    refused(api.post(f"/apps/{name}/messages", json={"text": "Hello"}))


@pytest.mark.parametrize("name", ["%ff", "%ed%a0%80"])
def test_a_name_that_is_no_utf8_may_be_drained_and_undrained(api: httpx.Client, name: str) -> None:
    answers = [
        api.put(f"/apps/{name}/drain"),
        api.get("/drains"),
        api.get("/apps"),
        api.post(f"/apps/{name}/messages", json={"text": "Hello"}),
        api.delete(f"/apps/{name}/drain"),
    ]

    assert all(answer.status_code < 500 for answer in answers)


@pytest.mark.parametrize(
    "shown",
    [
        [{}],
        [{"session_id": "x", "message_id": "y"}],
        [{"session_id": A_STRANGER}],
        "all",
        [None],
        [{"session_id": A_STRANGER, "message_id": A_STRANGER}] * 10_001,
    ],
    ids=lambda shown: str(shown)[:60],
)
def test_bad_news_of_what_was_shown_is_refused(api: httpx.Client, shown: object) -> None:
    report = {"process_id": str(uuid4()), "session_ids": [], "shown": shown}

    refused(api.post("/heartbeats", json=report), 400, 413)


def test_what_was_shown_to_a_stranger_is_told(api: httpx.Client) -> None:
    stranger = str(uuid4())
    shown = [{"session_id": stranger, "message_id": str(uuid4())}]

    reply = api.post(
        "/heartbeats", json={"process_id": str(uuid4()), "session_ids": [], "shown": shown}
    )

    assert reply.json()["unknown"] == [stranger]


@pytest.mark.parametrize("path", ["/sessions/x/events", "/sessions/x/messages", "/apps//drain"])
def test_a_path_of_nothing_is_not_found(api: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        refused(api.request(method, path), 400, 404, 405)


@pytest.mark.parametrize(
    "path", ["/sessions/kill", "/sessions/{}/messages", "/apps/bad-input/messages", "/messages"]
)
def test_nothing_is_ordered_from_a_page_of_another_site(
    api: httpx.Client, session: str, path: str
) -> None:
    body = {"text": "Hello", "session_ids": [session]}
    form = {"content-type": "text/plain"}

    refused(api.post(path.format(session), json=body, headers={"origin": "http://evil"}), 403)
    refused(api.post(path.format(session), content=json.dumps(body), headers=form), 415)
    refused(api.put("/apps/bad-input/drain", headers={"origin": "http://evil"}), 403)
    refused(api.delete("/apps/bad-input/drain", headers={"origin": "http://evil"}), 403)

    assert [each["kind"] for each in api.get(f"/sessions/{session}/events").json()] == ["opened"]
