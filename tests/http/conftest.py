# SPDX-License-Identifier: MIT
"""One remuda per file of cases, asked for all of them at once: `outcomes` has each by name."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox")]

import daemon  # noqa: E402
import letter  # noqa: E402

INI = """
[server]
listen = 127.0.0.1:0
listen = unix:@DIR@/socket
class = @CLASS@
workers = 1
threads = 4

[limits]
request_line = 1k
header_fields = 20
header_size = 4k
body = 10k

[plugin letter]
path = @TEST_PLUGINS@/letter.so
"""


def pytest_sessionstart():
    if not daemon.REMUDA.exists():
        pytest.exit(f"{daemon.REMUDA} is not built; REMUDA_BUILD names the build folder", 1)


def pytest_generate_tests(metafunc):
    """test_letter of each file: one test for each of its CASES and each way to send it."""
    cases = getattr(metafunc.module, "CASES", None)
    if cases is not None and "case" in metafunc.fixturenames:
        metafunc.parametrize("way", letter.WAYS)
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])


@pytest.fixture(scope="module")
def remuda():
    """It ends by TERM, with status 0."""
    one = daemon.Daemon(INI)
    failed = True
    try:
        one.wait_ready()
        yield one
        assert one.stop() == 0, one.report()
        assert not one.leftovers(), one.report()
        failed = False
    finally:
        one.clean_up()
        if failed:
            print(one.report())
        else:
            one.remove()


@pytest.fixture(scope="module")
def outcomes(request, remuda):
    """(case id, way) -> what is wrong, or None; all cases of the file in one go."""
    path = next(a for a in remuda.addresses if a.startswith("unix:"))[len("unix:"):]
    return letter.run_all(request.module.CASES, path)
