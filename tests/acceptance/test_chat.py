"""A newcomer talks to the real default model in the terminal, and is remembered."""

import re
import signal
import sqlite3
import subprocess
import sys
import termios

import pexpect
import pytest

from tests.acceptance.conftest import PROJECT, TIMEOUT_S, Home

CAPITAL = "What is the capital of France?"
ASKED = "What did I ask you?"
#: The tests allow short replies only, and a cut one is told to be cut.
CUT = "cut at the longest reply (sampling.max_new_tokens)\n"


def turns(home: Home) -> list[tuple[str, str]]:
    with sqlite3.connect(home.data / "banter.db") as database:
        rows = database.execute("SELECT role, text FROM turns ORDER BY id").fetchall()
    database.close()
    return rows


def test_one_command_answers_by_real_weights_and_remembers_after_a_restart(own_engine_home: Home) -> None:
    """The words of the README: a line through `make -s chat`."""
    home = own_engine_home
    command = ["make", "-s", "-C", str(PROJECT), "chat"]
    first = subprocess.run(
        command,
        input=f"{CAPITAL}\n",
        capture_output=True,
        text=True,
        env=home.environment,
        timeout=TIMEOUT_S,
        check=True,
    )
    assert "Paris" in first.stdout
    assert [role for role, _ in turns(home)] == ["person", "assistant"]
    assert turns(home)[0][1] == CAPITAL
    assert turns(home)[1][1] == first.stdout.strip()

    home.chat(f"{ASKED}\n")
    prompt = home.banter("sessions", "show", "1", "--prompt").stdout

    assert len(turns(home)) == 4
    assert CAPITAL in prompt
    assert first.stdout.strip().splitlines()[0] in prompt
    assert prompt.index(CAPITAL) < prompt.index(ASKED)


def test_a_pipe_gets_plain_text_only(home: Home) -> None:
    told = home.chat("Say hello.\n/help\n")

    assert told.returncode == 0
    assert told.stderr in ("", CUT)
    assert "\x1b" not in told.stdout
    assert "/regenerate" in told.stdout


def test_sessions_are_listed_with_what_was_said_in_them(home: Home) -> None:
    home.chat("Say hello.\n")
    home.chat("Say goodbye.\n", "--new")

    listed = home.banter("sessions", "list")
    shown = home.banter("sessions", "show", "2")

    assert listed.returncode == 0
    assert len(re.findall(r"\bterminal\b", listed.stdout)) == 2
    assert "Say goodbye." in shown.stdout
    assert "Say hello." not in shown.stdout
    assert home.banter("sessions", "show", "77").returncode == 1


def test_a_reply_that_was_cut_is_gone_on_with(home: Home) -> None:
    told = home.chat(f"{CAPITAL}\n/continue\n", variables={"BANTER_SAMPLING__MAX_NEW_TOKENS": "4"})

    assert told.stderr.startswith(CUT)
    first, whole = (text for role, text in turns(home) if role == "assistant")
    assert whole.startswith(first)
    assert ("Paris" in first, "Paris" in whole) == (False, True)
    assert told.stdout.count(first) == 1


@pytest.mark.parametrize("said", ["👍👩‍👩‍👧\n", "\u202eسلام\n", "é" * 50 + "\n"])
def test_emoji_and_other_scripts_are_answered(home: Home, said: str) -> None:
    told = home.chat(said)

    assert told.returncode == 0
    assert told.stderr in ("", CUT)
    assert told.stdout.strip()


def test_a_message_of_nul_characters_is_told_to_be_empty(home: Home) -> None:
    told = home.chat("\0\0\0\nSay hello.\n")

    assert told.returncode == 0
    assert told.stderr.removesuffix(CUT) == "There was nothing to read in that message.\n"
    assert [role for role, _ in turns(home)] == ["person", "assistant"]


def test_a_message_of_a_megabyte_is_kept_whole_and_its_end_is_answered(home: Home) -> None:
    said = "The sky is blue. " * 65_000 + CAPITAL

    told = home.chat(f"{said}\n", variables={"BANTER_GENERATION__CONTEXT_WINDOW": "512"})

    assert told.returncode == 0
    assert "only its last" in told.stderr
    assert told.stdout.strip()
    assert turns(home)[0] == ("person", said)


def test_the_chats_process_never_loads_torch(home: Home) -> None:
    script = (
        "import sys; sys.argv = ['banter', 'chat']\n"
        "from bots.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        input="Say hello.\n",
        capture_output=True,
        text=True,
        env=home.environment,
        timeout=TIMEOUT_S,
        check=True,
    )

    assert told.stdout.endswith("[]\n")
    assert len(told.stdout) > 3


