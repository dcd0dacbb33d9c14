import os
import socket
import threading
import unicodedata
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quillon_tools import opening
from quillon_tools.calls import Failed, Retry, ToolError
from quillon_tools.confinement import ConfinedPath, Root, Roots, _spelling
from quillon_tools.workspace import Workspace

INSIDE = "inside\n"
OUTSIDE = "the secret outside\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace beside a folder that must never be reached, with links of every kind."""
    base = tmp_path_factory.mktemp("place")
    root, outside = base / "ws", base / "outside"
    (root / "src" / "deep").mkdir(parents=True)
    outside.mkdir()
    (outside / "file.py").write_text(OUTSIDE)
    (outside / "folder").mkdir()
    for name in ("a.py", "src/app.py", "src/deep/x.py", "Ünï.py", "with space.py", "-x.py"):
        (root / name).write_text(INSIDE)
    links = {
        "in_file": "src/app.py",
        "in_folder": "src",
        "in_absolute": str(root / "src"),
        "in_up": "src/deep/../app.py",
        "out_file": str(outside / "file.py"),
        "out_folder": str(outside),
        "out_relative": "../outside",
        "out_far": "../" * 40 + "etc",
        "out_chain": "in_folder/../../outside/file.py",
        "out_root": "/",
        "out_proc": "/proc/self/root",
        "out_dev": "/dev/null",
        "loop": "loop",
        "loop_a": "loop_b",
        "loop_b": "loop_a",
        "src/up": "../..",
        "src/deep/self": "..",
        "dangling": "nowhere",
        "out_dangling": "../nowhere",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    return base


@pytest.fixture(scope="module")
def roots(place):
    return Roots([place / "ws"])


def read(path: ConfinedPath) -> str:
    with os.fdopen(opening.open_file(path), "rb") as file:
        return file.read().decode()


def outcome(roots: Roots, text: str) -> str:
    """What a person would see: the text inside, or the error."""
    try:
        path = roots.resolve(text)
        assert path.real.is_relative_to(path.root.real)
        content = read(path)
    except ToolError as error:
        return f"{type(error).__name__}: {error}"
    return content


@pytest.mark.parametrize(
    "text",
    [
        "a.py",
        "./a.py",
        "src//app.py",
        "src/./app.py",
        "  a.py ",
        "a.py\n",
        "Ünï.py",
        unicodedata.normalize("NFD", "Ünï.py"),
        "with space.py",
        "-x.py",
        "in_file",
        "in_folder/app.py",
        "in_absolute/app.py",
        "in_up",
        "src/deep/self/deep/self/app.py",
    ],
)
def test_inside(roots, text):
    assert outcome(roots, text) == INSIDE


@pytest.mark.parametrize(
    "form", ["{root}/a.py", "file://{root}/a.py", "file://localhost{root}/a.py"]
)
def test_absolute_paths_and_uris_inside(place, roots, form):
    assert outcome(roots, form.format(root=place / "ws")) == INSIDE


def test_a_uri_is_percent_decoded(place, roots):
    assert outcome(roots, f"file://{place}/ws/with%20space.py") == INSIDE


ATTACKS = [
    # Upwards, in every spelling.
    *("..", "../", "../outside/file.py", "src/../../outside/file.py", "./../outside/file.py"),
    *("src/deep/../../../outside/file.py", "a.py/../../outside/file.py", "../" * 50 + "etc/passwd"),
    *("....//....//etc/passwd", "..;/outside", "%2e%2e/outside", "..%2foutside", "..%00/outside"),
    *("src/..", "src/../a.py", " ../outside/file.py", "../ws/a.py", "..\\outside\\file.py"),
    # Absolute, home, environment.
    *("/", "/etc/passwd", "//etc/passwd", "///etc/passwd", "/proc/self/environ", "/dev/null"),
    *("/proc/self/root/etc/passwd", "/proc/self/cwd", "/dev/stdin", "/dev/fd/0", "/sys/kernel"),
    *("~", "~/", "~root", "~/.ssh/id_rsa", "~/../etc/passwd", "$HOME/.ssh/id_rsa", "${HOME}/x"),
    *("%USERPROFILE%", "$(id)", "`id`"),
    # Windows.
    *("C:", "C:\\", "C:\\Windows", "C:/Windows", "c:a.py", "\\\\server\\share", "//server/share"),
    *("\\\\?\\C:\\x", "\\\\.\\pipe\\x", "/C:/Windows", "\\etc\\passwd", "a\\..\\..\\outside", "\\"),
    *("Z:/x", "C:..\\x", "/c:/x"),
    # URIs.
    *("file:///etc/passwd", "file://host/etc/passwd", "file:////etc/passwd", "file:etc/passwd"),
    *("file:///%2e%2e/etc", "file://..%2f..%2fetc", "file:///%00", "FILE:///etc/passwd"),
    *("http://example.com/a.py", "https://example.com", "ftp://x/y", "data:text/plain,x"),
    *("vscode-remote://ssh/a.py", "javascript:alert(1)", "file://[::1/x", "file:///%ff%fe"),
    # What cannot be seen, or ends a string.
    *("a.py\0", "\0", "a\0.py", "a\n.py", "a\r.py", "a.py\x1b[2J", "a.py\x7f", "a\tb.py"),
    *("a\u200b.py", "\ufeffa.py", "a\u202e.yp", "a\u2066.py", "a\u00ad.py", "a\u2028.py"),
    *("\ud800", "a\udcff.py", "\U000e0041.py", "\u0378.py"),
    # Look-alikes.
    *("．．/outside/file.py", "‥/outside", "․․/outside", "…/outside", "..／outside", "..∕outside"),
    *("..⁄outside", "..＼outside", "Ｃ：/x", "～/x", "。。/x", "．/a.py", "․/a.py", "﹨x", "﹕x"),
    # Too long, too deep.
    *("a" * 300, "a/" * 3000, "x" * 100_000, "d/" * 250 + "x", "ä" * 200),
    # Links that leave, loops, and what is no regular file.
    *("out_file", "out_folder", "out_folder/file.py", "out_relative/file.py", "out_far/passwd"),
    *("out_chain", "out_root", "out_root/etc/passwd", "out_proc/etc/passwd", "out_dev"),
    *("loop", "loop_a", "loop/x", "src/up/outside/file.py", "src/up", "src/deep/self/up/outside"),
    *("in_folder/up/outside/file.py", "dangling", "out_dangling", "pipe", "src", ".", ""),
    # Secrets.
    *(".git/config", ".git", ".env", ".ENV", ".env.local", "x/.env", "id_rsa", ".ssh/config"),
    *(".aws/credentials", "key.pem", "KEY.PEM", ".netrc", ".npmrc", ".pypirc", "credentials.json"),
    *("．env", ".ｅｎｖ", ".env ", ".env.", ".git/hooks/pre-commit", "sub/.git/config"),
]  # fmt: skip


def combined() -> list[str]:
    """Ways to start, to hide and to go on, put together: what a list by hand forgets."""
    starts = ["", "./", "src/", "in_folder/", "/", "file:///", "src/deep/", "out_root/"]
    hops = ["../", "..//", ".././", "../src/../", "%2e%2e/", "..\\"]
    ends = ["outside/file.py", "etc/passwd", "../outside/file.py", "ws/../outside/file.py"]
    return [f"{a}{b * n}{c}" for a, b, c, n in product(starts, hops, ends, (1, 3))]


def test_there_are_many_attacks():
    assert len(set(ATTACKS + combined())) >= 300


@pytest.mark.parametrize("text", ATTACKS, ids=ascii)
def test_attack_is_refused(roots, text):
    assert outcome(roots, text).startswith(("Retry: ", "Failed: "))


def test_combined_attacks_are_refused(roots):
    for text in combined():
        assert outcome(roots, text).startswith(("Retry: ", "Failed: ")), text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("../x", "Retry: not a path of this workspace: '../x': write it from the workspace's root"),
        ("out_file", "Failed: out_file is a link that leads out of the workspace"),
        ("loop", "Failed: loop leads through a loop of links"),
        ("pipe", "Failed: pipe is not a regular file (a pipe, a socket or a device)"),
        ("src", "Retry: src is a folder; use list_files"),
        ("src/ap.py", "Retry: file not found: src/ap.py\nDid you mean: src/app.py"),
        ("a.py/x", "Retry: a part of a.py/x is a file and not a folder"),
        (".env", "Failed: .env may hold secrets (.env), so it is not shown"),
        ("/src/app.py", "Retry: /src/app.py is outside of the workspace."),
        ("https://x.y/a.py", "Retry: not a path of this workspace: 'https://x.y/a.py': only paths"),
    ],
)
def test_refusals_say_what_to_do(roots, text, message):
    assert outcome(roots, text).startswith(message)


