"""Group commit: what waits together is stored together."""

import asyncio
from collections.abc import Sequence

import pytest
from panel_session_monitor.application.group import LARGEST_GROUP, GroupCommit
from panel_session_monitor.domain.errors import Unavailable


class Store:
    """Doubles numbers, a group at a time; keeps each group, and waits while it is `held`."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.asked = asyncio.Event()
        self.going = asyncio.Event()
        self.going.set()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.asked.set()
        await self.going.wait()
        self.groups.append(list(numbers))
        if 13 in numbers:
            raise ValueError(13)
        if 503 in numbers:
            raise Unavailable("there is no paper")
        return [2 * number for number in numbers]


async def test_what_comes_while_one_group_is_stored_goes_into_the_next_one() -> None:
    store = Store()
    commit = GroupCommit(store)
    store.going.clear()
    first = asyncio.create_task(commit(1))
    await store.asked.wait()

    others = [asyncio.create_task(commit(number)) for number in (2, 3, 4)]
    store.going.set()

    assert await first == 2
    assert await asyncio.gather(*others) == [4, 6, 8]
    assert store.groups == [[1], [2, 3, 4]]


async def test_each_is_answered_only_when_it_is_stored() -> None:
    store = Store()
    store.going.clear()
    answer = asyncio.create_task(GroupCommit(store)(1))

    done, _ = await asyncio.wait([answer], timeout=0.05)
    store.going.set()

    assert not done
    assert await answer == 2


async def test_one_that_cannot_be_stored_fails_alone() -> None:
    store = Store()
    commit = GroupCommit(store)

    answers = await asyncio.gather(*map(commit, (1, 13, 2)), return_exceptions=True)

    assert [answers[0], answers[2]] == [2, 4]
    assert isinstance(answers[1], ValueError)
    assert store.groups == [[1, 13, 2], [1], [13], [2]]


async def test_all_fail_together_where_nothing_can_be_stored() -> None:
    store = Store()
    commit = GroupCommit(store)

    answers = await asyncio.gather(*map(commit, (1, 503, 2)), return_exceptions=True)

    assert [type(each) for each in answers] == [Unavailable] * 3
    assert store.groups == [[1, 503, 2]], "each attempt may take its time, and tells the same"


async def test_after_a_failure_the_next_group_is_stored() -> None:
    commit = GroupCommit(Store())
    with pytest.raises(ValueError, match="13"):
        await commit(13)

    assert await commit(1) == 2


async def test_a_caller_that_has_gone_holds_up_nobody() -> None:
    store = Store()
    commit = GroupCommit(store)
    store.going.clear()
    gone, stays = (asyncio.create_task(commit(number)) for number in (1, 2))
    await asyncio.sleep(0)

    gone.cancel()
    store.going.set()

    assert await stays == 4
    assert store.groups == [[1, 2]]


async def test_no_group_is_endless() -> None:
    store = Store()
    commit = GroupCommit(store)

    await asyncio.gather(*map(commit, range(1000, 1000 + LARGEST_GROUP + 1)))

    assert [len(each) for each in store.groups] == [LARGEST_GROUP, 1]