def test_a_reply_that_is_out_of_time_is_told(home: Home) -> None:
    told = home.chat("Say hello.\n", variables={"BANTER_GENERATION__TIMEOUT_S": "0.01"})

    assert "time" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_persona_that_was_asked_for_speaks_in_an_old_dialogue_too(home: Home) -> None:
    file = home.folder / "config.toml"
    file.write_text('[personas.pirate]\nsystem_prompt = "Say arr."\n')
    home.chat("Say hello.\n")

    told = home.banter("--config", str(file), "chat", "--persona", "pirate", said="/persona list\n")
    later = home.banter("--config", str(file), "chat", said="/persona list\n")

    assert "* pirate" in told.stdout
    assert "* pirate" in later.stdout


def test_without_a_standard_input_there_is_nothing_to_answer(home: Home) -> None:
    command = f"exec {sys.executable} -P -m bots chat <&-"
    told = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        env=home.environment,
        cwd=home.folder,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_chat_that_waits_for_its_pipe(home: Home, number: int, code: int) -> None:
    chat = subprocess.Popen(
        [sys.executable, "-P", "-m", "bots", "chat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=home.environment,
        cwd=home.folder,
    )
    with chat:
        assert chat.stdin
        assert chat.stdout
        chat.stdin.write(b"/help\n")
        chat.stdin.flush()
        while b"/help" not in chat.stdout.readline():
            pass
        chat.send_signal(number)
        assert chat.wait(TIMEOUT_S) == code
        assert chat.stderr
        assert chat.stderr.read() == b""


class TestTerminal:
    """A person at a real terminal."""

    @pytest.fixture
    def terminal(self, home: Home) -> "pexpect.spawn[str]":
        environment = home.environment | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        return pexpect.spawn(
            sys.executable,
            ["-P", "-m", "bots", "chat"],
            env=environment,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            cwd=str(home.folder),
        )

    def test_it_shows_which_model_speaks_and_how_fast(self, terminal: "pexpect.spawn[str]") -> None:
        terminal.expect("smollm2-135m-instruct")
        terminal.expect("you ›")
        terminal.send("Say hello.\r")
        terminal.expect(r"banter ›.*\w")
        terminal.expect(r"smollm2-135m-instruct · \d+ tokens")
        terminal.expect("you ›")
        terminal.sendeof()
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0

    def test_the_commands(self, terminal: "pexpect.spawn[str]", home: Home) -> None:
        def say(line: str, answer: str) -> None:
            terminal.expect("you ›")
            terminal.send(f"{line}\r")
            terminal.expect(answer)

        say("/undo", "There is nothing to take back.")
        say("Name a colour.", r"\d+ tokens")
        say("/regenerate", r"\d+ tokens")
        say("/undo", "Taken back: Name a colour.")
        say("/regenerate", "There is no message to answer again.")
        say("/persona", r"\* banter")
        say("/persona nobody", "There is no persona 'nobody'")
        say("/new", "A new dialogue begins.")
        say("/dance", "There is no /dance.")
        say("/help", "/regenerate")
        terminal.expect("you ›")
        terminal.sendeof()
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert [role for role, _ in turns(home)] == ["person", "assistant", "assistant"]

    def test_ctrl_c_stops_a_reply_and_the_dialogue_goes_on(self, terminal: "pexpect.spawn[str]", home: Home) -> None:
        terminal.expect("you ›")
        terminal.send("Count from one to one hundred, in words.\r")
        terminal.expect("banter ›")
        terminal.sendintr()
        terminal.expect("stopped")
        terminal.expect("you ›")
        terminal.sendintr()
        terminal.expect("Ctrl-C once more leaves")
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.close()

        assert terminal.exitstatus == 0
        assert [role for role, _ in turns(home)] == ["person", "assistant"]

    def test_the_end_by_a_signal_leaves_the_terminal_as_it_was(self, terminal: "pexpect.spawn[str]") -> None:
        terminal.expect("you ›")
        terminal.send("Count from one to one hundred, in words.\r")
        terminal.expect("banter ›")
        terminal.kill(signal.SIGTERM)
        terminal.expect(pexpect.EOF)
        after = termios.tcgetattr(terminal.child_fd)[3]
        terminal.close()

        assert terminal.exitstatus == 143
        assert after & termios.ICANON
        assert after & termios.ISIG

    def test_a_second_ctrl_c_leaves_at_once(self, terminal: "pexpect.spawn[str]", home: Home) -> None:
        terminal.expect("you ›")
        terminal.send("Count from one to one hundred, in words.\r")
        terminal.expect("banter ›")
        terminal.send("\x03\x03")
        terminal.expect(pexpect.EOF)
        terminal.close()

        assert terminal.exitstatus == 0
        assert turns(home)[0][0] == "person"