def test_a_path_without_its_slash_is_named(roots):
    assert "Did you mean src/app.py?" in outcome(roots, "/src/app.py")


def test_a_socket_is_refused(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "s"))  # the name is short: relative
        assert "not a regular file" in outcome(Roots([tmp_path]), "s")


def test_system_folders_are_no_workspace():
    assert "part of the system" in outcome(Roots(["/"]), "proc/self/environ")
    assert "part of the system" in outcome(Roots(["/"]), "/dev/null")


def test_only_a_workspace_makes_paths(tmp_path):
    root = Root(tmp_path, "ws")
    with pytest.raises(TypeError, match="only a workspace"):
        ConfinedPath(root, ("..", "x"), "x", (tmp_path, ()), seal=object())


PIECES = (
    *("..", ".", "", "src", "deep", "a.py", "in_folder", "out_folder", "out_root", "up", "self"),
    *("loop", "~", "etc", "C:", "\\", "％", "．．", "outside", "file.py", "%2e%2e", "\u202e"),
)
texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=8).map("/".join))


@settings(max_examples=300, deadline=None)
@given(text=texts, form=st.sampled_from(["{}", "/{}", "./{}", "file:///{}", "{}/", "src/{}"]))
def test_no_resolved_path_leaves_the_roots(place, roots, text, form):
    written = form.format(text)
    try:
        path = roots.resolve(written)
    except ToolError:
        return
    real = Path(os.path.realpath(path.real))
    assert real.is_relative_to(place / "ws")
    assert real == path.real
    assert outcome(roots, written) != OUTSIDE


