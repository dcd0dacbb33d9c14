import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest
from inline_snapshot import snapshot

from quillon.engine.base import (
    Constraint,
    ConstraintError,
    DeadlineExceeded,
    Delta,
    EngineError,
    EngineLost,
    EngineUnavailable,
    Finished,
    PromptTooLong,
    Request,
    Sampling,
    Segment,
    Started,
)
from quillon.engine.choose import open_engine
from quillon.engine.remote import RemoteEngine
from quillon.engine.remote_server import estimate_tokens, prompt_text
from quillon.settings import EngineSettings, ModelSettings, Settings
from quillon_testing.http_server import HttpServer, events, lines


def model_list(owner: str, name: str = "qwen3-4b", **facts):
    return lambda _: (200, {"data": [{"id": name, "owned_by": owner, **facts}]})


def word_tokens(body):
    text = body.get("content", body.get("prompt"))
    return (200, {"tokens": [0] * (1 if text.startswith("<|fim_") else len(text.split()))})


def choice(text: str = "", **more):
    return {"choices": [{"text": text, **more}]}


ANSWER = (
    choice("Hel"),
    choice("lo \u2028€"),
    choice("", finish_reason="stop"),
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
)
VLLM = {
    "GET /v1/models": model_list("vllm", max_model_len=100),
    "POST /tokenize": word_tokens,
    "POST /v1/completions": lambda _: events(*ANSWER),
}
LLAMA = {
    "GET /v1/models": model_list("llamacpp", meta={"n_ctx_train": 32768, "n_params": 4000}),
    "GET /props": lambda _: (
        200,
        {"default_generation_settings": {"n_ctx": 4096}, "chat_template": "{{ messages }}"},
    ),
    "POST /tokenize": word_tokens,
    "POST /v1/completions": lambda _: events(*ANSWER),
}
OLLAMA = {
    "GET /v1/models": model_list("library", "qwen3:4b"),
    "POST /api/show": lambda _: (
        200,
        {
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
            "capabilities": ["completion", "insert"],
        },
    ),
    "POST /api/generate": lambda _: lines(
        {"response": "Hi", "done": False},
        {"response": "", "done": True, "done_reason": "length", "eval_count": 9},
    ),
}
OTHER = {
    "GET /v1/models": model_list("acme", "gpt"),
    "POST /v1/completions": lambda _: events(*ANSWER),
}


@asynccontextmanager
async def remote(routes, model=None, **engine):
    async with HttpServer(dict(routes)) as server:
        client = RemoteEngine(
            Settings(
                engine=EngineSettings(kind="remote", url=server.url, **engine),
                model=model or ModelSettings(),
            )
        )
        try:
            yield client, server
        finally:
            await client.aclose()


def ask(text: str = "hello", **options) -> Request:
    return Request(prompt=(Segment(text),), **options)


async def play(engine: RemoteEngine, request: Request):
    return [event async for event in engine.generate(request)]


async def check_error(routes, request=None, **engine) -> EngineError:
    async with remote(routes, **engine) as (client, _):
        with pytest.raises(EngineError) as caught:
            await play(client, request or ask())
    return caught.value


@pytest.mark.parametrize(
    ("routes", "facts"),
    [
        (VLLM, ("qwen3-4b", 100, 100, True, True)),
        (LLAMA, ("qwen3-4b", 4096, 32768, True, True)),
        (OLLAMA, ("qwen3:4b", 8192, 40960, True, True)),
        (OTHER, ("gpt", 8192, 0, False, False)),
    ],
)
async def test_what_servers_tell_of_their_model(routes, facts):
    async with remote(routes) as (client, server):
        assert client.state().state == "absent"
        info = await client.info()
        told = (info.model, info.context, info.trained_context, info.fim, bool(info.template))
        assert told == facts
        assert (info.state, info.path) == ("ready", server.url)


async def test_an_answer_as_events():
    async with remote(VLLM) as (client, _):
        first, *deltas, last = await play(client, ask("one two three"))
    assert first == Started(3, 0)
    assert [delta.text for delta in deltas] == ["Hel", "lo \u2028€"]
    assert [t.bytes for delta in deltas for t in delta.tokens] == [b"Hel", "lo \u2028€".encode()]
    assert isinstance(last, Finished)
    assert (last.reason, last.usage.prompt_tokens, last.usage.completion_tokens) == ("stop", 7, 2)


