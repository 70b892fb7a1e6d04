# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a GTK window through AT-SPI, the way a screen reader's user would: by role and name.

Run inside `xvfb-run dbus-run-session`. Everything waits with a limit; a miss prints the tree and fails.
The accessibility bus is asked for a whole level of the tree at once: a question after the other, as libatspi asks, a look at the
window takes a thousand turns between three processes, which is half a minute where the machine is busy.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

TIMEOUT = float(os.environ.get("LK_UI_TIMEOUT", "120"))
DEEPEST = 60
ACCESSIBLE, COMPONENT, TEXT = "org.a11y.atspi.Accessible", "org.a11y.atspi.Component", "org.a11y.atspi.Text"
PROPERTIES = "org.freedesktop.DBus.Properties"
IN_WINDOW = 1  # coordinates
SENSITIVE, VISIBLE = 24, 30  # bits of a state


class Bus:
    """The accessibility bus."""

    def __init__(self):
        session = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        address, = session.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None, 0, -1, None).unpack()
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)

    def ask(self, questions):
        """The answers to (place, interface, method, arguments), all asked before the first is waited for; None where there is none."""
        answers = [None] * len(questions)
        left = len(questions)

        def answered(connection, result, i):
            nonlocal left
            left -= 1
            try:
                answers[i] = connection.call_finish(result).unpack()
            except GLib.Error:  # it went away while we looked, or has no such interface
                pass

        for i, ((name, path), interface, method, arguments) in enumerate(questions):
            self.connection.call(name, path, interface, method, arguments, None, Gio.DBusCallFlags.NO_AUTO_START,
                                 int(TIMEOUT * 1000), None, answered, i)
        while left > 0:
            GLib.MainContext.default().iteration(True)
        return answers


class Node:
    """Something of the window, as it was when it was looked at."""

    def __init__(self, bus, place):
        self.bus, self.place, self.children, self.text = bus, tuple(place), [], ""
        self.role, self.state, self.box = "", 0, (0, 0, 0, 0)

    def questions(self):
        named = GLib.Variant("(ss)", (ACCESSIBLE, "Name"))
        return [(self.place, ACCESSIBLE, "GetState", None), (self.place, ACCESSIBLE, "GetRole", None),
                (self.place, PROPERTIES, "Get", named), (self.place, ACCESSIBLE, "GetChildren", None),
                (self.place, COMPONENT, "GetExtents", GLib.Variant("(u)", (IN_WINDOW,)))]

    def take(self, state, role, name, children, box):
        self.state = state[0][0] | state[0][1] << 32 if state else 0
        self.role = Atspi.role_get_name(role[0]) if role else ""
        self.text = name[0] if name else ""
        self.box = box[0] if box else None
        self.children = [Node(self.bus, place) for place in children[0]] if children else []

    def is_showing(self):
        """GTK 4.8 calls only windows "showing"; a page that was never shown has no size yet."""
        return bool(self.state >> VISIBLE & 1) and (self.box is None or self.box[2] > 0)

    def do(self, interface, method, arguments=None):
        """Whether it was done: it answered, and, where the answer is a boolean, not that it could not."""
        answer, = self.bus.ask([(self.place, interface, method, arguments)])
        return answer is not None and answer != (False,)

    def activate(self):
        return self.do("org.a11y.atspi.Action", "DoAction", GLib.Variant("(i)", (0,)))

    def set_text(self, text):
        return self.do("org.a11y.atspi.EditableText", "SetTextContents", GLib.Variant("(s)", (text,)))

    def set_value(self, value):
        return self.do(PROPERTIES, "Set", GLib.Variant("(ssv)", ("org.a11y.atspi.Value", "CurrentValue", GLib.Variant("d", value))))


