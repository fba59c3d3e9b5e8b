import pytest
from panel_session_monitor.adapters.dashboard.place import LONGEST_LAYOUT, Place
from panel_session_monitor.adapters.dashboard.view import Query
from panel_session_monitor.domain.staleness import Status

from ..fakes.examples import session_id

EVERYTHING = Place(
    page="apps",
    query=Query(
        text="ada & co", statuses=frozenset({Status.IDLE, Status.STALE}), app_name="stock/eu"
    ),
    layout="eyJ9",
)


@pytest.mark.parametrize(
    "place",
    [
        Place(),
        EVERYTHING,
        Place(page="processes"),
        Place(page="session", session_id=session_id(7), query=EVERYTHING.query),
    ],
)
def test_an_address_leads_to_the_place_that_it_is_of(place: Place) -> None:
    assert Place.of(place.address) == place


def test_what_is_usual_is_not_named() -> None:
    assert Place().address == {}


@pytest.mark.parametrize(
    "address",
    [
        {"page": "secrets"},
        {"page": "session"},
        {"session": "no-id"},
        {"status": "angry,,"},
        {"layout": "x" * (LONGEST_LAYOUT + 1)},
        {"app": "", "q": ""},
    ],
)
def test_what_makes_no_sense_is_left_out(address: dict[str, str]) -> None:
    assert Place.of(address) == Place()