def test_several_roots_have_labels(tmp_path):
    for name in ("one/app", "two/app", "lib"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "f.py").write_text(name)
    roots = Roots([tmp_path / "one/app", tmp_path / "two/app", tmp_path / "lib"])
    assert [str(root) for root in roots.each()] == ["app", "app-2", "lib"]
    assert read(roots.resolve("app-2/f.py")) == "two/app"
    assert str(roots.resolve("lib/f.py")) == "lib/f.py"
    assert read(roots.resolve("f.py")) == "one/app"
    (tmp_path / "lib" / "only.py").write_text("here")
    assert str(roots.resolve("only.py")) == "lib/only.py"
    assert roots.resolve(".").top
    assert str(roots.resolve(str(tmp_path / "lib" / "f.py"))) == "lib/f.py"


def test_a_link_from_one_root_to_another_stays_inside(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "b" / "f.py").write_text("b")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "b")
    assert str(Roots([tmp_path / "a", tmp_path / "b"]).resolve("a/link/f.py")) == "b/f.py"
    with pytest.raises(Failed, match="leads out"):
        Roots([tmp_path / "a"]).resolve("link/f.py")


def test_a_root_behind_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f.py").write_text(INSIDE)
    (tmp_path / "link").symlink_to("real")
    roots = Roots([tmp_path / "link"])
    for text in ("f.py", f"{tmp_path}/link/f.py", f"{tmp_path}/real/f.py"):
        assert outcome(roots, text) == INSIDE
    assert tmp_path / "link" / "f.py" in roots.resolve("f.py").names


