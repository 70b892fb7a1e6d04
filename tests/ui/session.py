# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual screen, a message bus and a home of their own for tests of the window."""
import os
import shutil
import sys

SKIP = 77


def shared(name):
    """A folder of what is not in the repository: public datasets."""
    beside = os.path.join(os.path.dirname(__file__), "../../../shared")
    return os.path.join(os.path.abspath(os.environ.get("LK_SHARED_DIR") or beside), name)


def need(*paths):
    for path in paths:
        if not os.path.exists(path):
            print(f"not tested: {path} is missing")
            sys.exit(SKIP)


def need_atspi():
    try:
        import gi

        gi.require_version("Atspi", "2.0")
    except (ImportError, ValueError):
        print("Python has no AT-SPI here: the window is not tested")
        sys.exit(SKIP)


def restart_on_virtual_screen():
    """Runs the script again inside Xvfb and a message bus of its own."""
    if "LK_UI_INSIDE" in os.environ:
        return
    need_atspi()
    for program in ("xvfb-run", "dbus-run-session"):
        if shutil.which(program) is None:
            print(f"{program} is missing: the window is not tested here")
            sys.exit(SKIP)
    os.environ["LK_UI_INSIDE"] = "1"
    # a number of our own: two that look for a free one at the same moment find the same
    number = str(200 + os.getpid() % 700)
    size = os.environ.get("LK_UI_SIZE", "1280x800")
    os.execvp("xvfb-run", ["xvfb-run", "-a", "-n", number, "-s", f"-screen 0 {size}x24 -noreset",
                           "dbus-run-session", "--", sys.executable] + sys.argv)


def use_home(home, cli):
    """Everything the program writes goes below @home; nothing of the user's is looked at."""
    width, height = os.environ.get("LK_UI_SIZE", "1280x800").split("x")
    os.makedirs(os.path.join(home, "glib-2.0", "settings"), exist_ok=True)
    with open(os.path.join(home, "glib-2.0", "settings", "keyfile"), "w", encoding="utf-8") as file:
        file.write(f"[org/lorikeet/Lorikeet]\nwindow-width={width}\nwindow-height={height}\n")
    os.environ.update({
        "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": os.path.join(home, "cache"),
        "LORIKEET_DATA_HOME": home, "LORIKEET_CLI": cli, "GSETTINGS_BACKEND": "keyfile", "GIO_USE_VFS": "local",
        "GSK_RENDERER": "cairo", "GTK_USE_PORTAL": "0", "NO_AT_BRIDGE": "0",
        # warnings fail the test too, but one about a missing notification server is no fault (drive.py)
        "G_DEBUG": "fatal-criticals",
    })
    if os.environ.get("LK_UI_DARK"):
        os.environ["ADW_DEBUG_COLOR_SCHEME"] = "prefer-dark"
