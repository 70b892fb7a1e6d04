#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""NF4 against bitsandbytes.

    nf4.py DUMP_BASE GOLDEN_CHECK SOURCE_ROOT FAMILY…

Weights quantised on load against bitsandbytes on the same tensors: codes, scales, dequantised values. Checkpoints that transformers saves with it, read as it reads them. A QLoRA step on the tiny families of
../shared/golden/families against torch and PEFT in float64 on bitsandbytes' dequantised weights, on the CPU and on the Vulkan device. Output
is TAP.
"""
import json
import os
import subprocess
import sys

import interop

SHAPES = {  # a llama each: whole blocks; blocks that cross rows and a short one at the end
    "bfloat16": dict(hidden_size=640, intermediate_size=1096, num_attention_heads=10, num_key_value_heads=2, head_dim=64),
    "float16": dict(hidden_size=100, intermediate_size=380, num_attention_heads=5, num_key_value_heads=5, head_dim=20),
    "float32": dict(hidden_size=36, intermediate_size=52, num_attention_heads=2, num_key_value_heads=1, head_dim=18),
}
COMMON = dict(vocab_size=96, num_hidden_layers=1, max_position_embeddings=64)


class Nf4:
    def __init__(self, dump, check, source, work):
        self.dump, self.check, self.source, self.work = dump, check, source, work
        self.families = os.path.join(source, "..", "shared", "golden", "families")
        self.tap = interop.Tap()

    def path(self, *names):
        return os.path.join(self.work, *names)

    def oracle(self, **job):
        run = [os.path.join(self.source, "tests", "oracle-run"), "python3", os.path.join(self.source, "tests", "interop", "nf4_oracle.py")]
        done = subprocess.run(run, input=json.dumps(job), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("the oracle failed:\n" + done.stderr[-3000:])
        return json.loads(done.stdout[done.stdout.index("{"):])

    def compare(self, dtype):
        folder, out = self.path(dtype), self.path(dtype + ".safetensors")
        self.oracle(do="random", out=folder, config=COMMON | SHAPES[dtype], dtype=dtype)
        subprocess.run([self.dump, folder, "nf4", out], check=True)
        count = self.oracle(do="compare", hf=folder, dump=out)
        text = json.dumps(count)
        print(f"# {dtype}: {text}")
        self.tap.ok(count["tensors"] == 7 and count["codes"] == 0 and count["map"] == 0,
                    f"{dtype}: {count['elements']} codes of 7 tensors and the tables are those of bitsandbytes", text)
        # Ours is the mean in double, rounded; torch adds in float32, in an order that depends on the machine.
        self.tap.ok(count["offset_ulps"] <= 4 and count["scale_codes"] <= (count["blocks"] * 1e-4 if count["offsets"] else 0),
                    f"{dtype}: {count['blocks'] - count['scale_codes']} of {count['blocks']} scales have the code of bitsandbytes", text)
        self.tap.ok(count["worst"] < (2e-2 if count["scale_codes"] else 1e-6) and count["values"] == 0,
                    f"{dtype}: values are those of bitsandbytes where the mean is", text)

    def checkpoint(self, kind, double):
        name = f"checkpoint {kind}{' double quantised' if double else ''}"
        folder, out = self.path(name), self.path(name + ".safetensors")
        self.oracle(do="checkpoint", hf=os.path.join(self.families, "llama"), out=folder, double=double, type=kind)
        done = subprocess.run([self.dump, folder, "stored", out], capture_output=True, text=True)
        if kind != "nf4":
            self.tap.ok(done.returncode == 1 and ("FP4" if kind == "fp4" else "LLM.int8") in done.stderr, f"{name}: refused by name", done.stderr)
            return
        count = self.oracle(do="read_back", hf=folder, dump=out) if done.returncode == 0 else {}
        self.tap.ok(count.get("tensors") == 14 and count["differ"] == 0, f"{name}: 14 tensors as bitsandbytes reads them", done.stderr + str(count))

    def step(self, family):
        source, out = os.path.join(self.families, family), self.path("golden-" + family)
        self.oracle(do="golden", hf=source, adapter=os.path.join(source, "adapter"), golden=os.path.join(source, "golden.safetensors"), out=out)
        for device in ("cpu", "vulkan"):
            done = subprocess.run([self.check, out, "--base-type", "nf4", "--adapter-only", "--device", device], capture_output=True, text=True)
            for line in done.stdout.splitlines():
                print("# " + line)
            self.tap.ok(done.returncode == 0, f"{family}: ten QLoRA steps on NF4 are those of PEFT, {device}", done.stdout + done.stderr)


def main():
    dump, check, source, *families = sys.argv[1:]
    with interop.oracle_folder(source, "nf4") as work:
        test = Nf4(dump, check, source, work)
        for dtype in SHAPES:
            test.compare(dtype)
        for kind, double in (("nf4", True), ("nf4", False), ("fp4", True)):
            test.checkpoint(kind, double)
        for family in families:
            test.step(family)
        test.tap.end()


main()
