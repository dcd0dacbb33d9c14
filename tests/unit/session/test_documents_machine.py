"""Whatever an editor does to its documents, the session's text is the editor's.

The model is an editor that keeps each text as a list of code units of the negotiated encoding
(UTF-8 bytes, UTF-16 units or code points) and addresses them by line and unit.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from quillon.capabilities import ClientCapabilities
from quillon.context.tree import parsed
from quillon.session import Session
from quillon.text import Change, Position
from quillon_testing.trees import shape
from quillon_tools.languages import language_of

NAMES = ("a.py", "b.ts", "c.rs", "d.txt")
LANGUAGES = {"a.py": "python", "b.ts": "typescript", "c.rs": "rust", "d.txt": "plaintext"}
LINES = ["def f(a):\n    return 😀\n", "if x {\n", "}\n", "let s = '𝔘';\r\n", "class A:\n"]
SCRAPS = [
    "",
    "x",
    "\r\n",
    "\r",
    "\n",
    '"é',
    "字(",
    "\u2028",
    "\f",
    "/*",
    "*/",
    '"""',
    "\t",
    "  ",
    "#",
]
PIECES = st.sampled_from([*LINES, *SCRAPS])
TEXTS = st.lists(PIECES, max_size=12).map("".join)
WIDTHS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


class Editor:
    """One document as an editor holds it."""

    def __init__(self, text, encoding):
        self.encoding = encoding
        self.version = 0
        self.set(text)

    @property
    def codec(self):
        return self.encoding if self.encoding == "utf-8" else f"{self.encoding}-le"

    def set(self, text):
        raw = text.encode(self.codec)
        width = WIDTHS[self.encoding]
        self.units = [raw[i : i + width] for i in range(0, len(raw), width)]

    @property
    def text(self):
        return b"".join(self.units).decode(self.codec)

    def offsets(self):
        """Where characters start, in units; an editor never addresses the inside of a line end."""
        text, at, found = self.text, 0, []
        for index, char in enumerate(text):
            if text[max(0, index - 1) : index + 1] != "\r\n":
                found.append(at)
            at += len(char.encode(self.codec)) // WIDTHS[self.encoding]
        return [*found, at]

    def position(self, offset):
        before = b"".join(self.units[:offset]).decode(self.codec)
        lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        last = lines[-1].encode(self.codec)
        return Position(len(lines) - 1, len(last) // WIDTHS[self.encoding])


class Documents(RuleBasedStateMachine):
    @initialize(encoding=st.sampled_from(list(WIDTHS)))
    def start(self, encoding):
        self.encoding = encoding
        self.session = Session(client=ClientCapabilities(encoding=encoding))
        self.editors = {}
        self.revisions = {}

    def uri(self, name):
        return f"file:///work%20space/{name}"

    @rule(name=st.sampled_from(NAMES), text=TEXTS)
    def open(self, name, text):
        if name in self.editors:
            self.close(name)
        self.editors[name] = Editor(text, self.encoding)
        self.session.open(self.uri(name), LANGUAGES[name], 0, text)
        self.revisions.pop(name, None)

    def close(self, name):
        self.session.close(self.uri(name))
        del self.editors[name]

    @precondition(lambda self: self.editors)
    @rule(data=st.data())
    def shut(self, data):
        self.close(data.draw(st.sampled_from(sorted(self.editors))))

    @precondition(lambda self: self.editors)
    @rule(data=st.data(), count=st.integers(1, 3), ask=st.booleans())
    def type(self, data, count, ask):
        name = data.draw(st.sampled_from(sorted(self.editors)))
        editor = self.editors[name]
        changes = []
        for _ in range(count):
            offsets = editor.offsets()
            start = data.draw(st.sampled_from(offsets))
            end = data.draw(st.sampled_from([o for o in offsets if o >= start][:9]))
            new = data.draw(PIECES)
            changes.append(Change(new, (editor.position(start), editor.position(end))))
            part = Editor(new, self.encoding).units
            editor.units[start:end] = part
        editor.version += 1
        self.session.change(self.uri(name), editor.version, changes)
        if ask:  # some versions are parsed, others are only a step to the next
            assert self.session.snapshot(self.uri(name)).tree is not None or name == "d.txt"

    @precondition(lambda self: self.editors)
    @rule(data=st.data(), text=TEXTS)
    def replace_all(self, data, text):
        name = data.draw(st.sampled_from(sorted(self.editors)))
        editor = self.editors[name]
        editor.set(text)
        editor.version += 1
        self.session.change(self.uri(name), editor.version, [Change(text)])

    @invariant()
    def the_texts_are_equal(self):
        for name, editor in getattr(self, "editors", {}).items():
            snapshot = self.session.snapshot(self.uri(name))
            assert snapshot.text == editor.text
            assert snapshot.lines.text == editor.text
            assert snapshot.version == editor.version

    @invariant()
    def versions_rise(self):
        for name in getattr(self, "editors", {}):
            revision = self.session.snapshot(self.uri(name)).revision
            assert revision >= self.revisions.get(name, 0)
            self.revisions[name] = revision

    @invariant()
    def only_what_is_open_is_known(self):
        if hasattr(self, "session"):
            assert len(self.session.snapshots()) == len(self.editors)

    def teardown(self):
        for name in getattr(self, "editors", {}):
            snapshot = self.session.snapshot(self.uri(name))
            if snapshot.language is None:
                assert snapshot.tree is None
                continue
            fresh = parsed(snapshot.text, language_of(LANGUAGES[name]))
            assert shape(snapshot.tree) == shape(fresh)
            assert snapshot.settled() is snapshot.tree


Documents.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDocuments = Documents.TestCase
