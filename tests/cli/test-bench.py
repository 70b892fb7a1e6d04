#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What “bench kernels” and “bench step” answer, in sizes that take a moment.

    test-bench.py LORIKEET_CLI [TEST…]
"""
import glob
import json
import os
import re
import resource

from harness import OK, BAD_INPUT, NO_ROOM, USAGE, Skip, MODEL, cli, refused, run, main

OPERATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "compute", "ops", "*.c")
SLOPPY = 1.2  # a fraction's place above 1: a ceiling is measured while a machine does other things, too
TRIES = 4  # of a case whose ceiling was pressed down while it was measured


def kernels(*arguments):
    return json.loads(cli("bench", "kernels", "--json", *arguments))


def is_sane(row, device):
    if row["fraction"] <= SLOPPY:
        return True
    for _ in range(TRIES):
        again = kernels("--device", device, "--only", row["case"])["kernels"]
        if all(one["fraction"] <= SLOPPY for one in again if all(one.get(key) == row.get(key) for key in ("case", "operation", "type"))):
            return True
    return False


def check(answer, device):
    for rate in answer["ceilings"].values():
        assert rate > 0, answer["ceilings"]
    for row in answer["kernels"]:
        assert row["seconds"] > 0 and row["bytes"] > 0 and row["operations"] >= 0 and row["shape"], row
        assert abs(row["operations_per_s"] * row["seconds"] - row["operations"]) <= 1e-6 * row["operations"], row
        assert abs(row["bytes_per_s"] * row["seconds"] - row["bytes"]) <= 1e-6 * row["bytes"], row
        assert row["fraction"] > 0 and is_sane(row, device), row
        of = "bytes_per_s" if row["ceiling"] == "copy" else "operations_per_s"
        assert abs(row["fraction"] - row[of] / row["ceiling_per_s"]) <= 1e-6 * row["fraction"], row
    assert not answer["left_out"], answer["left_out"]


def test_every_operation(folder):
    """Each operation there is has a row, the products one of each type that can be made, both ways."""
    answer = kernels("--device", "cpu")
    check(answer, "cpu")
    names = {name for path in glob.glob(OPERATIONS) for name in re.findall(r'\.name = "(\w+)"', open(path).read())}
    assert len(names) > 20 and names == {row["operation"] for row in answer["kernels"]}, names ^ {row["operation"] for row in answer["kernels"]}
    for case, operation in (("matmul", "linear"), ("matmul", "linear_dx"), ("matvec", "linear")):
        types = {row["type"] for row in answer["kernels"] if (row["case"], row["operation"]) == (case, operation)}
        assert types >= {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K", "IQ4_XS", "MXFP4", "NF4"}, types


def test_floors(folder):
    """What an operation cannot do without, counted by hand."""
    rows = kernels("--device", "cpu", "--only", "matmul", "--size", "128")["kernels"]
    f16 = next(row for row in rows if row["type"] == "F16" and row["operation"] == "linear")
    assert f16["shape"] == "128 × 128, 128 × 128 → 128 × 128", f16
    assert f16["operations"] == 2 * 128 ** 3 and f16["bytes"] == 128 * 128 * (4 + 2 + 4), f16
    rows = kernels("--device", "cpu", "--only", "attention", "--length", "10")["kernels"]
    one = next(row for row in rows if row["case"] == "attention of one token")
    all_of = next(row for row in rows if row["case"] == "attention" and row["operation"] == "attention")
    assert one["operations"] == 4 * 10 * 256 and all_of["operations"] == 4 * 55 * 256, (one, all_of)


def step(*arguments):
    return ("bench", "step", "--json", "--shape", "lorikeet-tiny", "--batch", "1", "--steps", "1", "--rank", "4", "--length", "8", *arguments)


def test_step_of_a_shape(folder):
    """A whole step of a model without a file."""
    answer = json.loads(cli(*step("--device", "cpu", "--base-type", "nf4")))
    assert answer["sgemm_flops_per_s"] == answer["peak_flops_per_s"], answer
    weights = 2048 * 256 + 4 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 768)
    adapters = 4 * 4 * (2 * (256 + 256) + 2 * (256 + 128) + 3 * (256 + 768))
    assert answer["model"] == "lorikeet-tiny" and answer["flops"] == 8 * (4 * weights + 6 * adapters), answer
    assert answer["tokens_per_s"] > 0 and answer["fraction"] > 0 and answer["peak"] == "sgemm", answer
    assert "device_bytes" not in answer and answer["planned_bytes"] > weights // 2, answer


def test_step_on_a_graphics_card(folder):
    done = run(*step("--device", "vulkan", "--precision", "float32"))
    if done.returncode != OK and "Vulkan" in done.stderr:
        raise Skip("there is no Vulkan device")
    answer = json.loads(done.stdout)
    assert 0 < answer["fraction"] <= SLOPPY and answer["peak"] == "fma" and answer["peak_flops_per_s"] > 0, answer
    assert answer["products"] == "float32" and 0.98 < answer["device_bytes"] / answer["planned_bytes"] < 1.05, answer
    done = run(*step("--device", "vulkan", "--precision", "float16-threads"))
    assert done.returncode == OK and json.loads(done.stdout)["products"] == "float16" or "no 16-bit floats" in done.stderr, done


def test_step_without_room(folder):
    """Refused in words, before weights are made."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    refused(["Rows of 2048 tokens need", "even when every layer is computed twice"], "bench", "step", "--shape", "llama-3.1-70b", "--rank", "1",
            "--length", "2048", expect=NO_ROOM)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 300 * 1024), before


def test_left_out(folder):
    """Rows of 576 elements are no whole number of blocks of 256: told, and the others measured."""
    answer = kernels("--device", "cpu", "--only", "matvec", "--shape", "smollm2-135m", "--length", "2")
    assert answer["sizes"] == "smollm2-135m" and "1 × 576, 1536 × 576 → 1 × 1536" in {row["shape"] for row in answer["kernels"]}, answer
    reasons = {row["type"]: row["reason"] for row in answer["left_out"]}
    assert "Q4_K" in reasons and "576" in reasons["Q4_K"] and "Q4_0" not in reasons, reasons


def test_graphics_card(folder):
    done = run("bench", "kernels", "--json", "--device", "vulkan", "--precision", "float32", "--only", "norm")
    if done.returncode != OK and "Vulkan" in done.stderr:
        raise Skip("there is no Vulkan device")
    answer = json.loads(done.stdout)
    check(answer, "vulkan")
    assert {row["operation"] for row in answer["kernels"]} == {"rms_norm", "rms_norm_dx", "rms_norm_dw"}, answer
    assert answer["products"] == "float32" and "matrix_operations_per_s" not in answer["ceilings"], answer


def test_refusals(folder):
    refused("nothing", "bench", "kernels", "--only", "nothing")
    refused("no precision “many”", "bench", "kernels", "--precision", "many")
    for bench in "kernels", "step", "decode":
        refused("float32 only", "bench", bench, "--precision", "float16", expect=BAD_INPUT)
    refused("goes without --model", "bench", "step", "--shape", "llama-3.1-8b", "--model", MODEL)
    refused("There is no shape “x”; there are lorikeet-tiny, smollm2-135m", "bench", "kernels", "--shape", "x", expect=USAGE)


main(globals())
