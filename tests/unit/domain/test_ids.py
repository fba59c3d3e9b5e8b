"""Names and identifiers."""

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_session_monitor.domain.errors import Invalid, InvalidField
from panel_session_monitor.domain.ids import (
    NAME_LENGTH,
    REASON_LENGTH,
    cleaned,
    name,
    optional_name,
    uuid7,
)

MILLISECONDS = st.integers(0, 2**48 - 1)
RANDOMNESS = st.integers(0, 2**74 - 1)


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("a", "a"),
        ("  a  ", "a"),
        ("\n\ta b\r\n", "a b"),
        ("\u00a0a\u3000", "a"),
        ("x" * 200, "x" * 200),
        (" " * 999 + "x" * 200 + " ", "x" * 200),
        ("\U0001f9ea" * 200, "\U0001f9ea" * 200),
        ("e\u0301", "e\u0301"),
        ("\u0645\u0631\u062d\u0628\u0627", "\u0645\u0631\u062d\u0628\u0627"),
        ("a\u200db", "a\u200db"),
        ("../a?b=c&d#e%20", "../a?b=c&d#e%20"),
    ],
)
def test_a_name_is_trimmed_and_otherwise_left_alone(text: str, trimmed: str) -> None:
    assert name("app_name", text) == trimmed


@pytest.mark.parametrize("text", ["", " ", "\n\t \r", "\u3000", "x" * 201, "\U0001f9ea" * 201])
def test_a_name_has_one_to_two_hundred_characters(text: str) -> None:
    with pytest.raises(InvalidField, match="1 to 200 characters"):
        name("app_name", text)


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\tb", "a\rb", "\0", "a\0", "\0a", "a\x1bb", "a\x7f", "a\x80b", "a\x9fb"],
)
def test_a_name_has_no_control_characters(text: str) -> None:
    with pytest.raises(InvalidField, match="control characters"):
        name("app_name", text)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ude00\ud83d"])
def test_a_name_has_no_lone_surrogates(text: str) -> None:
    with pytest.raises(InvalidField, match="control characters"):
        name("app_name", text)


def test_a_broken_rule_names_its_field() -> None:
    with pytest.raises(Invalid) as raised:
        name("user_id", "")

    assert isinstance(raised.value, InvalidField)
    assert raised.value.field == "user_id"
    assert str(raised.value) == f"user_id: {raised.value.message}"


@pytest.mark.parametrize(("length", "valid"), [(1, True), (500, True), (501, False)])
def test_a_text_may_have_a_length_of_its_own(length: int, valid: bool) -> None:
    text = "x" * length

    if valid:
        assert name("reason", text, REASON_LENGTH) == text
    else:
        with pytest.raises(InvalidField, match="1 to 500"):
            name("reason", text, REASON_LENGTH)


def test_an_optional_name_may_be_missing() -> None:
    assert optional_name("user_id", None) is None
    assert optional_name("user_id", " ada ") == "ada"


@pytest.mark.parametrize("text", ["", " ", "x" * 201, "a\nb"])
def test_an_optional_name_that_is_there_keeps_the_rule(text: str) -> None:
    with pytest.raises(InvalidField):
        optional_name("user_id", text)


@given(st.text())
def test_a_name_once_accepted_is_accepted_again_unchanged(text: str) -> None:
    try:
        accepted = name("task", text)
    except InvalidField:
        return

    assert name("task", accepted) == accepted
    assert 1 <= len(accepted) <= NAME_LENGTH
    accepted.encode()


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("sales", "sales"),
        ("  sales\n", "sales"),
        ("two\nlines", "two lines"),
        ("\0a\ud800b\x1b", "a b"),
        ("x" * 201, "x" * 200),
        ("x" * 199 + " y", "x" * 199),
        ("", "unnamed"),
        (" \0\n", "unnamed"),
        (7, "7"),
        (None, "None"),
    ],
)
def test_what_is_no_name_becomes_the_nearest_one(text: object, nearest: str) -> None:
    assert cleaned(text, "unnamed") == nearest


@given(st.text(alphabet=st.characters(), max_size=500))
def test_what_was_cleaned_is_a_name(text: str) -> None:
    nearest = cleaned(text, "unnamed")

    assert name("task", nearest) == nearest


def test_the_example_of_rfc_9562_comes_out() -> None:
    rand_a, rand_b = 0xCC3, 0x18C4DC0C0C07398F

    made = uuid7(0x017F22E279B0, rand_a << 62 | rand_b)

    assert made == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")


@given(MILLISECONDS, RANDOMNESS)
def test_a_uuid_has_version_seven_and_the_rfc_variant(milliseconds: int, randomness: int) -> None:
    made = uuid7(milliseconds, randomness)

    assert (made.version, made.variant) == (7, RFC_4122)


@given(MILLISECONDS, RANDOMNESS)
def test_a_uuid_keeps_every_bit_it_was_made_of(milliseconds: int, randomness: int) -> None:
    made = uuid7(milliseconds, randomness)

    assert made.int >> 80 == milliseconds
    assert (made.int >> 64 & 0xFFF) << 62 | made.int & 2**62 - 1 == randomness


@given(st.integers(0, 2**48 - 2), RANDOMNESS, RANDOMNESS)
def test_a_later_uuid_is_greater_whatever_its_randomness(
    milliseconds: int, earlier: int, later: int
) -> None:
    assert uuid7(milliseconds, earlier) < uuid7(milliseconds + 1, later)
    assert str(uuid7(milliseconds, earlier)) < str(uuid7(milliseconds + 1, later))


@pytest.mark.parametrize(
    ("milliseconds", "randomness"), [(2**48, 0), (0, 2**74), (2**48 + 5, 2**80 - 1)]
)
def test_what_does_not_fit_into_a_uuid_leaves_its_version_alone(
    milliseconds: int, randomness: int
) -> None:
    made = uuid7(milliseconds, randomness)

    assert (made.version, made.variant) == (7, RFC_4122)