def look(root):
    """Looks at what is shown below @root; what is below something hidden is left out, which is most of the tree."""
    level, silent = root.children, []
    for _ in range(DEEPEST):
        answers = root.bus.ask([question for node in level for question in node.questions()])
        shown = []
        for i, node in enumerate(level):
            node.take(*answers[5 * i:5 * i + 5])
            if node.is_showing():
                shown.append(node)
            else:
                node.children = []
        silent += [node for node in shown if not node.text]
        level = [child for node in shown for child in node.children]
        if not level:
            break
    texts = root.bus.ask([(node.place, TEXT, "GetText", GLib.Variant("(ii)", (0, -1))) for node in silent])
    for node, text in zip(silent, texts):
        node.text = text[0] if text else ""


def walk(node, depth=0):
    """What is shown, as it was looked at."""
    for child in node.children:
        if child.is_showing():
            yield child, depth
            yield from walk(child, depth + 1)


def is_sensitive(node):
    return bool(node.state >> SENSITIVE & 1)


def text_of(node):
    """The name, or the text a label or an entry shows."""
    return node.text


# Said where no desktop shows notifications; and, now and then on a busy machine, by GTK 4.8 of a viewport of its own that is shown between
# two layouts. Of a widget of ours the same words count.
HARMLESS = ("org.freedesktop.Notifications", "Trying to snapshot GtkViewport")


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
        self.bus = Bus()
        self.root = None
        self.wait(self._attach, "the window on the accessibility bus")

    def _attach(self):
        if self.process.poll() is not None:
            raise SystemExit(f"the program ended with {self.process.returncode}")
        registry = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
        found, = self.bus.ask([(registry, ACCESSIBLE, "GetChildren", None)])
        owners = self.bus.ask([(("org.freedesktop.DBus", "/org/freedesktop/DBus"), "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                                GLib.Variant("(s)", (name,))) for name, _ in (found[0] if found else [])])
        for place, owner in zip(found[0] if found else [], owners):
            if owner and owner[0] == self.process.pid:
                self.root = Node(self.bus, place)
                return bool(self.look())
        return False

    def look(self):
        children, = self.bus.ask([(self.root.place, ACCESSIBLE, "GetChildren", None)])
        self.root.children = [Node(self.bus, place) for place in (children[0] if children else [])]
        look(self.root)
        return self.root.children

    def wait(self, condition, what, timeout=TIMEOUT):
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
        self.look()
        for node, depth in walk(self.root):
            print("  " * depth, node.role, "|", node.text, file=sys.stderr)

    def all(self, role=None, name=None, contains=None):
        self.look()
        for node, _ in walk(self.root):
            if role is not None and node.role not in (role if isinstance(role, tuple) else (role,)):
                continue
            if (name is None or node.text == name) and (contains is None or contains in node.text):
                yield node

    def find(self, role=None, name=None, contains=None):
        return self.wait(lambda: next(self.all(role, name, contains), None), f"{role or 'anything'} “{name or contains}”")

    def has(self, role=None, name=None, contains=None):
        return next(self.all(role, name, contains), None) is not None

    def gone(self, role=None, name=None, contains=None):
        self.wait(lambda: not self.has(role, name, contains), f"“{name or contains}” to go")

    def click(self, name, role=("push button", "button", "toggle button")):
        def try_it():
            return any(is_sensitive(node) and node.activate() for node in self.all(role, name))
        self.wait(try_it, f"a “{name}” that can be pressed")

    def press(self, role, name=None, contains=None):
        """Clicks with the mouse what has no action of its own: a row of a list."""
        x, y, width, height = self.find(role, name, contains).box
        Atspi.generate_mouse_event(x + width // 2, y + height // 2, "b1c")

    def scroll_down(self, x, y, times):
        """Turns the wheel at a place of the window."""
        for _ in range(times):
            Atspi.generate_mouse_event(x, y, "b5c")
            time.sleep(0.05)
        time.sleep(0.5)

    def type(self, name, text):
        self.wait(lambda: self.find(("text", "entry"), name).set_text(text), f"“{name}” to take a text")

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
