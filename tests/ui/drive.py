# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a GTK window through AT-SPI, the way a screen reader's user would: by role and name.

Run inside `xvfb-run dbus-run-session`. Everything waits with a limit; a miss prints the tree and fails.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402

TIMEOUT = float(os.environ.get("LK_UI_TIMEOUT", "120"))


def walk(node, depth=0):
    """What is shown; what is below something hidden is not looked at, which makes most of the tree."""
    if node is None or depth > 60 or (depth > 0 and not is_showing(node)):
        return
    yield node, depth
    try:
        count = node.get_child_count()
    except Exception:  # the node went away while we looked
        return
    for i in range(count):
        try:
            child = node.get_child_at_index(i)
        except Exception:
            continue
        yield from walk(child, depth + 1)


def states(node):
    try:
        return node.get_state_set()
    except Exception:
        return None


def is_showing(node):
    """GTK 4.8 calls only windows "showing"; a page that was never shown has no size yet."""
    found = states(node)
    if found is None or not found.contains(Atspi.StateType.VISIBLE):
        return False
    try:
        return Atspi.Component.get_extents(node, Atspi.CoordType.WINDOW).width > 0
    except Exception:
        return True


def is_sensitive(node):
    found = states(node)
    return found is not None and found.contains(Atspi.StateType.SENSITIVE)


def text_of(node):
    """The name, or the text a label or an entry shows."""
    try:
        if node.get_name():
            return node.get_name()
        if node.get_text_iface() is not None:
            return Atspi.Text.get_text(node, 0, Atspi.Text.get_character_count(node))
    except Exception:
        pass
    return ""


# Said where no desktop shows notifications; not ours to mend.
HARMLESS = ("org.freedesktop.Notifications",)


def wait_for_screen():
    """xvfb-run gives its server three seconds, which a busy machine may need only to load it."""
    path = "/tmp/.X11-unix/X" + os.environ.get("DISPLAY", ":0").split(":")[1].split(".")[0]
    end = time.time() + TIMEOUT
    while time.time() < end:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
                return
            except OSError:
                time.sleep(0.1)
    raise SystemExit("the virtual screen did not come up")


class Window:
    def __init__(self, argv, **environment):
        wait_for_screen()
        self.complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(argv, env={**os.environ, "GTK_A11Y": "atspi", **environment},
                                        stderr=self.complaints)
        self.root = None
        self.wait(self._attach, "the window on the accessibility bus")

    def _attach(self):
        if self.process.poll() is not None:
            raise SystemExit(f"the program ended with {self.process.returncode}")
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            application = desktop.get_child_at_index(i)
            try:
                if application is not None and application.get_process_id() == self.process.pid \
                        and application.get_child_count() > 0:
                    # without a main loop here, nothing would freshen what was cached
                    application.set_cache_mask(Atspi.Cache.NONE)
                    self.root = application
                    return True
            except Exception:
                continue
        return False

    def wait(self, condition, what, timeout=TIMEOUT):
        """A busy machine takes tens of milliseconds to answer a question, and a look at the whole tree asks a thousand:
        nothing is waited for less than TIMEOUT."""
        timeout = max(timeout, TIMEOUT)
        end = time.time() + timeout
        while time.time() < end:
            result = condition()
            if result:
                return result
            if self.process.poll() is not None:
                self.complaints.seek(0)
                raise SystemExit(f"the program ended with {self.process.returncode} while waiting for {what}:\n"
                                 + self.complaints.read()[-2000:])
            time.sleep(0.1)
        self.dump()
        raise SystemExit(f"waited {timeout:.0f} seconds in vain for {what}")

    def dump(self):
        for node, depth in walk(self.root):
            if is_showing(node):
                print("  " * depth, node.get_role_name(), "|", text_of(node), file=sys.stderr)

    def all(self, role=None, name=None, contains=None):
        for node, _ in walk(self.root):
            try:
                if role is not None and node.get_role_name() not in (role if isinstance(role, tuple) else (role,)):
                    continue
                text = text_of(node)
            except Exception:
                continue
            if (name is None or text == name) and (contains is None or contains in text) and is_showing(node):
                yield node

    def find(self, role=None, name=None, contains=None, timeout=TIMEOUT):
        return self.wait(lambda: next(self.all(role, name, contains), None),
                         f"{role or 'anything'} “{name or contains}”", timeout)

    def has(self, role=None, name=None, contains=None):
        return next(self.all(role, name, contains), None) is not None

    def gone(self, role=None, name=None, contains=None, timeout=TIMEOUT):
        self.wait(lambda: not self.has(role, name, contains), f"“{name or contains}” to go", timeout)

    def click(self, name, role=("push button", "button", "toggle button"), timeout=TIMEOUT):
        def try_it():
            for node in self.all(role, name):
                if is_sensitive(node) and node.get_action_iface() is not None \
                        and Atspi.Action.get_n_actions(node) > 0:
                    return Atspi.Action.do_action(node, 0)
            return False
        self.wait(try_it, f"a “{name}” that can be pressed", timeout)

    def press(self, role, name=None, contains=None, timeout=TIMEOUT):
        """Clicks with the mouse what has no action of its own: a row of a list."""
        node = self.find(role, name, contains, timeout)
        box = Atspi.Component.get_extents(node, Atspi.CoordType.WINDOW)
        Atspi.generate_mouse_event(box.x + box.width // 2, box.y + box.height // 2, "b1c")

    def scroll_down(self, x, y, times):
        """Turns the wheel at a place of the window."""
        for _ in range(times):
            Atspi.generate_mouse_event(x, y, "b5c")
            time.sleep(0.05)
        time.sleep(0.5)

    def type(self, name, text):
        node = self.find("text", name) if self.has("text", name) else self.find("entry", name)
        Atspi.EditableText.set_text_contents(node, text)

    def shot(self, name):
        folder = os.environ.get("LK_UI_SHOTS")
        if folder:
            time.sleep(0.4)
            subprocess.run(["import", "-window", "root", os.path.join(folder, name + ".png")], check=False)

    def check_complaints(self):
        """Every warning of GTK or GLib fails the test."""
        self.complaints.seek(0)
        lines = self.complaints.read().splitlines()
        bad = [line for line in lines if ("WARNING" in line or "CRITICAL" in line)
               and not any(words in line for words in HARMLESS)]
        if bad:
            raise SystemExit("the window complained:\n" + "\n".join(bad))

    def close(self):
        self.process.terminate()
        try:
            code = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit("the window did not end")
        self.check_complaints()
        return code
