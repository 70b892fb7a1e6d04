#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are wrong, places without room: a sentence, an exit code, nothing half-written, nothing lost.

    test-bad-input.py LORIKEET_CLI [TEST…]
"""
import json
import os
import resource
import shutil
import signal
import subprocess

from harness import (CLI, MODEL, TRAIN, SHARED, PATIENCE, OK, FAILED, USAGE, BAD_INPUT, NO_ROOM, INTERRUPTED, Skip, run, sentence, cli, lines_of,
                     need_model, write, some_rows, tree, main)


def test_bad_files(folder):
    need_model()
    with open(MODEL, "rb") as file:
        whole = file.read()
    bad = {"empty.gguf": b"", "magic.gguf": b"GGML" + whole[4:1000], "short.gguf": whole[:20], "cut.gguf": whole[:len(whole) // 2],
           "count.gguf": whole[:8] + b"\xff" * 8 + whole[16:], "version.gguf": whole[:4] + b"\x63\0\0\0" + whole[8:]}
    for name, content in bad.items():
        path = write(folder, name, content)
        cli("inspect", path, expect=BAD_INPUT)
        cli("tokenize", path, text='{"text":"x"}', expect=BAD_INPUT)
        cli("generate", "-m", path, "-p", "x", expect=BAD_INPUT)
    os.makedirs(os.path.join(folder, "hollow"))
    for path in (os.path.join(folder, "nothing"), folder, os.path.join(folder, "hollow")):
        cli("generate", "-m", path, "-p", "x", expect=BAD_INPUT)
        cli("generate", "-m", MODEL, "-a", path, "-p", "x", expect=BAD_INPUT)
        cli("chart", path, "-o", os.path.join(folder, "x.svg"), expect=BAD_INPUT)
        cli("export", path, "-f", "gguf", "-o", os.path.join(folder, "x.gguf"), expect=BAD_INPUT)
    assert not os.path.exists(os.path.join(folder, "x.gguf")) and not os.path.exists(os.path.join(folder, "x.svg"))
    cli("generate", "-m", MODEL, "-p", "x", "-d", "vulkan:63", expect=BAD_INPUT)
    cli("generate", "-m", MODEL, "-p", "x", "-d", "abacus", expect=USAGE)
    cli("generate", "-m", MODEL, "-p", "x", "--top-p", "7", expect=USAGE)
    cli("generate", "-m", MODEL, "-p", "x", "--context", "99999999", expect=USAGE)


def test_bad_configs(folder):
    """Settings of rotary embeddings and caps that make no sense, of either kind of Gemma 3's layers, are refused before anything is computed."""
    source = os.path.join(SHARED, "golden", "families", "gemma3")
    if not SHARED or not os.path.isdir(source):
        raise Skip("the golden families are not here")
    with open(os.path.join(source, "config.json"), encoding="utf-8") as file:
        whole = json.load(file)
    model = os.path.join(folder, "model")
    os.makedirs(model)
    os.symlink(os.path.join(source, "model.safetensors"), os.path.join(model, "model.safetensors"))
    few = {"rope_type": "longrope", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 8, "short_factor": [1.0],
           "long_factor": [1.0]}
    part = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}
    plain = {"rope_type": "default", "rope_theta": 1000000.0}
    for words, change in (("rotary scaling has 1 factors", {"rope_parameters": {"full_attention": plain, "sliding_attention": few}}),
                          ("rotary angles within windows, -2", {"rope_parameters": {"full_attention": plain, "sliding_attention": plain | {"rope_theta": -2.0}}}),
                          ("partial_rotary_factor", {"rope_parameters": {"full_attention": plain, "sliding_attention": part}}),
                          ("scale of attention", {"query_pre_attn_scalar": 0})):
        write(model, "config.json", json.dumps(whole | change).encode())
        done = run("inspect", model, expect=BAD_INPUT)
        assert words in sentence(done), done


