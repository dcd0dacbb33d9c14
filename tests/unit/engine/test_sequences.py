"""Which tokens stand in the cache: pure bookkeeping, checked against a cache of real cells."""

import random
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from quillon.engine.base import Priority
from quillon.engine.sequences import Rank, SequencePool, Slot, common_prefix


@dataclass
class Cells:
    """A cache in which every cell has a number: what is shared is the same number."""

    trims_partly: bool = True
    held: dict[int, list[int]] = field(default_factory=dict)
    made: int = 0

    def copy(self, source, target, length):
        assert not self.held.get(target)
        self.held[target] = self.held[source][:length]

    def trim(self, sequence, length):
        if length and not self.trims_partly:
            return False
        del self.held.setdefault(sequence, [])[length:]
        return True

    def append(self, sequence, count):
        cells = self.held.setdefault(sequence, [])
        cells += range(self.made, self.made + count)
        self.made += count

    @property
    def used(self):
        return len({cell for cells in self.held.values() for cell in cells})


@dataclass
class Job:
    rank: Rank = (Priority.CHAT, 0)
    slot: Slot | None = None


class Desk:
    """A pool over numbered cells, driven by texts: one character is one token."""

    def __init__(self, *, sequences=4, cells=1000, trims_partly=True):
        self.cells = Cells(trims_partly)
        self.pool = SequencePool(self.cells, sequences=sequences, cells=cells)

    def run(self, text, *, key=None, priority=Priority.CHAT, release=True):
        """Evaluate a text; returns (sequence, cached tokens)."""
        job = Job((priority, 0))
        slot = self.pool.claim(job, [ord(char) for char in text], key, priority)
        assert slot is not None
        cached = len(slot.tokens)
        rest = [ord(char) for char in text[cached:]]
        assert self.pool.make_room(slot, len(rest), job.rank)
        self.cells.append(slot.id, len(rest))
        self.pool.append(slot, rest)
        if release:
            self.pool.release(slot)
        return slot, cached

    def texts(self):
        return ["".join(map(chr, slot.tokens)) for slot in self.pool.slots]


@given(st.lists(st.integers(0, 2), max_size=300), st.integers(0, 300), st.lists(st.integers(0, 2)))
def test_common_prefix(left, cut, tail):
    right = left[:cut] + tail
    expected = 0
    while expected < min(len(left), len(right)) and left[expected] == right[expected]:
        expected += 1
    assert common_prefix(left, right) == expected


def test_common_prefix_of_long_lists():
    left = list(range(50_000))
    for at in (0, 1, 63, 64, 65, 127, 128, 40_000, 49_999):
        right = [*left[:at], -1, *left[at + 1 :]]
        assert common_prefix(left, right) == at
    assert common_prefix(left, left) == 50_000


def test_a_conversation_goes_on_in_its_sequence():
    desk = Desk()
    first, _ = desk.run("system|hello|answer", key="chat")
    again, cached = desk.run("system|hello|answer|more", key="chat")
    assert (again, cached) == (first, len("system|hello|answer"))


def test_the_last_token_is_always_evaluated():
    desk = Desk()
    desk.run("same", key="chat")
    assert desk.run("same", key="chat")[1] == 3


def test_another_conversation_shares_the_system_prompt():
    desk = Desk()
    desk.run("system|one", key="a")
    before = desk.cells.used
    slot, cached = desk.run("system|two", key="b")
    assert cached == len("system|")
    assert desk.cells.used == before + len("two") == desk.pool.used
    assert desk.texts()[slot.id] == "system|two"
    assert desk.texts()[0] == "system|one"


def test_typing_does_not_evict_a_chat_nor_the_reverse():
    desk = Desk()
    desk.run("chat" * 10, key="chat")
    for number in range(20):
        desk.run(f"{number} file" * 5, key=f"file{number}", priority=Priority.INLINE)
    assert desk.run("chat" * 10 + "?", key="chat")[1] == 40
    for number in range(20):
        desk.run(f"{number} talk" * 5, key=f"talk{number % 2}")
    assert desk.run("19 file" * 5 + "x", key="file19", priority=Priority.INLINE)[1] == 35


