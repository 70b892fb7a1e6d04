#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our quantisers and mixtures against llama-quantize on the same weights.

    quantise.py LORIKEET_CLI SOURCE_ROOT MODEL…

Each model is written as a GGUF of F32 by us, disturbed a little, and quantised from there by both: every tensor must get the same type, and our
error may be one percent larger. MODEL is tiny, smollm2, gemma3 or the name of a folder of ../shared/golden/families, whose rows are no whole blocks
of 256; with types of its own: smollm2:F16,Q8_0; or 70b, whose 80 narrow layers llama-quantize takes for a model of 70 billion weights. Output is TAP. Skips where the oracle (tests/setup-oracle) or a model is missing.
"""
import json
import os
import subprocess
import sys

import interop
import tokens

TYPES = ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K"]
KNOWN = ("tiny", "smollm2", "gemma3")
# The tiny model has them all. Most of Gemma's weights are its embedding, which becomes Q8_0 in all mixtures.
FEWER = {"smollm2": ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K_M", "Q5_K_M", "Q6_K"], "gemma3": ["Q4_K_M", "Q5_K_M", "Q6_K"]}
KNOWN_70B = ["Q4_K_S", "Q4_K_M", "Q5_K_M"]
FAMILY = ["Q8_0", "Q4_0", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K"]
LIMIT = 1.01


class Quantise(interop.Interop):
    def __init__(self, cli, source, work):
        super().__init__(cli, source, None, work)
        self.errors = {}

    def oracle(self, **job):
        script = os.path.join(self.source, "tests", "interop", "quantise_oracle.py")
        done = subprocess.run(self.run_in_oracle + ["python3", script], input=json.dumps(job), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("the oracle failed:\n" + done.stderr[-3000:])
        return json.loads(done.stdout)

    def write(self, model, kind, out):
        self.lorikeet("export", "--model", model, "--format", "gguf", "--type", kind, "-o", out, "--no-verify", "--json")

    def llama_quantise(self, base, kind, out):
        done = subprocess.run(self.run_in_oracle + ["llama-quantize", base, out, kind, "2"], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("llama-quantize failed:\n" + (done.stdout + done.stderr)[-2000:])

    def one(self, name, base, kind):
        ours, theirs = self.path(f"{name}-{kind}-ours.gguf"), self.path(f"{name}-{kind}-theirs.gguf")
        self.write(base, kind, ours)
        self.llama_quantise(base, kind, theirs)
        told = self.oracle(do="compare", base=base, ours=ours, theirs=theirs)
        os.unlink(ours)
        os.unlink(theirs)
        self.tap.ok(not told["types"], f"{name}, {kind}: {told['tensors']} tensors have the types that llama-quantize gives them",
                    "\n".join(f"{tensor}: ours {a}, theirs {b}" for tensor, (a, b) in told["types"].items()))
        for tensor_type, error in told["errors"].items():
            self.errors.setdefault(tensor_type, []).append((name, kind, error))
            print(f"#   {tensor_type}: {error['rows']} rows, {error['bytes']} bytes differ; {error['ours']:.6f}, llama-quantize {error['theirs']:.6f}")

    @staticmethod
    def wanted(word, kinds):
        """“tiny” with the kinds it has by itself, “tiny:Q4_0,Q8_0” with those."""
        name, _, chosen = word.partition(":")
        return name, chosen.split(",") if chosen else kinds(name)

    def write_70b(self):
        """The tokenizer of the tiny model and 80 narrow layers, four heads with one v."""
        folder = self.path("70b")
        self.lorikeet("export", "--model", interop.find_model(self.source, "tiny"), "--format", "hf", "--type", "F16", "-o", folder, "--no-verify", "--json")
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            vocab = json.load(file)["vocab_size"]
        tokens.write_model(folder, vocab, hidden=256, inner=256, layers=80, heads=4, value=0.0625)
        return folder

    def model(self, word):
        name, kinds = self.wanted(word, lambda name: KNOWN_70B if name == "70b" else FEWER.get(name, TYPES if name in KNOWN else FAMILY))
        if set(kinds) - set(TYPES):
            sys.exit(f"quantise: there is no type {', '.join(set(kinds) - set(TYPES))}")
        if name == "70b":
            path = self.write_70b()
        else:
            path = interop.find_model(self.source, name) if name in KNOWN else os.path.join(self.source, "..", "shared", "golden", "families", name)
        if not path or not os.path.exists(path):
            self.tap.skip(name, "the model is not here")
            return
        base = self.path(f"{name}-F32.gguf")
        self.write(path, "F32", base)
        self.oracle(do="disturb", file=base)
        for kind in kinds:
            self.one(name, base, kind)
        os.unlink(base)

    def judge(self):
        for tensor_type, found in sorted(self.errors.items()):
            worst = max(found, key=lambda f: f[2]["ours"] / f[2]["theirs"] if f[2]["theirs"] else float(f[2]["ours"] > 0) * 9)
            name, kind, error = worst
            rows, differ = sum(f[2]["rows"] for f in found), sum(f[2]["bytes"] for f in found)
            ratio = error["ours"] / error["theirs"] if error["theirs"] else 1.0 + (error["ours"] > 0)
            print(f"# {tensor_type}: {rows} rows, {differ} bytes differ; relative error {error['ours']:.6f}, llama-quantize {error['theirs']:.6f}, "
                  f"ratio {ratio:.5f} ({name}, {kind})")
            self.tap.ok(ratio <= LIMIT, f"{tensor_type}: our error is at most {LIMIT} times llama-quantize's", f"{ratio} on {name}, {kind}")


def main():
    cli, source, *models = sys.argv[1:]
    with interop.oracle_folder(source, "quantise") as work:
        test = Quantise(cli, source, work)
        for name in models:
            test.model(name)
        test.judge()
        test.tap.end()


if __name__ == "__main__":
    main()