def test_bad_datasets(folder):
    """Each by file, line and reason; a run with nothing usable leaves nothing."""
    need_model()
    good = b'{"instruction":"Who are you?","output":"A parrot."}\n'
    some = {"json": (good + b'{"instruction":\n' + good, 2), "utf8": (good + b'{"instruction":"caf\xe9","output":"x"}\n', 2),
            "bom": (b"\xef\xbb\xbf" + good + b"{}\n", 2), "crlf": (good.replace(b"\n", b"\r\n") + b"{}\r\n", 2),
            "missing": (good + b'{"instruction":"x"}\n', 2), "empty": (good + b'{"instruction":"x","output":" "}\n', 2),
            "long": (good + b'{"instruction":"' + b"word " * 900 + b'","output":"a"}\n', 2)}
    for name, (content, line) in some.items():
        data, run = write(folder, name + ".jsonl", content), os.path.join(folder, name)
        done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data], capture_output=True, text=True)
        assert done.returncode == OK and f"{name}.jsonl, line {line}: " in done.stderr and "1 row has a problem" in done.stdout, (name, done)
    none = {"nothing": b'{"instruction":"x","output":""}\n', "void": b"", "blank": b" \n\n", "wide": good.decode().encode("utf-16"),
            "cut": b"[" + good + b",{", "allmuch": b'{"instruction":"' + b"word " * 900 + b'","output":"a"}\n', "other": b'{"foo": 1}\n'}
    for name, content in none.items():
        data, run = write(folder, name + ".jsonl", content), os.path.join(folder, name)
        done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data], capture_output=True, text=True)
        assert done.returncode == BAD_INPUT and f"{name}.jsonl" in done.stderr and not done.stdout and not os.path.exists(run), (name, done)


def test_no_vulkan(folder):
    """Without a driver, what asks for Vulkan is told so in words; auto and devices go on with the processor."""
    need_model()
    nothing = {**os.environ, "VK_ICD_FILENAMES": "/nowhere", "VK_DRIVER_FILES": "/nowhere"}
    run, data = os.path.join(folder, "run"), some_rows(folder)
    for command in (["generate", "-m", MODEL, "-p", "x", "-d", "vulkan"], [*TRAIN, "--run", run, "--data", data, "--device", "vulkan"]):
        done = subprocess.run([CLI, *command], capture_output=True, text=True, env=nothing)
        assert done.returncode == BAD_INPUT and "no Vulkan driver" in done.stderr and not os.path.exists(run), done
    done = subprocess.run([CLI, "devices", "--json"], capture_output=True, text=True, env=nothing)
    assert done.returncode == OK and json.loads(done.stdout)["auto"] == "cpu", done
    done = subprocess.run([CLI, "generate", "-m", MODEL, "-p", "x", "-n", "1"], capture_output=True, text=True, env=nothing)
    assert done.returncode == OK and "The processor computes." in done.stderr and "no Vulkan driver" in done.stderr, done
    done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data, "--device", "auto", "--steps", "1"], capture_output=True, text=True, env=nothing)
    with open(os.path.join(run, "events.jsonl"), encoding="utf-8") as lines:
        warnings = [event["message"] for event in map(json.loads, lines) if event["event"] == "warning"]
    assert done.returncode == OK and any("The processor computes." in w and "no Vulkan driver" in w for w in warnings), (done, warnings)
    with open(os.path.join(run, "log.txt"), encoding="utf-8") as log:
        assert "The processor computes." in log.read(), done


def test_software_device(folder):
    """A software device that “vulkan” stands for is said: by a command, and by a run as a warning. Asked for by its number it is no news."""
    need_model()
    devices = json.loads(cli("devices", "--json"))["devices"]
    if len(devices) != 2 or devices[1]["kind"] != "software":
        raise Skip("this machine has another Vulkan device, or none")
    ask = ["generate", "-m", MODEL, "-p", "x", "-n", "1", "-d"]
    words = "processor playing graphics card, as this computer has no other Vulkan device"
    assert words in run(*ask, "vulkan", expect=OK).stderr
    assert run(*ask, "vulkan:0", expect=OK).stderr == ""
    assert run(*ask, "auto", expect=OK).stderr == ""
    place = os.path.join(folder, "run")
    done = run(*TRAIN, "--run", place, "--data", some_rows(folder), "--device", "vulkan", expect=OK)
    with open(os.path.join(place, "events.jsonl"), encoding="utf-8") as lines:
        assert any(words in event.get("message", "") for event in lines_of(lines.read()) if event["event"] == "warning"), done