def test_a_readable_secret_is_read(tmp_path):
    (tmp_path / ".env").write_text("A=1")
    assert outcome(Roots([tmp_path]), ".env").startswith("Failed")
    assert outcome(Roots([tmp_path], readable_secrets=[".env"]), ".env") == "A=1"


def test_a_link_to_a_secret_is_a_secret(tmp_path):
    (tmp_path / ".env").write_text("A=1")
    (tmp_path / "notes.txt").symlink_to(".env")
    assert "may hold secrets" in outcome(Roots([tmp_path]), "notes.txt")


def test_names_are_spelt_as_on_disk(tmp_path):
    (tmp_path / "README.md").touch()
    assert _spelling(tmp_path, "README.md") == "README.md"
    assert _spelling(tmp_path, "missing.md") == "missing.md"
    name = unicodedata.normalize("NFC", "é.md")
    (tmp_path / name).touch()
    assert _spelling(tmp_path, unicodedata.normalize("NFD", name)) == name


# Links that are made between the check and the use.


def swap_attack(roots: Roots, base: Path, victim: Path, text: str, rounds: int) -> set[str]:
    """Swap a place for a link to the outside and back, while it is resolved and opened."""
    ended = threading.Event()
    kept, decoy = base / "kept", base / "decoy"
    decoy.symlink_to(base / "outside" / ("file.py" if victim.is_file() else ""))

    def attack() -> None:
        while not ended.is_set():
            victim.rename(kept)
            decoy.rename(victim)
            victim.rename(decoy)
            kept.rename(victim)

    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        return {outcome(roots, text).split(":")[0] for _ in range(rounds)}
    finally:
        ended.set()
        attacker.join()


@pytest.mark.parametrize("portable", [False, True], ids=["openat", "portable"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_swapped_for_a_link(tmp_path, monkeypatch, portable, what):
    monkeypatch.setattr(opening, "HAS_OPENAT", not portable)
    root = tmp_path / "ws"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file.py").write_text(OUTSIDE)
    (root / "sub" / "file.py").write_text(INSIDE)
    victim = root / "sub" / "file.py" if what == "file" else root / "sub"
    seen = swap_attack(Roots([root]), tmp_path, victim, "sub/file.py", 1500)
    assert OUTSIDE.split(":", maxsplit=1)[0] not in seen
    assert seen <= {INSIDE, "Retry", "Failed"}
    assert INSIDE in seen


def test_a_resolved_path_does_not_follow_a_later_link(tmp_path):
    root = tmp_path / "ws"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "f.py").write_text(INSIDE)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f.py").write_text(OUTSIDE)
    path = Roots([root]).resolve("sub/f.py")
    (root / "sub").rename(root / "moved")
    (root / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises((Failed, Retry)):
        opening.open_file(path)
    with pytest.raises((Failed, Retry)):
        opening.entries_of(Roots([root]).each()[0].child("sub"))


def test_a_folder_that_may_only_be_passed_through(tmp_path):
    (tmp_path / "closed" / "open").mkdir(parents=True)
    (tmp_path / "closed" / "open" / "f.py").write_text(INSIDE)
    (tmp_path / "closed").chmod(0o111)
    try:
        assert outcome(Roots([tmp_path]), "closed/open/f.py") == INSIDE
    finally:
        (tmp_path / "closed").chmod(0o755)


def test_an_unreadable_file_says_so(tmp_path):
    (tmp_path / "f.py").write_text(INSIDE)
    (tmp_path / "f.py").chmod(0)
    may = os.access(tmp_path / "f.py", os.R_OK)  # root may
    expected = INSIDE if may else "Failed: permission denied: f.py"
    assert outcome(Roots([tmp_path]), "f.py") == expected


def test_a_workspace_without_a_root_is_none():
    with pytest.raises(ValueError, match="at least one root"):
        Workspace([])