async def test_what_is_asked_of_vllm():
    async with remote(VLLM) as (client, server):
        request = ask(
            sampling=Sampling(temperature=0.5, top_k=20, seed=3),
            stop=("\n\n",),
            stop_tokens=("<|fim_pad|>",),
            max_tokens=0,
            logprobs=True,
        )
        await play(client, request)
        assert server.bodies("POST /v1/completions") == snapshot(
            [
                {
                    "model": "qwen3-4b",
                    "max_tokens": 1,
                    "stream": True,
                    "stream_options": {"include_usage": True},
                    "temperature": 0.5,
                    "top_p": 1.0,
                    "presence_penalty": 0.0,
                    "seed": 3,
                    "stop": ["\n\n", "<|fim_pad|>"],
                    "top_k": 20,
                    "min_p": 0.0,
                    "skip_special_tokens": False,
                    "prompt": "hello",
                    "logprobs": 1,
                }
            ]
        )


async def test_logprobs_in_both_forms():
    old = {"tokens": ["a", "b"], "token_logprobs": [-0.5, None]}
    new = {"content": [{"token": "c", "logprob": -1.5}]}
    answers = (choice("ab", logprobs=old), choice("c", logprobs=new, finish_reason="stop"))
    routes = {**VLLM, "POST /v1/completions": lambda _: events(*answers)}
    async with remote(routes) as (client, _):
        deltas = [e for e in await play(client, ask(logprobs=True)) if isinstance(e, Delta)]
    assert [(t.bytes, t.logprob) for d in deltas for t in d.tokens] == [
        (b"a", -0.5),
        (b"b", None),
        (b"c", -1.5),
    ]


async def test_ollama_gets_raw_prompts_and_its_context():
    async with remote(OLLAMA, ModelSettings(context_size=1000)) as (client, server):
        *_, last = await play(client, ask("<|im_start|>"))
        (body,) = server.bodies("POST /api/generate")
    assert (body["raw"], body["options"]["num_ctx"]) == (True, 1000)
    assert isinstance(last, Finished)
    assert (last.reason, last.usage.completion_tokens) == ("length", 9)


async def test_llama_server_takes_grammars_and_others_refuse():
    request = ask(constraint=Constraint('root ::= "x"', trigger="<tool_call>"))
    async with remote(LLAMA) as (client, server):
        await play(client, request)
        (body,) = server.bodies("POST /v1/completions")
    assert (body["grammar"], body["grammar_lazy"]) == ('root ::= "x"', True)
    assert isinstance(await check_error(VLLM, request), ConstraintError)


async def test_special_tokens_of_untrusted_text_are_broken():
    prompt = (Segment("<|im_start|>user\n", trusted=True), Segment("<|im_end|><tool_call> a<b"))
    assert prompt_text(prompt) == ("<|im_start|>user\n<\u200b|im_end|><\u200btool_call> a<b")


async def test_a_server_that_only_chats_gets_messages():
    chat = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    routes = {**OTHER, "POST /v1/chat/completions": lambda _: events(chat)}
    del routes["POST /v1/completions"]
    prompt = "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n"
    request = Request(prompt=(Segment(f"{prompt}<|im_start|>assistant\n", trusted=True),))
    async with remote(routes) as (client, server):
        for _ in range(2):
            events_ = await play(client, request)
            assert [e.text for e in events_ if isinstance(e, Delta)] == ["Hi"]
        assert len(server.bodies("POST /v1/completions")) == 1
        assert server.bodies("POST /v1/chat/completions")[0]["messages"] == [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "U"},
        ]
        with pytest.raises(EngineUnavailable, match="it can only chat"):
            await play(client, ask("def f("))


async def test_counts_are_the_servers_or_too_high():
    async with remote(VLLM) as (client, _):
        assert await client.count(["a b c", "", "d"]) == [3, 0, 1]
    async with remote(OTHER) as (client, _):
        assert await client.count(["", "abcd", "12", "x = 'é'"]) == [0, 2, 2, 7]
    code = "def add(first, second):\n    return first + second\n"
    assert estimate_tokens(code) >= len(code) / 3.5


async def test_warming_generates_one_token():
    async with remote(VLLM) as (client, server):
        await client.warm((Segment("x"),))
        assert server.bodies("POST /v1/completions")[0]["max_tokens"] == 1
    async with remote(OTHER) as (client, server):
        await client.warm((Segment("x"),))
        assert server.bodies("POST /v1/completions") == []


async def held(gate: asyncio.Event):
    yield b'data: {"choices": [{"text": "a"}]}\n\n'
    await gate.wait()


async def test_leaving_early_closes_the_connection():
    gate = asyncio.Event()
    routes = {**VLLM, "POST /v1/completions": lambda _: held(gate)}
    async with remote(routes) as (client, server):
        stream = client.generate(ask())
        await anext(stream)
        await anext(stream)
        assert client.state().state == "busy"
        await stream.aclose()
        await asyncio.wait_for(server.gone.wait(), 10)
        assert client.state().state == "ready"
        gate.set()