def test_a_request_without_a_name_goes_on_where_its_text_stands():
    desk = Desk()
    first, _ = desk.run("def f():\n    return 1")
    again, cached = desk.run("def f():\n    return 12")
    assert again is first
    assert cached == len("def f():\n    return 1")


def test_running_sequences_are_taken_only_by_a_better_rank():
    desk = Desk(sequences=1)
    slot, _ = desk.run("chat", priority=Priority.CHAT, release=False)
    holder = slot.holder
    assert desk.pool.claim(Job((Priority.CHAT, 1)), [1, 2], None, Priority.CHAT) is None
    assert desk.pool.claim(Job((Priority.WARM, 0)), [1, 2], None, Priority.WARM) is None
    assert desk.pool.claim(Job((Priority.INLINE, 9)), [1, 2], None, Priority.INLINE) is slot
    assert holder is not None
    assert holder.slot is None


def test_room_is_made_from_idle_ends_first_and_keeps_beginnings():
    desk = Desk(sequences=3, cells=1000)
    desk.run("a" * 600, key="a")
    running, _ = desk.run("b" * 300, key="b", release=False)
    desk.run("c" * 200, key="c")
    lengths = [len(text) for text in desk.texts()]
    assert lengths == [600 - 256, 300, 200]
    assert running.holder is not None


def test_typing_makes_room_among_typing_first():
    desk = Desk(sequences=4, cells=1000)
    desk.run("a" * 600, key="chat")
    desk.run("b" * 300, key="one", priority=Priority.INLINE)
    desk.run("c" * 300, key="two", priority=Priority.INLINE)
    assert [len(text) for text in desk.texts()] == [600, 300 - 256, 300, 0]


def test_a_full_cache_of_better_work_leaves_no_room():
    desk = Desk(sequences=2, cells=100)
    desk.run("a" * 90, priority=Priority.INLINE, release=False)
    job = Job((Priority.CHAT, 1))
    slot = desk.pool.claim(job, [1] * 50, None, Priority.CHAT)
    assert slot is not None
    assert desk.pool.make_room(slot, 10, job.rank)
    assert not desk.pool.make_room(slot, 11, job.rank)


def test_shared_cells_are_freed_when_nobody_is_left():
    desk = Desk(sequences=3, cells=100)
    desk.run("s" * 90, key="a")
    desk.run("s" * 90 + "b", key="b")
    slot, cached = desk.run("x" * 100, key="c")
    assert (cached, desk.texts()[slot.id]) == (0, "x" * 100)
    assert desk.pool.used == desk.cells.used == 100


def test_a_model_that_cannot_trim_starts_again():
    desk = Desk(trims_partly=False)
    desk.run("system|one", key="a")
    slot, cached = desk.run("system|two", key="a")
    assert cached == 0
    assert desk.texts()[slot.id] == "system|two"
    assert desk.pool.used == desk.cells.used


@given(st.integers(0, 2**32), st.booleans())
def test_the_count_of_cells_is_exact_and_the_cache_holds_what_is_noted(seed, trims_partly):
    chance = random.Random(seed)  # noqa: S311 - test data
    desk = Desk(
        sequences=chance.randint(1, 5), cells=chance.randint(40, 120), trims_partly=trims_partly
    )
    bases = ["".join(chance.choices("abc", k=chance.randint(1, 30))) for _ in range(3)]
    running = []
    for arrival in range(30):
        text = chance.choice(bases) + "".join(chance.choices("xyz", k=chance.randint(0, 9)))
        priority = chance.choice(list(Priority))
        job = Job((priority, arrival))
        slot = desk.pool.claim(
            job, list(map(ord, text)), chance.choice([None, "k", text[:2]]), priority
        )
        if slot is not None:
            rest = list(map(ord, text[len(slot.tokens) :]))
            if desk.pool.make_room(slot, len(rest), job.rank):
                desk.cells.append(slot.id, len(rest))
                desk.pool.append(slot, rest)
            running.append(job)
        if running and chance.random() < 0.5:
            done = running.pop(chance.randrange(len(running)))
            if done.slot is not None:
                desk.pool.release(done.slot)
        assert desk.pool.used == desk.cells.used <= desk.pool.cells
        for slot in desk.pool.slots:
            assert len(slot.tokens) == len(desk.cells.held.get(slot.id, []))
            assert slot.holder is None or slot.holder.slot is slot