def with_memory(folder, mebibytes):
    """What a run of one step in so much address space ends with; it must be done, or be refused in a sentence with nothing lost."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as for a job in the background: OpenBLAS ends by that signal, or else waits
    if run("--help", preexec_fn=limit).returncode != OK:
        return None
    run_folder = os.path.join(folder, f"run-{len(os.listdir(folder))}-{mebibytes}")
    data = os.path.join(os.environ["LK_DATA_DIR"], "samples", "polite-parrot.jsonl")
    done = run("train", "--data", data, "--run", run_folder, "--steps", "1", "--device", "cpu", preexec_fn=limit)
    assert done.returncode in (OK, NO_ROOM), (mebibytes, done)
    if done.returncode == NO_ROOM:
        assert done.stderr.count("\n") == 1 or os.path.exists(run_folder), (mebibytes, done)
    if done.returncode == NO_ROOM and os.path.exists(run_folder):  # it had begun: the run says how it ended, and stays
        with open(os.path.join(run_folder, "events.jsonl"), encoding="utf-8") as lines:
            assert lines_of(lines.read())[-1]["state"] == "failed", (mebibytes, done)
    return done.returncode


def test_little_memory(folder):
    """A limit of address space that the work does not fit into: a sentence, no hang, no abort. How much is too little depends on the
    machine (processors, libraries), so the border is looked for, and what lies around it is tried: there the most can go wrong."""
    need_model()
    little, much = 64, 1 << 17
    ended = with_memory(folder, much)
    if ended is None:
        raise Skip("this build does not start with a limit of address space (sanitizers)")
    assert ended == OK, ended
    refusals = 0
    while much - little > 8:
        middle = (little + much) // 2
        ended = with_memory(folder, middle)
        refusals += ended == NO_ROOM
        little, much = (little, middle) if ended == OK else (middle, much)
    for mebibytes in (much - 40, much - 20, much + 4, much + 8, much + 16, much + 32):
        refusals += with_memory(folder, mebibytes) == NO_ROOM
    assert refusals >= 3, (refusals, much)


def test_file_changes(folder):
    """A model that somebody makes shorter while a run learns from it: a sentence that names it, and a run that failed and can go on."""
    need_model()
    data, whole = some_rows(folder), os.path.join(folder, "whole")
    cli("merge", "-m", MODEL, "-o", whole, "-f", "hf", "-t", "F16", "--no-verify")
    shutil.copy(MODEL, os.path.join(folder, "model.gguf"))
    for model, file in (("model.gguf", "model.gguf"), ("whole", "whole/model.safetensors")):
        path, run_folder = os.path.join(folder, file), os.path.join(folder, "run-" + model)
        with open(path, "rb") as content:
            before = content.read()
        process = subprocess.Popen([CLI, "train", "-m", os.path.join(folder, model), "--data", data, "--run", run_folder, "--device", "cpu", "--steps", "9999",
                                    "--checkpoint-interval", "2", "--length", "64", "--samples", "0", "--json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stdout:
            if json.loads(line)["event"] == "checkpoint":
                break
        os.truncate(path, 8192)
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == BAD_INPUT and error == f"lorikeet-cli: “{path}” changed while it was read: a part of it is gone.\n", (process, error)
        with open(os.path.join(run_folder, "events.jsonl"), encoding="utf-8") as lines:
            last = lines_of(lines.read())[-1]
        assert (last["state"] == "failed" and path in last["message"] and "changed while it was read" in last["message"] and "last checkpoint" in last["detail"]
                and last["time"] > 1e9), last
        with open(path, "wb") as content:
            content.write(before)
        process = subprocess.Popen([CLI, "train", run_folder, "--resume", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        told = []
        while told[-1:] != ["step"]:
            told.append(json.loads(process.stdout.readline())["event"])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == INTERRUPTED and "resume" in told, (process.returncode, told)


def test_no_permission(folder):
    """Folders that may not be written in and files that may not be read, as a user without rights (root has them all)."""
    need_model()
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    nobody["env"] = {"HOME": os.path.join(folder, "closed"), "XDG_DATA_HOME": "", "LORIKEET_DATA_HOME": ""}
    os.chmod(folder, 0o755)
    try:
        run("inspect", MODEL, expect=OK, **nobody)
    except (AssertionError, PermissionError):
        raise Skip("a user without rights cannot reach this build") from None
    closed, rows = os.path.join(folder, "closed"), some_rows(folder)
    secret = write(folder, "secret.jsonl", "{}")
    mine = os.path.join(folder, "mine")
    os.makedirs(mine)
    os.chmod(mine, 0o777)
    place = os.path.join(folder, "run")
    cli(*TRAIN, "--run", place, "--data", rows)
    os.makedirs(closed)
    for path, mode in ((secret, 0), (closed, 0o555), (place, 0o555), (os.path.join(place, "lock"), 0o444), (os.path.join(place, "log.txt"), 0o444)):
        os.chmod(path, mode)
    before = tree(folder)
    x = os.path.join(closed, "x")
    for path, command in ((x, [*TRAIN, "--run", x, "--data", rows]), (closed, [*TRAIN, "--data", rows]), (x, ["merge", "-m", MODEL, "-o", x]),
                          (x, ["merge", "-m", MODEL, "-o", x + ".gguf"]), (x, ["export", place, "-f", "adapter", "-o", x]),
                          (x, ["data", "import", rows, "-o", x + ".lkdata"]), (closed, ["data", "import", rows]),
                          (x, ["chart", place, "-o", x + ".svg"]), (x, ["serve", "-m", MODEL, "-d", "cpu", "-s", x + ".sock"]),
                          (secret, ["inspect", secret]), (secret, [*TRAIN, "--data", secret, "--run", os.path.join(mine, "run")])):
        done = run(*command, expect=FAILED, **nobody)
        said = sentence(done)
        assert path in said and "Permission denied" in said and not done.stdout, done
    done = run("train", place, "--resume", expect=FAILED, **nobody)
    assert "lock" in done.stderr and "Permission denied" in done.stderr, done
    assert tree(folder) == before, (tree(folder), before)


def small_disk(folder, mebibytes):
    """A file system of its own that is soon full, unmounted by who asked for it."""
    if os.geteuid() != 0:
        raise Skip("a small file system needs root")
    place = os.path.join(folder, "small")
    os.makedirs(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", place], capture_output=True).returncode != 0:
        raise Skip("a small file system cannot be mounted here")
    return place


def fill(place, left):
    """All of the file system but @left bytes."""
    room = os.statvfs(place)
    with open(os.path.join(place, "filler"), "wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_bsize - left)


def contents(folder):
    """Path: bytes, of every file."""
    found = {}
    for top, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(top, name), "rb") as file:
                found[os.path.join(top, name)] = file.read()
    return found


def test_disk_full_run(folder):
    """A disk that fills up while a run goes on: it says so and fails at its end, what was saved stays, and with room it goes on as if
    nothing had happened."""
    need_model()
    command = ["train", "-m", MODEL, "--data", some_rows(folder, 24), "--device", "cpu", "--samples", "0", "--steps", "12", "--rank", "4",
               "--length", "32", "--batch", "2", "--accumulation", "1", "--checkpoint-interval", "1", "--run"]
    whole = os.path.join(folder, "whole")
    cli(*command, whole)
    one = sum(len(data) for path, data in contents(os.path.join(whole, "checkpoints", "step-000012")).items())
    place = small_disk(folder, 80)
    try:
        started = subprocess.Popen([CLI, *command, os.path.join(place, "run"), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in started.stdout:
            if json.loads(line)["event"] == "checkpoint":
                started.send_signal(signal.SIGSTOP)
                fill(place, one // 2)
                started.send_signal(signal.SIGCONT)
                break
        said = started.communicate(timeout=PATIENCE)[1]
        assert started.returncode == NO_ROOM and "No space left on device" in said and os.path.join(place, "run") in said, (started, said)
        kept = contents(os.path.join(place, "run"))
        assert not [path for path in kept if ".tmp-" in path], sorted(kept)
        saved = sorted({path.split("/checkpoints/")[1].split("/")[0] for path in kept if "/checkpoints/" in path})
        assert saved and "step-000012" not in saved, saved
        events = lines_of(kept[os.path.join(place, "run", "events.jsonl")].decode())
        assert events[-1]["event"] == "state" and events[-1]["state"] == "failed", events[-1]
        cli("generate", "-m", MODEL, "-a", os.path.join(place, "run", "checkpoints", saved[0]), "-p", "x", "-n", "1", "-d", "cpu")
        os.unlink(os.path.join(place, "filler"))
        cli("train", os.path.join(place, "run"), "--resume")
        for name in ("checkpoints/step-000012", "adapter/last", "adapter/best"):
            path = os.path.join(name, "adapter_model.safetensors")
            with open(os.path.join(whole, path), "rb") as ours, open(os.path.join(place, "run", path), "rb") as resumed:
                assert ours.read() == resumed.read(), path
    finally:
        subprocess.run(["umount", place])


def test_disk_full_export(folder):
    """Merged models, folders, adapters and datasets: refused or given up with the file's name, and what was there is there."""
    need_model()
    whole = os.path.join(folder, "whole")
    cli(*TRAIN, "--rank", "4", "--run", whole, "--data", some_rows(folder))
    place = small_disk(folder, 3)
    try:
        mine = os.path.join(place, "mine")
        cli("export", whole, "-f", "adapter", "-o", mine, "--no-verify")
        fill(place, 8192)
        before = contents(place)
        for path, command in ((mine, ["export", whole, "-f", "adapter", "-o", mine, "--force"]),
                              ("x.gguf", ["export", whole, "-f", "gguf", "-o", os.path.join(place, "x.gguf")]),
                              ("x", ["export", whole, "-f", "hf", "-o", os.path.join(place, "x")]),
                              ("x.gguf", ["merge", "-m", MODEL, "-a", whole, "-o", os.path.join(place, "x.gguf")]),
                              ("x.lkdata", ["data", "import", os.path.join(os.environ["LK_DATA_DIR"], "samples", "polite-parrot.jsonl"),
                                            "-o", os.path.join(place, "x.lkdata")])):
            done = run(*command, expect=NO_ROOM)
            assert path in sentence(done) and place in sentence(done), done
            assert contents(place) == before and sorted(os.listdir(place)) == ["filler", "mine"], (command, os.listdir(place))
        cli("generate", "-m", MODEL, "-a", mine, "-p", "x", "-n", "1", "-d", "cpu")
    finally:
        subprocess.run(["umount", place])