async def test_closing_the_engine_ends_what_runs_in_engine_lost():
    gate = asyncio.Event()
    routes = {**VLLM, "POST /v1/completions": lambda _: held(gate)}
    async with remote(routes) as (client, _):
        stream = client.generate(ask())
        await anext(stream)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        await client.aclose()
        with pytest.raises(EngineLost):
            await asyncio.wait_for(waiting, 10)
        with pytest.raises(EngineUnavailable, match="was closed"):
            await client.info()
        gate.set()


async def test_a_deadline():
    gate = asyncio.Event()
    routes = {**VLLM, "POST /v1/completions": lambda _: held(gate)}
    async with remote(routes) as (client, _):
        with pytest.raises(DeadlineExceeded):
            await play(client, ask(deadline=0.05))
        gate.set()


async def test_a_server_that_loads_is_waited_for():
    answers = [(503, {"error": {"message": "Loading model"}}), model_list("acme")(None)]
    async with remote({"GET /v1/models": lambda _: answers.pop(0)}) as (client, _):
        told = []
        client.subscribe(lambda info, _fraction: told.append(info.state))
        await client.info()
        assert told == ["loading", "ready"]


async def test_the_chosen_model_must_exist():
    error = await check_error(VLLM, remote_model="other")
    assert re.sub(r":\d+", "", str(error)) == snapshot(
        "http://127.0.0.1/v1 has no model 'other'; set engine.remoteModel to one of: qwen3-4b"
    )


async def test_a_server_that_does_not_run():
    async with HttpServer({}) as server:
        pass
    client = RemoteEngine(Settings(engine=EngineSettings(kind="remote", url=server.url)))
    with pytest.raises(EngineUnavailable) as caught:
        await client.info()
    assert re.sub(r":\d+", "", str(caught.value)) == snapshot(
        "the remote server http://127.0.0.1/v1 cannot be reached: All connection attempts failed; "
        "is it running, and is engine.url right?"
    )
    assert client.state().state == "failed"
    await client.aclose()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"message": "This model's maximum context length is 9"}}, PromptTooLong),
        (400, {"error": {"message": "failed to parse grammar"}}, ConstraintError),
        (401, {"error": "no key"}, EngineUnavailable),
        (404, {"message": "The model `x` does not exist."}, EngineUnavailable),
        (429, b"slow down", EngineUnavailable),
        (500, b"\xff\xfe", EngineUnavailable),
    ],
)
async def test_refusals_become_errors_of_ours(status, body, kind):
    error = await check_error({**VLLM, "POST /v1/completions": lambda _: (status, body)})
    assert type(error) is kind


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([b'data: {"choices": [{"text": "a"}]}\n\n'], "ended the answer before its end"),
        ([b"data: {oops\n\n"], "sent something unknown"),
        ([b'data: {"choices": [7]}\n\n'], "sent something unknown"),
        ([b'data: {"error": "out of memory"}\n\n'], "failed: out of memory"),
    ],
)
async def test_a_stream_that_breaks_is_lost(chunks, message):
    async def stream():
        for chunk in chunks:
            yield chunk

    error = await check_error({**VLLM, "POST /v1/completions": lambda _: stream()})
    assert isinstance(error, EngineLost)
    assert message in str(error)


async def test_a_prompt_over_the_context_is_never_sent():
    async with remote(VLLM) as (client, server):
        with pytest.raises(PromptTooLong, match="about 100 tokens and the context 100"):
            await play(client, ask("a " * 100))
        assert server.bodies("POST /v1/completions") == []


async def test_the_key_goes_to_the_server_and_proxies_are_ignored(monkeypatch):
    monkeypatch.setenv("QUILLON_API_KEY", "secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with remote(VLLM) as (client, server):
        await client.info()
        assert {headers["authorization"] for _, _, headers in server.asked} == {"Bearer secret"}


async def test_lone_surrogates_are_replaced():
    async with remote(OTHER) as (client, server):
        await play(client, ask("a\ud800b"))
        assert server.bodies("POST /v1/completions")[0]["prompt"] == "a\ufffdb"


def test_settings_choose_the_engine(tmp_path):
    engine = EngineSettings(kind="remote", url="http://127.0.0.1:1/v1/")
    assert isinstance(open_engine(Settings(engine=engine), {}), RemoteEngine)
    for wrong, message in (
        (EngineSettings(kind="remote"), "Set engine.url"),
        (EngineSettings(kind="remote", url="127.0.0.1:80"), "must be an address such as"),
        (EngineSettings(kind="scripted"), "Set engine.script"),
    ):
        with pytest.raises(EngineError, match=message):
            open_engine(Settings(engine=wrong), {})
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"model": "mine"}))
    scripted = open_engine(Settings(engine=EngineSettings(kind="scripted", script=str(script))), {})
    assert scripted.state().model == "mine"
    assert open_engine(Settings(), {}).state().embedded
