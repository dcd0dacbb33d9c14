"""Which tokens stand in the key-value cache, and which sequence a request gets.

One context holds several sequences over one pool of cells (llama.cpp's unified cache). Each
remembers the tokens that were evaluated into it, so that a later request pays only for what
follows the longest prefix they have in common. A prefix may also be copied from any other
sequence: the cells are then shared, not doubled, and so the sequences form a trie.

A sequence that runs a generation has a holder. Idle ones are given up in an order that keeps
typing from evicting a conversation, and the reverse; running ones only to a holder of a better
rank, which then evaluates its tokens again when its turn comes.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol

from quillon.engine.base import Priority

Rank = tuple[int, int]  # (priority, arrival): the smaller goes first
_BITE = 256  # cells that are freed at least, so that not every token has to look for room
_TYPING = (Priority.INLINE, Priority.WARM)


class Memory(Protocol):
    """The cache itself."""

    def copy(self, source: int, target: int, length: int) -> None:
        """Let the empty sequence `target` share the first `length` tokens of `source`."""
        ...

    def trim(self, sequence: int, length: int) -> bool:
        """Forget all but the first `length` tokens; False where only 0 is possible."""
        ...


class Holder(Protocol):
    """A running generation. `slot` is None until it has a sequence and when it lost it."""

    rank: Rank
    slot: "Slot | None"


class Slot:
    """One sequence: what it holds, for whom, and when it was last used."""

    __slots__ = ("holder", "id", "key", "priority", "tokens", "used")

    def __init__(self, number: int) -> None:
        self.id = number
        self.tokens: list[int] = []
        self.holder: Holder | None = None
        self.key: str | None = None
        self.priority = Priority.WARM
        self.used = 0


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """The number of leading elements in which both agree."""
    limit = min(len(left), len(right))
    if left[:limit] == right[:limit]:
        return limit
    # Slices compare in native code: far faster than a loop over tens of thousands of tokens.
    low, high = 0, 64
    while high < limit and left[low:high] == right[low:high]:
        low, high = high, high * 2
    width = min(high, limit) - low
    return low + bisect_left(
        range(width), x=True, key=lambda n: left[low : low + n + 1] != right[low : low + n + 1]
    )


class SequencePool:
    """The sequences of one context and the cells they share."""

    def __init__(self, memory: Memory, *, sequences: int, cells: int) -> None:
        self.cells = cells
        self.slots = [Slot(number) for number in range(sequences)]
        self._memory = memory
        # _shared[a][b]: how many leading cells the two sequences have in common.
        self._shared = [[0] * sequences for _ in range(sequences)]
        self._clock = 0
        for slot in self.slots:
            memory.trim(slot.id, 0)  # whatever somebody left there

    @property
    def used(self) -> int:
        """Cells in use; what sequences share counts once."""
        total = 0
        for slot in self.slots:
            earlier = self._shared[slot.id][: slot.id]
            total += len(slot.tokens) - max(earlier, default=0)
        return total

    def claim(
        self, holder: Holder, tokens: Sequence[int], key: str | None, priority: Priority
    ) -> Slot | None:
        """A sequence for `holder` with the longest cached prefix of `tokens` in it.

        At most all but one of the tokens are kept: the last must be evaluated for its logits.
        Returns None while every sequence runs something of a better rank.
        """
        matches = [common_prefix(tokens, slot.tokens) for slot in self.slots]
        slot = self._own(matches, key) or self._victim(holder.rank, priority)
        if slot is None:
            return None
        if slot.holder is not None:
            slot.holder.slot = None
        source = max(self.slots, key=lambda other: (matches[other.id], other is slot))
        keep = min(matches[source.id], len(tokens) - 1)
        if source is slot:
            self.truncate(slot, keep)
        else:
            self.truncate(slot, 0)
            self._fork(source, slot, keep)
        slot.holder, slot.key, slot.priority = holder, key, priority
        holder.slot = slot
        self._touch(slot)
        return slot

    def make_room(self, slot: Slot, count: int, rank: Rank) -> bool:
        """Free cells until `count` more fit, without touching `slot` itself.

        Idle sequences lose their ends first, then running ones of a worse rank. Returns False
        where that was not enough: what still runs has a better rank, or `slot` fills the cache.
        """
        missing = count - (self.cells - self.used)
        if missing <= 0:
            return True
        for victim in self._expendable(slot, rank):
            own = len(victim.tokens) - max(self._row(victim), default=0)
            bite = min(own, max(missing, _BITE))
            # A sequence that shares all it has frees nothing, but what it shares may then go.
            self.truncate(victim, len(victim.tokens) - bite if own else 0)
            missing = count - (self.cells - self.used)
            if missing <= 0:
                return True
        return self.make_room(slot, count, rank) if self._any_expendable(slot, rank) else False

    def append(self, slot: Slot, tokens: Sequence[int]) -> None:
        """Note that the tokens were evaluated at the end of the sequence."""
        slot.tokens += tokens
        self._touch(slot)

    def truncate(self, slot: Slot, length: int) -> None:
        """Forget what follows the first `length` tokens (or all, where the model needs that)."""
        if length >= len(slot.tokens):
            return
        if not self._memory.trim(slot.id, length):
            length = 0
            self._memory.trim(slot.id, 0)
        del slot.tokens[length:]
        row = self._shared[slot.id]
        for other in self.slots:
            if other is not slot:
                row[other.id] = self._shared[other.id][slot.id] = min(row[other.id], length)

    def restore(self, slot: Slot) -> None:
        """Forget what an evaluation that did not succeed has left behind the noted tokens."""
        if not self._memory.trim(slot.id, len(slot.tokens)):
            self.truncate(slot, 0)

    def release(self, slot: Slot) -> None:
        """The generation ended; its tokens stay for the next one."""
        slot.holder = None
        self._touch(slot)

    def _own(self, matches: list[int], key: str | None) -> Slot | None:
        """An idle sequence that the request may go on with: its own, or one without loss."""
        idle = [slot for slot in self.slots if slot.holder is None and slot.tokens]
        if key is not None:
            mine = [slot for slot in idle if slot.key == key]
            if mine:
                return max(mine, key=lambda slot: matches[slot.id])
        whole = [slot for slot in idle if matches[slot.id] == len(slot.tokens)]
        if key is None:
            # Without a name, a small changed end is taken for the same text, edited.
            whole += [
                slot
                for slot in idle
                if slot.key is None and matches[slot.id] * 4 >= len(slot.tokens) * 3
            ]
        return max(whole, key=lambda slot: matches[slot.id], default=None)

    def _victim(self, rank: Rank, priority: Priority) -> Slot | None:
        """The sequence to overwrite: an empty one, an idle one, or one of a worse rank."""
        idle = [slot for slot in self.slots if slot.holder is None]
        empty = [slot for slot in idle if not slot.tokens]
        if empty:
            return empty[0]
        typing = [slot for slot in self.slots if slot.priority in _TYPING]
        if priority in _TYPING and len(typing) * 2 >= len(self.slots):
            idle = [slot for slot in idle if slot.priority in _TYPING] or idle
        if idle:
            return min(idle, key=lambda slot: slot.used)
        running = [
            (slot.holder.rank, slot)
            for slot in self.slots
            if slot.holder is not None and slot.holder.rank > rank
        ]
        return max(running, key=lambda pair: pair[0])[1] if running else None

    def _expendable(self, keep: Slot, rank: Rank) -> Iterator[Slot]:
        typing_asks = rank[0] in _TYPING
        idle = [slot for slot in self.slots if slot.holder is None and slot is not keep]
        idle.sort(key=lambda slot: (typing_asks and slot.priority not in _TYPING, slot.used))
        running = [
            (slot.holder.rank, slot)
            for slot in self.slots
            if slot.holder is not None and slot is not keep and slot.holder.rank > rank
        ]
        running.sort(key=lambda pair: pair[0], reverse=True)
        for slot in (*idle, *(slot for _, slot in running)):
            if slot.tokens:
                yield slot

    def _any_expendable(self, keep: Slot, rank: Rank) -> bool:
        return next(self._expendable(keep, rank), None) is not None

    def _fork(self, source: Slot, target: Slot, length: int) -> None:
        if length <= 0:
            return
        self._memory.copy(source.id, target.id, length)
        target.tokens = source.tokens[:length]
        for other in self.slots:
            if other is target:
                continue
            shared = length if other is source else self._shared[source.id][other.id]
            value = min(length, shared)
            self._shared[target.id][other.id] = self._shared[other.id][target.id] = value

    def _row(self, slot: Slot) -> list[int]:
        return [n for number, n in enumerate(self._shared[slot.id]) if number != slot.id]

    def _touch(self, slot: Slot) -> None:
        self._clock += 1
        slot.used = self._clock
