import threading

import pytest

from quillon_tools.languages import (
    LANGUAGES,
    MAX_SOURCE_BYTES,
    ParseError,
    definitions_query,
    language_of,
    parse,
    references_query,
)
from quillon_tools.symbols import KINDS, symbols_in


def check_symbols(language: str, source: str, expected: list[str]) -> None:
    """`expected` rows read `start-end kind Container.name`."""
    known = language_of(language)
    assert known is not None
    rows = [
        f"{s.start_line}-{s.end_line} {s.kind} {s.full_name}"
        for s in symbols_in(source.encode(), known)
    ]
    assert rows == expected
    assert {row.split()[1] for row in rows} <= set(KINDS)


def test_python():
    check_symbols(
        "python",
        """\
LIMIT = 3
type Pair = tuple[int, int]
@dec
class Foo(Base):
    y = 1
    @property
    def bar(self):
        def inner(): pass
    async def baz(self): pass
def top(): pass
""",
        [
            "1-1 constant LIMIT",
            "2-2 type Pair",
            "4-9 class Foo",
            "7-8 method Foo.bar",
            "8-8 function Foo.bar.inner",
            "9-9 method Foo.baz",
            "10-10 function top",
        ],
    )


def test_javascript():
    check_symbols(
        "javascript",
        """\
const LIMIT = 3;
export const arrow = (a) =>
  a;
export function f() {}
class A { constructor() {}
  m() {}
  #p() {}
  h = () => 1;
}
module.exports.q = function() {};
const o = { k: () => 1 };
function* gen() {}
let z = 1;
""",
        [
            "1-1 constant LIMIT",
            "2-3 function arrow",
            "4-4 function f",
            "5-9 class A",
            "6-6 method A.m",
            "7-7 method A.#p",
            "8-8 method A.h",
            "10-10 function q",
            "11-11 constant o",
            "11-11 function o.k",
            "12-12 function gen",
        ],
    )


def test_typescript():
    check_symbols(
        "typescript",
        """\
export interface I { a(): void; b: string }
type T = string;
enum E { A, B }
namespace N { export function nf(): void {} }
export abstract class C {
  abstract am(): void;
  m(): void {}
  private h = () => 1;
}
declare function df(x: number): void;
const LIMIT = 3;
""",
        [
            "1-1 interface I",
            "1-1 method I.a",
            "2-2 type T",
            "3-3 enum E",
            "4-4 module N",
            "4-4 function N.nf",
            "5-9 class C",
            "6-6 method C.am",
            "7-7 method C.m",
            "8-8 method C.h",
            "10-10 function df",
            "11-11 constant LIMIT",
        ],
    )


def test_tsx():
    check_symbols(
        "typescriptreact",
        "export const App: React.FC = () => <div/>;\nfunction B() { return <p>hi</p> }\n",
        ["1-1 function App", "2-2 function B"],
    )


def test_go():
    check_symbols(
        "go",
        """\
package main
const Limit = 3
const (
  A = 1
)
var (
  W = 2
)
type S struct { a int }
type I interface { M() }
type Alias = int
type D int
func (s *S[T]) Method() {}
func Top() { x := 1 }
""",
        [
            "2-2 constant Limit",
            "4-4 constant A",
            "7-7 variable W",
            "9-9 struct S",
            "10-10 interface I",
            "10-10 method I.M",
            "11-11 type Alias",
            "12-12 type D",
            "13-13 method S.Method",
            "14-14 function Top",
        ],
    )


def test_rust():
    check_symbols(
        "rust",
        """\
const LIMIT: u8 = 3;
pub struct P { x: u8 }
enum E { A }
union U { a: u8 }
type T = u8;
trait Tr { fn sig(&self); fn def(&self) {} }
impl<T> P<T> {
    pub fn m(&self) { fn inner() {} }
    const C: u8 = 1;
}
mod m { pub fn in_mod() {} }
macro_rules! mac { () => {} }
fn top() {}
""",
        [
            "1-1 constant LIMIT",
            "2-2 struct P",
            "3-3 enum E",
            "4-4 union U",
            "5-5 type T",
            "6-6 interface Tr",
            "6-6 method Tr.sig",
            "6-6 method Tr.def",
            "8-8 method P.m",
            "8-8 function P.m.inner",
            "9-9 constant P.C",
            "11-11 module m",
            "11-11 function m.in_mod",
            "12-12 macro mac",
            "13-13 function top",
        ],
    )


