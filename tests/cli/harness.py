# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the command line share.

Each is called as test-ROOM.py LORIKEET_CLI [TEST…] and prints TAP. LK_DATA_DIR holds the shipped model; LK_SHARED_DIR, where it is set,
the golden tokenizers and templates. A test is a function test_NAME (folder), the folder being its own and empty.
"""
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import traceback

CLI = os.path.abspath(sys.argv[1])
SHARED = os.environ.get("LK_SHARED_DIR", "")
MODEL = os.path.join(os.environ.get("LK_DATA_DIR", ""), "model", "lorikeet-tiny.gguf")
TRAIN = ("train", "-m", MODEL, "--device", "cpu", "--samples", "0", "--steps", "1", "--length", "64")
PATIENCE = float(os.environ.get("LK_TEST_TIMEOUT", "120"))  # seconds; what waits this long hangs, on a machine that does other things, too
# Commands end right after their work and libraries (fontconfig) keep what they have: leaks are looked for in the rooms' tests.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
OK, FAILED, USAGE, BAD_INPUT, NO_ROOM, DEVICE = range(6)
INTERRUPTED = 130


class Skip(Exception):
    pass


def run(*arguments, text=None, env=None, expect=None, stdout=subprocess.PIPE, **options):
    """The ended process, its outputs as text; its exit code must be @expect where that is given."""
    done = subprocess.run([CLI, *arguments], input=(text or "").encode(), stdout=stdout, stderr=subprocess.PIPE, timeout=PATIENCE,
                          env={**os.environ, **(env or {})}, **options)
    done.stdout, done.stderr = (done.stdout or b"").decode(), done.stderr.decode()
    assert expect is None or done.returncode == expect, f"{arguments}: ended with {done.returncode}, not {expect}: {done.stderr}"
    return done


def sentence(done):
    """The one sentence of a command that failed."""
    lines = [line for line in done.stderr.split("\n") if line]
    assert done.returncode != OK and len(lines) == 1 and lines[0].startswith("lorikeet-cli: "), done
    assert lines[0][-1] in ".!?)" and "(null)" not in lines[0], done
    return lines[0]


def cli(*arguments, text=None, expect=OK):
    """The process's standard output; its exit code must be @expect, and a failure one sentence on standard error."""
    done = run(*arguments, text=text, expect=expect)
    if expect != OK:
        sentence(done)
    return done.stdout


def refused(words, *arguments, text=None, expect=USAGE, **options):
    """A command that fails with @expect, in a sentence that holds @words (one or several), and answers nothing."""
    done = run(*arguments, text=text, expect=expect, **options)
    said = sentence(done)
    for word in [words] if isinstance(words, str) else words:
        assert word in said, f"{arguments}: “{word}” is not in {said!r}"
    assert not done.stdout, done
    return said


def lines_of(text):
    """The JSON of each line, a line being what Unicode calls one."""
    return [json.loads(line) for line in text.splitlines() if line]


def need_model():
    assert os.path.exists(MODEL), "the shipped model is not in LK_DATA_DIR"


def golden(*names):
    if not SHARED:
        raise Skip("LK_SHARED_DIR is not set")
    path = os.path.join(SHARED, "golden", *names)
    assert os.path.exists(path), f"{path} is missing"  # a folder without its cases proves nothing
    return path


def smollm2():
    """The file tests/fetch-models fetches; nothing is fetched here."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fetch-models")
    found = subprocess.run([script, "--path"], capture_output=True, text=True)
    if found.returncode != 0:
        raise Skip("SmolLM2 is not there; tests/fetch-models fetches it")
    return found.stdout.strip()


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def some_rows(folder, n=8):
    return write(folder, "rows.jsonl", "".join(json.dumps({"prompt": f"Say {i}.", "completion": f"{i}"}) + "\n" for i in range(n)))


def some_events(folder):
    """Nineteen steps of a run, and a line that its death cut off."""
    lines = "".join(json.dumps({"event": "step", "time": i, "step": i, "loss": 3 / i}) + "\n" for i in range(1, 20))
    write(folder, "events.jsonl", lines + "half a li")


def tree(folder):
    """All that lies in @folder, by path from there."""
    return sorted(os.path.relpath(os.path.join(place, name), folder) for place, folders, files in os.walk(folder) for name in folders + files)


def default_signals():
    """For preexec_fn: a signal that is ignored where the tests run (nohup, a job in the background) is not ignored by what they start."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A command at a terminal of its own. What fails says all that the terminal showed."""

    def __init__(self, *arguments):
        self.master, slave = os.openpty()
        self.process = subprocess.Popen([CLI, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=self._begin)
        os.close(slave)
        self.seen, self.shown = "", ""  # what was not yet waited for; everything

    @staticmethod
    def _begin():
        default_signals()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def _read(self, seconds):
        """FALSE: nobody has the terminal open any more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self.master, 4096).decode(errors="replace")
        except OSError:
            return False
        self.seen += piece
        self.shown += piece
        return bool(piece)

    def wait_for(self, *texts):
        """Until one of @texts is shown, which is returned; what stands before and in it is done with."""
        end = time.monotonic() + PATIENCE
        while not any(text in self.seen for text in texts) and time.monotonic() < end and self._read(0.2):
            pass
        found = [text for text in texts if text in self.seen]
        assert found, f"waited for {texts}, exit code {self.process.poll()}; the terminal showed {self.shown[-4000:]!r}"
        first = min(found, key=self.seen.index)
        self.seen = self.seen.split(first, 1)[1]
        return first

    def shows(self, text):
        """Whether @text is shown before the command ends."""
        while text not in self.seen and self._read(0.2) and self.process.poll() is None:
            pass
        return text in self.seen

    def type(self, text):
        os.write(self.master, text.encode())

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """The exit code; the terminal is read to its end, so that nobody waits for room in it."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            if not self._read(0.2):
                time.sleep(0.05)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end; the terminal showed {self.shown[-4000:]!r}")
        while select.select([self.master], [], [], 0)[0] and self._read(0):
            pass
        os.close(self.master)
        return self.process.returncode


def main(names):
    tests = [(name[5:], f) for name, f in names.items() if name.startswith("test_") and (len(sys.argv) < 3 or name[5:] in sys.argv[2:])]
    failed = False
    print(f"1..{len(tests)}")
    for i, (name, test) in enumerate(tests, 1):
        began = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="lorikeet-cli-") as folder:
                test(folder)
            print(f"ok {i} - {name}")
        except Skip as skip:
            print(f"ok {i} - {name} # SKIP {skip}")
        except Exception:
            failed = True
            print(f"not ok {i} - {name}")
            print("\n".join("# " + line for line in traceback.format_exc().split("\n")))
            print(f"# after {time.monotonic() - began:.1f} s, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
        sys.stdout.flush()
    sys.exit(failed)
