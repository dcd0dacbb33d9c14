"""Drawing tokens with llama.cpp's samplers, under a grammar where one is asked for.

A grammar is asked only whether it allows the token that was drawn; if not, all others are
filtered by it and the draw is repeated. That costs little where the model mostly keeps to the
grammar, and draws from the same distribution as filtering first.

llama.cpp throws a C++ exception, which would end the process, when a grammar is given a token
that it does not allow. So nothing is accepted that was not checked first, and a lazy grammar
sleeps here, not in llama.cpp: there it searches the whole answer for its trigger with a regular
expression at every token, and throws when the text behind the trigger does not fit.
"""

import ctypes
import logging
import secrets
from typing import TYPE_CHECKING, Any

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from quillon.engine.base import Constraint, ConstraintError, Request, Sampling
from quillon.engine.grammar_check import check_grammar
from quillon.engine.llama import forget_errors, last_error
from quillon.engine.sampling import Trigger

if TYPE_CHECKING:
    from quillon.engine.llama import Model
    from quillon.engine.llama_context import Context

logger = logging.getLogger(__name__)

_CANDIDATE = np.dtype([("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])  # llama_token_data
_MAX_BANS = 64  # tokens that are tried around a trigger
_LIKELY = 256  # candidates that a draw asks the grammar about before all others


class Grammar:
    """A GBNF grammar and how much of it was generated.

    Raises:
        ConstraintError: llama.cpp refuses it.
    """

    def __init__(self, model: "Model", text: str) -> None:
        check_grammar(text)
        data = text.encode()
        self._model = model
        forget_errors()
        self._sampler = lib.llama_sampler_init_grammar(model.vocab, data, b"root")
        if not self._sampler:
            raise ConstraintError(
                f"llama.cpp refuses the grammar: {last_error()}; its log says more"
            )
        self._single = np.zeros(1, _CANDIDATE)

    def close(self) -> None:
        """Free it."""
        if self._sampler:
            lib.llama_sampler_free(self._sampler)
            self._sampler = None

    def allows(self, token: int) -> bool:
        """Whether the token may come next."""
        if self._model.is_control(token) and not self._model.ends(token):
            return False
        self._single[0] = (token, 0.0, 0.0)
        self.mask(self._single)
        return bool(np.isfinite(self._single["logit"][0]))

    def accept(self, token: int) -> None:
        """Go on by a token that `allows` has allowed."""
        if not self._model.ends(token):
            lib.llama_sampler_accept(self._sampler, token)

    def mask(self, candidates: npt.NDArray[Any]) -> None:
        """Set the logits of what the grammar forbids to minus infinity."""
        array = candidate_array(candidates)
        lib.llama_sampler_apply(self._sampler, ctypes.byref(array))

    def replay(self, tokens: list[int]) -> bool:
        """Go on by several tokens; False if one of them is not allowed."""
        for token in tokens:
            if not self.allows(token):
                return False
            self.accept(token)
        return True


class NativeSampler:
    """Draws the tokens of one answer: the scheduler's `Sampler`.

    Raises:
        ConstraintError: The grammar cannot be used.
    """

    def __init__(self, context: "Context", request: Request) -> None:
        self._context = context
        self._model = context.model
        sampling = request.sampling
        self._top_k = 1 if sampling.temperature <= 0 else sampling.top_k
        if sampling.presence_penalty and sampling.temperature > 0:
            self._top_k = 0  # the penalty comes before it
        self._logprobs = request.logprobs
        self._constraint = request.constraint
        self._grammar: Grammar | None = None
        self._asleep: Grammar | None = None  # stands behind its trigger
        self._trigger: Trigger | None = None
        if request.constraint is not None:
            self._open(request.constraint)
        self._chain = _chain(self._model, request.sampling, request.max_tokens)

    def close(self) -> None:
        """Free the native samplers."""
        if self._chain:
            lib.llama_sampler_free(self._chain)
            self._chain = None
        for grammar in (self._grammar, self._asleep):
            if grammar is not None:
                grammar.close()

    def draw(self, output: int) -> tuple[int, float | None]:
        """The next token and, if asked for, its log-probability.

        Raises:
            ConstraintError: The grammar allows nothing.
        """
        index = self._context.output(output)
        logits = self._logits(index)
        if self._constraint is None:
            token = int(lib.llama_sampler_sample(self._chain, self._context.handle, index))
        else:
            token = self._draw_constrained(logits)
            lib.llama_sampler_accept(self._chain, token)
        return token, _log_probability(logits, token) if self._logprobs else None

    def _logits(self, index: int) -> npt.NDArray[np.float32]:
        pointer = lib.llama_get_logits_ith(self._context.handle, index)
        return np.ctypeslib.as_array(pointer, (self._model.vocab_size,))

    def _open(self, constraint: Constraint) -> None:
        grammar = Grammar(self._model, constraint.grammar)
        if constraint.trigger is None:
            self._grammar = grammar
            return
        if not grammar.replay(self._replayed(constraint.trigger)):
            grammar.close()
            raise ConstraintError(
                f"the grammar does not begin with its trigger {constraint.trigger!r}"
            )
        self._asleep = grammar
        self._trigger = Trigger(constraint.trigger)

    def _replayed(self, text: str) -> list[int]:
        """Tokens that spell a text for a grammar, which sees only their characters."""
        special = self._model.special.get(text)
        if special is not None and not self._model.is_control(special):
            return [special]
        return self._model.plain_tokens(text)

    def _draw_constrained(self, logits: npt.NDArray[np.float32]) -> int:
        banned: list[int] = []
        while len(banned) <= _MAX_BANS:
            token = self._apply(_candidates(logits, banned))
            if self._admits(token):
                return token
            if self._grammar is not None:
                return self._draw_masked(logits)
            # The trigger begins inside the token and ends in a text that does not fit.
            banned.append(token)
        raise ConstraintError("no token behind the trigger fits the grammar")

    def _admits(self, token: int) -> bool:
        """Whether the constraint allows the token; if so, it goes on by it."""
        if self._grammar is not None:
            allowed = self._grammar.allows(token)
            if allowed:
                self._grammar.accept(token)
            return allowed
        if self._constraint is None or self._trigger is None or self._model.ends(token):
            return True
        piece = self._model.piece(token)
        begun = self._trigger.feed(piece)
        return begun is None or self._wake(self._constraint, begun, piece)

    def _wake(self, constraint: Constraint, begun: bytes, piece: bytes) -> bool:
        """Start the grammar with the text from its trigger on; False if the piece does not fit.

        Where the trigger begins no later than the piece, the grammar is then awake all the same:
        the model wanted the trigger, and draws again what stands in it.
        """
        if constraint.trigger is not None and begun == constraint.trigger.encode():
            self._grammar, self._asleep = self._asleep, None
            return True
        self._grammar = self._started(constraint, begun)
        if self._grammar is not None:
            return True
        if len(begun) >= len(piece):
            self._grammar = self._started(constraint, begun[: len(begun) - len(piece)])
        return False

    def _started(self, constraint: Constraint, begun: bytes) -> Grammar | None:
        """The grammar after some text, or None where the text does not fit."""
        try:
            text = begun.decode()
        except UnicodeDecodeError:
            return None  # it ends inside a character
        grammar = Grammar(self._model, constraint.grammar)
        if grammar.replay(self._replayed(text)):
            return grammar
        grammar.close()
        return None

    def _draw_masked(self, logits: npt.NDArray[np.float32]) -> int:
        grammar = self._grammar
        if grammar is None:
            raise ConstraintError("there is no grammar to draw by")
        candidates = self._shortlist(logits, grammar)
        if candidates is None:
            candidates = _candidates(logits, ())
            self._filter(candidates, grammar)
            if not np.isfinite(candidates["logit"]).any():
                raise ConstraintError("the grammar allows no token after what was generated")
        token = self._apply(candidates)
        if not grammar.allows(token):
            raise ConstraintError("the grammar refuses every token after what was generated")
        grammar.accept(token)
        return token

    def _shortlist(
        self, logits: npt.NDArray[np.float32], grammar: Grammar
    ) -> npt.NDArray[Any] | None:
        """What top-k leaves of the allowed tokens, found among the likeliest of all.

        To ask a grammar about a whole vocabulary takes longer than a small model does to decode.
        None where that does not find enough, or where the likeliest are not decided by logits.
        """
        if not 0 < self._top_k < _LIKELY:
            return None
        likely = np.argpartition(logits, -min(_LIKELY, len(logits)))[-_LIKELY:]
        candidates = np.zeros(len(likely), _CANDIDATE)
        candidates["id"] = likely
        candidates["logit"] = logits[likely]
        self._filter(candidates, grammar)
        candidates = candidates[np.isfinite(candidates["logit"])]
        return candidates if len(candidates) >= self._top_k else None

    def _filter(self, candidates: npt.NDArray[Any], grammar: Grammar) -> None:
        candidates["logit"][np.isin(candidates["id"], self._model.steering)] = -np.inf
        grammar.mask(candidates)

    def _apply(self, candidates: npt.NDArray[Any]) -> int:
        array = candidate_array(candidates)
        lib.llama_sampler_apply(self._chain, ctypes.byref(array))
        if array.selected < 0:
            raise ConstraintError("the samplers left no token to draw")
        return int(array.data[array.selected].id)


def candidate_array(candidates: npt.NDArray[Any]) -> Any:
    """The native view of candidates, which must outlive it."""
    data = candidates.ctypes.data_as(lib.llama_token_data_p)
    return lib.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)


def _candidates(
    logits: npt.NDArray[np.float32], banned: list[int] | tuple[int, ...]
) -> npt.NDArray[Any]:
    candidates = np.empty(len(logits), _CANDIDATE)
    candidates["id"] = np.arange(len(logits), dtype=np.int32)
    candidates["logit"] = logits
    candidates["p"] = 0.0
    if banned:
        candidates["logit"][list(banned)] = -np.inf
    return candidates


def _chain(model: "Model", sampling: Sampling, max_tokens: int) -> Any:
    """The chain of llama.cpp's samplers, in the order of its own tools."""
    params = lib.llama_sampler_chain_default_params()
    params.no_perf = True
    chain = lib.llama_sampler_chain_init(params)
    if sampling.temperature <= 0:
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        return chain
    seed = secrets.randbits(31) if sampling.seed is None else sampling.seed & 0x7FFFFFFF
    if sampling.presence_penalty:
        window = max(1, max_tokens)  # what was generated; the prompt is not held against it
        add = lib.llama_sampler_init_penalties(
            model.vocab_size, window, 1.0, 0.0, sampling.presence_penalty
        )
        lib.llama_sampler_chain_add(chain, add)
    if sampling.top_k > 0:
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_min_p(sampling.min_p, 1))
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(sampling.temperature))
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(seed))
    return chain


def _log_probability(logits: npt.NDArray[np.float32], token: int) -> float:
    """The logarithm of the softmax of the raw logits at one token."""
    top = logits.max()
    total = np.exp(logits - top).sum(dtype=np.float64)
    return float(logits[token] - top - np.log(total))