def test_java():
    check_symbols(
        "java",
        """\
public class C {
  static final int LIMIT = 3;
  C() {}
  void m() {}
  class Inner { void im() {} }
}
interface I { void im(); }
enum E { A; void em() {} }
record R(int a) {}
@interface An {}
""",
        [
            "1-6 class C",
            "2-2 constant C.LIMIT",
            "3-3 method C.C",
            "4-4 method C.m",
            "5-5 class C.Inner",
            "5-5 method C.Inner.im",
            "7-7 interface I",
            "7-7 method I.im",
            "8-8 enum E",
            "8-8 method E.em",
            "9-9 class R",
            "10-10 interface An",
        ],
    )


def test_c():
    check_symbols(
        "c",
        """\
#define LIMIT 3
#define SQ(x) ((x)*(x))
struct S { int a; };
union U { int a; };
enum E { A, B };
typedef struct { int z; } Anon;
typedef struct S2 { int z; } S2t;
static const int K = 3;
int proto(int);
static char *top(int a) {
  struct S s;
  return 0;
}
""",
        [
            "1-1 constant LIMIT",
            "2-2 macro SQ",
            "3-3 struct S",
            "4-4 union U",
            "5-5 enum E",
            "6-6 struct Anon",
            "7-7 type S2t",
            "7-7 struct S2",
            "8-8 constant K",
            "9-9 function proto",
            "10-13 function top",
        ],
    )


def test_cpp():
    check_symbols(
        "cpp",
        """\
namespace ns { namespace in {
template <typename T> class C {
 public:
  C();
  ~C();
  void m() const { }
  T operator+(const T& o);
};
} }
void ns::in::C::out(int a) { }
template <class T> void C<T>::tout() {}
using Al = int;
enum class E { A };
constexpr int K = 3;
int top() { return 0; }
""",
        [
            "1-9 module ns",
            "1-9 module ns.in",
            "2-8 class ns.in.C",
            "4-4 method ns.in.C.C",
            "5-5 method ns.in.C.~C",
            "6-6 method ns.in.C.m",
            "7-7 method ns.in.C.operator+",
            "10-10 method ns.in.C.out",
            "11-11 method C.tout",
            "12-12 type Al",
            "13-13 enum E",
            "14-14 constant K",
            "15-15 function top",
        ],
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("src/app.py", "python"),
        ("A/B.TSX", "typescriptreact"),
        ("x.h", "c"),
        ("x.hpp", "cpp"),
        ("javascriptreact", "javascript"),
        ("typescriptreact", "typescriptreact"),
        ("README.md", None),
        ("Makefile", None),
        ("", None),
    ],
)
def test_language_of(name, expected):
    language = language_of(name)
    assert (language.id if language else None) == expected


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda lang: lang.id)
@pytest.mark.parametrize(
    "source",
    [b"", b"\xff\xfe\x00garbage\x80", b"class \xe9\xff(:\n  def \x00", b"{([" * 2000, b"\n" * 5000],
    ids=["empty", "binary", "broken utf-8", "unbalanced", "blank"],
)
def test_any_bytes_parse(language, source):
    for symbol in symbols_in(source, language):
        assert 0 <= symbol.start_byte <= symbol.end_byte <= len(source)
        assert 1 <= symbol.start_line <= symbol.end_line


def test_a_huge_source_is_refused():
    python = language_of("python")
    with pytest.raises(ParseError, match="over the limit"):
        parse(b"x" * (MAX_SOURCE_BYTES + 1), python)


def test_queries_serve_many_threads():
    source = b"class A:\n    def m(self): pass\n" * 200
    found: list[int] = []

    def work() -> None:
        for language in LANGUAGES:
            definitions_query(language)
            references_query(language)
        found.append(len(symbols_in(source, language_of("python"))))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [400] * 6
