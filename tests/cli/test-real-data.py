#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real model learns two steps from real datasets, into which a few damaged rows were put.

    test-real-data.py LORIKEET_CLI [TEST…]
"""
import json
import math
import os

from harness import OK, SHARED, Skip, lines_of, run, smollm2, main

DAMAGED = [(2, b'{"prompt": "half a row'), (5, b'{"%s": ""}'), (9, b'{"prompt": "\xff", "completion": "\xfe", "text": "\xff"}')]


def learn(folder, name, key):
    """What the run told, on a copy of the dataset with damaged lines at known places; @key is the member that holds what is learned."""
    model, source = smollm2(), os.path.join(SHARED, "data", name, "train.jsonl")
    if not os.path.exists(source):
        raise Skip(f"{source} is not there")
    with open(source, "rb") as file:
        lines = file.read().rstrip(b"\n").split(b"\n")
    for number, line in DAMAGED:
        lines.insert(number - 1, line.replace(b"%s", key))
    data, place = os.path.join(folder, "train.jsonl"), os.path.join(folder, "run")
    with open(data, "wb") as file:
        file.write(b"\n".join(lines) + b"\n")
    done = run("train", "-m", model, "--data", data, "--run", place, "--steps", "2", "--batch", "1", "--accumulation", "2", "--length", "256",
               "--held-out", "0.005", "--rank", "8", "--samples", "0", "--device", "cpu", "--json", expect=OK)
    events = lines_of(done.stdout)
    plan = next(e for e in events if e["event"] == "plan")
    problems = {e["line"]: e["reason"] for e in events if e["event"] == "problem" and e["file"] == data}
    cut = {line: reason for line, reason in problems.items() if "was cut at 256" in reason}
    assert sorted(set(problems) - set(cut)) == [number for number, _ in DAMAGED], problems
    assert len(problems) == min(plan["problems"], 100) and all(problems.values()), (plan, problems)
    assert plan["train_rows"] + plan["held_out_rows"] == len(lines) - len(DAMAGED) and plan["held_out_rows"] >= 16, plan
    losses = [e["loss"] for e in events if e["event"] in ("step", "eval")]
    assert [e["step"] for e in events if e["event"] == "step"] == [1, 2] and len(losses) >= 4, events
    assert all(math.isfinite(loss) and 0 < loss < 10 for loss in losses), losses
    assert events[-1]["state"] == "finished", events[-1]
    check_whole(place, events)
    print("# " + json.dumps({"data": name, "rows": len(lines) - len(DAMAGED), "problems": plan["problems"], "losses": losses}))
    return plan


def check_whole(place, events):
    """All that a run's folder is to have, nothing half-written, and the events that were printed."""
    for name in ("recipe.json", "events.jsonl", "log.txt", "adapter/last/adapter_model.safetensors", "adapter/last/adapter_config.json",
                 "adapter/best/adapter_model.safetensors", "checkpoints/step-000002/manifest.json",
                 "checkpoints/step-000002/optimizer.safetensors", "checkpoints/step-000002/state.json"):
        assert os.path.getsize(os.path.join(place, name)) > 0, name
    assert not [name for _, folders, files in os.walk(place) for name in folders + files if ".tmp-" in name]
    with open(os.path.join(place, "events.jsonl"), encoding="utf-8") as file:
        assert lines_of(file.read()) == [e for e in events if e["event"] != "run"]


def test_wwdc25_dirty(folder):
    learn(folder, "06-wwdc25-dirty", b"completion")


def test_wikisql(folder):
    learn(folder, "05-mlx-wikisql", b"text")


main(globals())
