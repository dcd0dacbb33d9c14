"""Downloads from plain addresses: resuming, breaking, lying servers, full disks."""

import threading

import pytest
from inline_snapshot import snapshot

from quillon.engine.pull import events
from quillon_testing.gguf_files import SMALL_MODEL as MODEL
from quillon_testing.gguf_files import gguf_bytes


@pytest.fixture
def address(server):
    server.files["/m/a.gguf"] = MODEL
    return f"{server.url}/m/a.gguf"


def test_a_file_comes_whole_and_nothing_stays_beside_it(address, puller):
    (done,) = puller(address)
    assert done.path.read_bytes() == MODEL
    assert done.sha256 is None
    left = {path.suffix for path in puller.folder.rglob("*") if path.is_file()}
    assert left == {".gguf", ".lock"}
    assert puller.of(events.Progress)[-1] == events.Progress(len(MODEL), len(MODEL))


def test_a_broken_connection_is_continued(server, address, puller):
    server.breaks = [130_000, 70_000]
    (done,) = puller(address)
    assert done.path.read_bytes() == MODEL
    assert len(puller.of(events.Retry)) == 2
    first, second, third = server.headers_of("GET")
    assert "range" not in first
    assert second["range"] == "bytes=65536-"
    assert second["if-range"] == server.etag
    assert third["range"] == "bytes=131072-"


def test_one_that_breaks_again_and_again_is_continued_by_the_next_pull(server, address, puller):
    server.breaks = [130_000, 0, 0]
    said = puller.refused(address)
    assert said.startswith(f"{address} could not be received: the connection broke (")
    assert said.endswith("What came is kept: the next pull goes on from there.")
    assert puller.kept == 65536
    (done,) = puller(address)
    assert done.path.read_bytes() == MODEL
    assert server.headers_of("GET")[-1]["range"] == "bytes=65536-"


def test_a_server_without_ranges_sends_it_again(server, address, puller):
    server.ranges = False
    server.breaks = [130_000]
    (done,) = puller(address)
    assert done.path.read_bytes() == MODEL


def test_a_file_that_changed_meanwhile_is_begun_anew(server, address, puller):
    server.breaks = [130_000, 0, 0]
    puller.refused(address)
    server.files["/m/a.gguf"], server.etag = MODEL[:-1] + b"x", '"two"'
    (done,) = puller(address)
    assert done.path.read_bytes() == MODEL[:-1] + b"x"


def test_a_shorter_file_than_what_is_there_is_begun_anew(server, address, puller):
    server.breaks = [130_000, 0, 0]
    puller.refused(address)
    server.files["/m/a.gguf"] = gguf_bytes()
    (done,) = puller(address)
    assert done.path.read_bytes() == gguf_bytes()


def test_a_server_that_tells_no_length(server, address, puller):
    server.lengths = False
    (done,) = puller(address)
    assert done.path.read_bytes() == MODEL


def test_a_server_that_tells_no_length_and_breaks_is_found_by_the_header(server, address, puller):
    server.lengths = False
    server.files["/m/a.gguf"] = MODEL[:-5000]
    assert "is cut off on the server: it should have" in puller.refused(address)
    assert puller.kept == 0


def test_redirects_are_followed(server, address, puller):
    server.redirects["/old/b.gguf"] = "/m/a.gguf"
    server.files["/old/b.gguf"] = b""
    (done,) = puller(f"{server.url}/old/b.gguf")
    assert done.path.name == "b.gguf"
    assert done.path.read_bytes() == MODEL


def test_a_circle_of_redirects_ends(server, puller):
    server.redirects["/b.gguf"] = "/b.gguf"
    assert "leads nowhere" in puller.refused(f"{server.url}/b.gguf")


def test_a_page_is_refused_at_its_first_bytes(server, puller):
    server.files["/a.gguf"] = b"<!DOCTYPE html>\n<title>Log in</title>\0." + bytes(10_000_000)
    assert puller.refused(f"{server.url}/a.gguf").endswith(
        "/a.gguf is no GGUF file: it begins with '<!DOCTYPE html> <title>Log in</title> . '. "
        "Check the address; a page about a file is not the file."
    )
    assert puller.kept == 0


