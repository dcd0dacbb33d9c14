"""CTest: its own names of tests, and reports without messages. The texts are CTest 3.25's."""

import pytest

from quillon_testing.projects import put_on_path
from quillon_tools.command import Finished
from quillon_tools.policy import Decision
from quillon_tools.runners import ctest
from quillon_tools.runners.project import Project, Target

BUILD = {
    "CMakeLists.txt": "",
    "a.cpp": "",
    "build/CTestTestfile.cmake": """\
# CMake generated Testfile for
add_test(good "/w/build/good")
set_tests_properties(good PROPERTIES  _BACKTRACE_TRIPLES "/w/CMakeLists.txt;6;add_test;")
add_test([=[two words]=] "/w/build/bad")
subdirs("part")
subdirs("/elsewhere")
""",
    "build/part/CTestTestfile.cmake": 'add_test(below.one "/w/build/part/below")\nsubdirs("..")\n',
}
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="4" failures="3" disabled="0" skipped="0" hostname="" time="0">
<testcase name="good" classname="good" time="0.02" status="run"><system-out></system-out></testcase>
<testcase name="told" classname="told" time="0.01" status="fail"><failure message=""/>
<system-out>begin
  bad.c:3: expected 4, found 5
end
</system-out></testcase>
<testcase name="vague" classname="vague" time="0.01" status="fail"><failure message=""/>
<system-out>first

last words
</system-out></testcase>
<testcase name="silent" classname="silent" time="0.01"><failure message=""/></testcase>
</testsuite>"""


@pytest.fixture
def asked(bench_of, tmp_path, monkeypatch):
    put_on_path(tmp_path, monkeypatch, "ctest")
    bench = bench_of(BUILD)
    bench.answer = Decision("deny")

    async def preview(**arguments):
        await bench.error("run_tests", **arguments)
        return bench.asked[-1].preview.split("\n")[0]

    return preview


async def test_everything(asked, tmp_path):
    argv = await asked()
    assert argv.startswith(f"{tmp_path}/tools/ctest --test-dir build --output-on-failure")
    assert " -R " not in argv


@pytest.mark.parametrize(
    ("target", "pattern"),
    [
        ("good", "'^good$'"),
        ("two words", "'^two\\ words$'"),
        ("below.one", "'^below\\.one$'"),
        ("CMakeLists.txt::x", "'^x$'"),
    ],
)
async def test_one_test_by_the_name_that_ctest_has(asked, target, pattern):
    assert (await asked(target=target)).endswith(f" -R {pattern}")


async def test_a_name_that_ctest_does_not_have(bench_of):
    said = await bench_of(BUILD).error("run_tests", target="other")
    assert "file or directory not found: other" in said


def test_what_a_test_wrote_is_its_message(bench_of):
    workspace = bench_of(BUILD).workspace
    command = ctest.plan(Project(workspace, workspace.roots[0], Target(), 9.0))
    said = command.read(Finished(8, "", 0, 0.5, REPORT))
    assert said == (
        "FAILED told - bad.c:3: expected 4, found 5\n  at bad.c:3\n"
        "FAILED vague - last words\nFAILED silent\n3 failed, 1 passed in 0.50s"
    )
