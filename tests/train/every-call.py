#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker killed before each system call that changes a file while it saves: the run goes on from a whole checkpoint to the
same end, and both adapters are there at every moment.

    every-call.py LORIKEET_CLI SOURCE_ROOT
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

CLI, SOURCE = sys.argv[1:3]
DATA = os.path.join(SOURCE, "data", "samples", "polite-parrot.jsonl")
CALLS = "write,pwrite64,rename,renameat,renameat2,fsync,unlink,unlinkat,mkdir,rmdir,ftruncate,close"
RESULTS = ("adapter/last/adapter_model.safetensors", "adapter/best/adapter_model.safetensors",
           "checkpoints/step-000005/optimizer.safetensors")
SETTINGS = ("--device=cpu", "--steps=5", "--checkpoint-interval=1", "--eval-interval=1", "--samples=0", "--learning-rate=0.01")


def call(*arguments, before=()):
    return subprocess.run([*before, CLI, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode


def digests(run):
    return [hashlib.sha256(open(os.path.join(run, name), "rb").read()).hexdigest() for name in RESULTS]


def is_whole(run):
    checkpoints = os.path.join(run, "checkpoints")
    saved = [name for name in os.listdir(checkpoints) if os.path.exists(os.path.join(checkpoints, name, "manifest.json"))]
    adapters = [os.path.exists(os.path.join(run, "adapter", name, "adapter_model.safetensors")) for name in ("best", "last")]
    return any(name.startswith("step-") for name in saved) and all(adapters)


def traced(run, nth):
    return call("train", run, "--resume",
                before=("strace", "-o", os.devnull, "-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=SIGKILL:when={nth}"))


def kill_everywhere(work):
    model, whole, before, run = (os.path.join(work, name) for name in ("nano.gguf", "whole", "before", "run"))
    corpus = os.path.join(work, "corpus.jsonl")
    shutil.copy(DATA, corpus)
    assert call("pretrain", corpus, "-o", model, "--vocabulary=320", "--hidden=32", "--intermediate=64", "--layers=1",
                "--context=256", "--tokens=256", "--max-steps=2") == 0
    assert call("train", whole, f"--model={model}", f"--data={DATA}", *SETTINGS) == 0
    wanted = digests(whole)
    shutil.copytree(whole, before)
    shutil.rmtree(os.path.join(before, "checkpoints", "step-000005"))
    # as it was after step 4: what the last step wrote must come from the worker that goes on
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(os.path.join(before, "checkpoints", "step-000004", name), os.path.join(before, "adapter", "last", name))
    points = lost = 0
    while True:
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(before, run)
        if traced(run, points + 1) == 0:
            return points, lost
        points += 1
        good = is_whole(run) and call("train", run, "--resume") == 0 and digests(run) == wanted
        if not good:
            lost += 1
            print(f"# lost when killed before call {points}")


print("1..1")
if shutil.which("strace") is None or subprocess.run(["strace", "-o", os.devnull, "true"], stderr=subprocess.DEVNULL).returncode:
    print("ok 1 # SKIP strace cannot be used here")
else:
    with tempfile.TemporaryDirectory() as folder:
        n, n_lost = kill_everywhere(folder)
    print(f"# killed before each of {n} calls, {n_lost} runs lost")
    print(f"{'ok' if n > 50 and n_lost == 0 else 'not ok'} 1 - killed before every call of a save")
