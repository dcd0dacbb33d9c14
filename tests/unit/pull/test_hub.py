"""Models of the Hub: names, files, parts, checksums, refusals."""

import hashlib
import json

import pytest
from inline_snapshot import snapshot

from quillon.engine.catalogue import RECOMMENDED
from quillon.engine.models import resolve_model
from quillon.engine.pull import events
from quillon.settings import ModelSettings, Settings
from quillon_testing.file_server import COMMIT
from quillon_testing.gguf_files import CHAT_MODEL, gguf_bytes
from quillon_testing.gguf_files import SMALL_MODEL as MODEL

REPO = "someone/small-GGUF"


def test_a_recommended_name_is_pulled_and_used_by_that_name(server, puller, monkeypatch):
    model = RECOMMENDED[0]
    server.offer(model.repo, model.file, MODEL)
    (done,) = puller(model.name)
    assert done.path.read_bytes() == MODEL
    assert done.sha256 == hashlib.sha256(MODEL).hexdigest()
    monkeypatch.setenv("QUILLON_MODELS", str(puller.folder))
    settings = Settings(model=ModelSettings(path=model.name.upper()))
    assert resolve_model(settings, {}).path == done.path


def test_nothing_but_the_file_is_asked_for(server, puller):
    server.offer(REPO, "a.gguf", MODEL)
    puller(f"{REPO}:a.gguf")
    assert [(method, path) for method, path, _ in server.asked] == [
        ("HEAD", f"/{REPO}/resolve/main/a.gguf"),
        ("GET", f"/{REPO}/resolve/{COMMIT}/a.gguf"),
    ]


def test_an_address_of_the_hub_is_a_file_of_it(server, puller):
    server.offer(REPO, "a.gguf", MODEL)
    (done,) = puller(f"https://huggingface.co/{REPO}/blob/main/a.gguf?download=true")
    assert done.path == puller.folder / REPO / "a.gguf"


def test_all_parts_of_a_split_model_come(server, puller):
    names = [f"big-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
    parts = [gguf_bytes({**CHAT_MODEL, "split.no": number}) for number in range(3)]
    for name, part in zip(names, parts, strict=True):
        server.offer(REPO, name, part)
    done = puller(f"{REPO}:{names[0]}")
    assert [one.path.name for one in done] == names
    assert [one.path.read_bytes() for one in done] == parts


@pytest.fixture
def listed(server):
    """A repository with three files."""
    names = ["a-Q4_K_M.gguf", "a-Q8_0.gguf", "README.md"]
    body = {"id": REPO, "siblings": [{"rfilename": name} for name in names]}
    for revision in ("/revision/main", ""):
        server.files[f"/api/models/{REPO}{revision}"] = json.dumps(body).encode()
    server.offer(REPO, "a-Q4_K_M.gguf", MODEL)


def test_a_part_of_the_name_is_enough(listed, puller):
    (done,) = puller(f"{REPO}:q4_k_m")
    assert done.path.name == "a-Q4_K_M.gguf"


def test_a_repository_alone_lists_its_files(listed, puller):
    assert puller.refused(REPO) == snapshot(
        "Say which file of someone/small-GGUF you want, as someone/small-GGUF:FILE. "
        "There are: a-Q4_K_M.gguf, a-Q8_0.gguf."
    )


def test_a_wrong_checksum_keeps_nothing(server, puller):
    server.offer(REPO, "a.gguf", MODEL)
    for path in server.files:
        server.sums[path] = "0" * 64
    said = puller.refused(f"{REPO}:a.gguf")
    assert said == (
        f"{REPO}:a.gguf has the wrong checksum: sha256 {hashlib.sha256(MODEL).hexdigest()}, and "
        f"{'0' * 64} was expected. It is deleted. Pull it again; if that does not help, the server "
        "or something on the way changes the file."
    )
    assert puller.kept == 0
    assert list(puller.folder.rglob("*.gguf")) == []


def test_a_checksum_that_the_user_knows_is_compared_before_anything_comes(server, puller):
    server.offer(REPO, "a.gguf", MODEL)
    said = puller.refused(f"{REPO}:a.gguf", sha256="1" * 64)
    assert "it is another file, so nothing is downloaded" in said
    assert server.headers_of("GET") == []


def test_what_is_there_is_not_pulled_again(server, puller):
    server.offer(REPO, "a.gguf", MODEL)
    puller(f"{REPO}:a.gguf")
    (again,) = puller(f"{REPO}:a.gguf")
    assert not again.fresh
    assert len(server.headers_of("GET")) == 1


def test_another_content_replaces_what_is_there(server, puller):
    server.offer(REPO, "a.gguf", gguf_bytes())
    puller(f"{REPO}:a.gguf")
    server.offer(REPO, "a.gguf", MODEL)
    (again,) = puller(f"{REPO}:a.gguf")
    assert again.fresh
    assert again.path.read_bytes() == MODEL


def test_a_part_of_another_content_is_not_continued(server, puller):
    server.offer(REPO, "a.gguf", MODEL[:-1] + b"x")
    server.breaks = [100_000, 0, 0]
    puller.refused(f"{REPO}:a.gguf")
    assert puller.kept > 0
    server.offer(REPO, "a.gguf", MODEL)
    (done,) = puller(f"{REPO}:a.gguf")
    assert done.path.read_bytes() == MODEL
    assert puller.of(events.Found)[-1].have == 0


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, "GatedRepo", "is gated: accept its terms"),
        (403, "GatedRepo", "is gated: accept its terms"),
        (401, "RepoNotFound", "has no repository someone/small-GGUF, or it is private"),
        (404, "RepoNotFound", "has no repository someone/small-GGUF, or it is private"),
        (404, "EntryNotFound", "has no file a.gguf"),
        (404, "RevisionNotFound", "has no revision main"),
        (403, "", "does not let you read"),
        (500, "", "answered status 500"),
    ],
)
def test_refusals_say_what_to_do(server, puller, status, code, said):
    path = f"/{REPO}/resolve/main/a.gguf"
    server.statuses[path], server.errors[path] = status, code
    assert said in puller.refused(f"{REPO}:a.gguf")


def test_the_token_goes_to_the_hub_and_not_where_it_redirects(server, puller, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.offer(REPO, "a.gguf", MODEL)
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.redirects[f"/{REPO}/resolve/{COMMIT}/a.gguf"] = f"{elsewhere}/cdn/a.gguf"
    server.files["/cdn/a.gguf"] = MODEL
    puller(f"{REPO}:a.gguf")
    head, (first, second) = server.headers_of("HEAD"), server.headers_of("GET")
    assert [one["authorization"] for one in (*head, first)] == ["Bearer hf_secret"] * 2
    assert "authorization" not in second


def test_nothing_is_asked_offline(server, puller, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert puller.refused(f"{REPO}:a.gguf") == snapshot(
        "HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it."
    )
    assert server.asked == []
