"""Which processes are known to be gone."""

import os
import subprocess
import sys

from core.process_name import has_ended, process_name

_TELL = "from core.process_name import process_name; print(process_name(), flush=True); input()"


def test_a_process_that_was_killed_has_ended_and_one_that_runs_has_not() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        assert not has_ended(name)

        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert has_ended(name)  # although its parent has not asked how it ended

        child.wait(timeout=20)

        assert has_ended(name)


def test_an_earlier_process_with_the_same_number_has_ended() -> None:
    own = process_name()
    realm, number, _ = own.split("/")

    assert not has_ended(own)
    assert not has_ended(process_name())
    assert number == str(os.getpid())
    assert has_ended(f"{realm}/{number}/0badc0de")


def test_nothing_is_known_of_other_machines_and_of_other_names() -> None:
    assert not has_ended("another.pid:[1]/1/0badc0de")
    assert not has_ended("/1/0badc0de")
    assert not has_ended("host:17:0badc0de")
    assert not has_ended("")