def test_file_size_limit(folder):
    """A limit on the size of files is a disk that is full: said, nothing half-written, nothing lost, and not the end by a signal."""
    need_model()
    data, run = some_rows(folder), os.path.join(folder, "run")
    done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data], capture_output=True, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500000, 500000)))
    assert done.returncode == NO_ROOM and "File too large" in done.stderr, done
    left = [name for _, folders, files in os.walk(run) for name in folders + files]
    assert "recipe.json" in left and "events.jsonl" in left and not [name for name in left if ".tmp-" in name], left
    with open(os.path.join(run, "events.jsonl")) as file:
        assert lines_of(file.read())[-1]["state"] == "failed"
    done = subprocess.run([CLI, "merge", "-m", MODEL, "-o", os.path.join(folder, "x.gguf")], capture_output=True, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500000, 500000)))
    assert done.returncode == NO_ROOM and sorted(os.listdir(folder)) == ["rows.jsonl", "run"], (done, os.listdir(folder))
    cli("train", run, "--resume")  # with room again the run goes on


def test_run_folder(folder):
    """A folder with files of others is left alone; so is one whose run came to nothing."""
    need_model()
    data = write(folder, "d.jsonl", '{"prompt":"a"}\n')
    own = write(folder, "log.txt", "mine")
    cli("train", "--run", folder, "-m", MODEL, "--data", data, expect=USAGE)
    assert open(own).read() == "mine" and sorted(os.listdir(folder)) == ["d.jsonl", "log.txt"]
    run = os.path.join(folder, "run")
    cli("train", "--run", run, "-m", MODEL, "--data", data, "--device", "cpu", expect=BAD_INPUT)
    assert not os.path.exists(run)


main(globals())