def test_a_damaged_header_is_refused(server, puller):
    server.files["/a.gguf"] = b"GGUF" + b"\xff" * 1000
    assert "It is deleted. Choose another file" in puller.refused(f"{server.url}/a.gguf")
    assert puller.kept == 0


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "(status 404). Check the address."),
        (401, "does not let you read"),
        (403, "does not let you read"),
        (407, "The proxy wants a login"),
        (418, "answered status 418"),
        (503, "could not be received: the server answered status 503"),
    ],
)
def test_refusals_say_what_to_do(server, address, puller, status, said):
    server.statuses["/m/a.gguf"] = status
    assert said in puller.refused(address)


def test_a_server_that_is_not_there(server, puller):
    said = puller.refused("http://127.0.0.1:1/a.gguf")
    assert said.startswith("127.0.0.1:1 cannot be reached: ")
    assert said.endswith("Is this machine online? Where a proxy is needed, set HTTPS_PROXY.")


def test_a_proxy_that_is_not_there_is_named(server, puller, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    said = puller.refused("http://models.invalid/a.gguf")
    assert said.endswith("The proxy of HTTP_PROXY is used: is it right?")


def test_a_proxy_that_is_no_address(server, puller, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "socks9://what")
    assert "Mend HTTPS_PROXY" in puller.refused("http://models.invalid/a.gguf")


def test_a_proxy_is_used(server, puller, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.files["http://models.invalid/a.gguf"] = MODEL
    (done,) = puller("http://models.invalid/a.gguf")
    assert done.path.read_bytes() == MODEL


def test_the_disk_is_looked_at_first(server, address, puller):
    server.files["/m/a.gguf"] = Endless(MODEL)
    said = puller.refused(address)
    assert "free, and 1000000.00 GB more are needed" in said
    assert puller.kept == 0


class Endless(bytes):
    """A file that says it is as large as no disk."""

    def __len__(self):
        return 10**15

    def __getitem__(self, at):
        return self


def test_two_pulls_of_one_file_do_not_meet(server, address, puller):
    server.stall_after = 70_000
    first = threading.Thread(target=puller, args=(address,), kwargs={"pauses": ()})
    first.start()
    assert server.stalled.wait(60)
    assert puller.refused(address) == (
        f"Another quillon is downloading {address} already. Wait for it, or stop it."
    )
    server.release.set()
    first.join()
    assert len(puller.of(events.Progress)) > 2


def test_a_folder_that_cannot_be_made(server, address, puller):
    puller.folder.parent.mkdir(exist_ok=True)
    puller.folder.write_text("a file")
    assert "cannot be written" in puller.refused(address)


def test_secrets_of_an_address_are_neither_shown_nor_stored(server, puller):
    server.files["/a.gguf?key=hidden"] = MODEL
    server.breaks = [130_000, 0, 0]
    with_secrets = server.url.replace("//", "//me:hidden@") + "/a.gguf?key=hidden"
    assert "hidden" not in puller.refused(with_secrets)
    assert all("hidden" not in str(event) for event in puller.told)
    (note,) = puller.folder.glob(".pull/*.json")
    assert b"hidden" not in note.read_bytes()
    (done,) = puller(with_secrets)
    assert done.path.name == "a.gguf"


@pytest.mark.parametrize(
    "what",
    [
        "https://example.com/%2e%2e%2fpasswd.gguf",
        "https://example.com/.gguf",
        "https://example.com/",
        "https://example.com/model.bin",
        "https://example.com:port/a.gguf",
        "ftp://example.com/a.gguf",
        "https:///a.gguf",
        "owner/repo:../../a.gguf",
        "owner/../repo:a.gguf",
        "owner/repo:/etc/a.gguf",
        "owner/repo:a\n.gguf",
        "/etc/passwd",
        "",
    ],
)
def test_names_that_lead_elsewhere_are_refused_unasked(server, puller, what):
    assert puller.refused(what)
    assert server.asked == []


def test_a_file_of_this_machine_needs_no_download(server, puller, tmp_path):
    file = tmp_path / "a.gguf"
    file.write_bytes(MODEL)
    assert puller.refused(str(file)).endswith("is a file on this machine: set model.path to it.")


def test_what_is_no_checksum(server, address, puller):
    assert puller.refused(address, sha256="abc") == snapshot(
        "'abc' is no SHA-256 checksum: that has 64 hexadecimal digits."
    )
