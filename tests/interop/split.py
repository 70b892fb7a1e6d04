#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GGUF that llama-gguf-split cut into parts is the model it was cut from.

    split.py LORIKEET_CLI SOURCE_ROOT

The shipped model in parts: inspect, generate and export by any part say and write what they do of the whole, and a missing part is named. Output
is TAP. Skips where the oracle (tests/setup-oracle) is missing.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys

import interop


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Split(interop.Interop):
    def told(self, path):
        told = json.loads(self.lorikeet("inspect", path, "--json"))
        return {key: value for key, value in told.items() if key not in ("bytes", "parts")}

    def answer(self, path):
        return json.loads(self.lorikeet("generate", "--model", path, "--message", "Who are you?", "--greedy", "--max-tokens", "16", "--device", "cpu",
                                        "--json"))["ids"]

    def bytes_of_export(self, model, name):
        out = self.path(name)
        self.lorikeet("export", "--model", model, "--format", "gguf", "--type", "F16", "-o", out, "--json")
        with open(out, "rb") as file:
            return file.read()

    def hash(self, parts):
        """A run remembers what all the parts hold, and sees when one has changed."""
        data, run = self.path("data.jsonl"), self.path("run")
        with open(data, "w") as out:
            for i in range(4):
                out.write(json.dumps({"prompt": f"Say {i}", "completion": f"It is {i}."}) + "\n")
        made = ("train", "--model", parts[1], "--data", data, "--steps", "1", "--held-out", "0", "--samples", "0", "--device", "cpu", run)
        self.lorikeet(*made)
        with open(os.path.join(run, "recipe.json")) as file:
            told = json.load(file)["model_sha256"]
        self.tap.ok(told == sha256("".join(sha256(open(part, "rb").read()) for part in parts).encode()), "the recipe has the hash of all parts", told)
        with open(parts[-1], "r+b") as file:
            file.seek(-50, os.SEEK_END)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
        done = subprocess.run([self.cli, "train", run, "--resume"], capture_output=True, text=True)
        self.tap.ok(done.returncode != 0 and "changed since the run was made" in done.stderr, "a part that changed is seen", done.stderr)

    def run_all(self):
        whole = self.path("whole.gguf")
        shutil.copy(os.path.join(self.source, "data", "model", "lorikeet-tiny.gguf"), whole)
        done = subprocess.run(self.run_in_oracle + ["llama-gguf-split", "--split", "--split-max-tensors", "10", whole, self.path("part")],
                              capture_output=True, text=True)
        parts = sorted(self.path(name) for name in os.listdir(self.work) if name.startswith("part-"))
        self.tap.ok(done.returncode == 0 and len(parts) > 2, f"llama-gguf-split made {len(parts)} parts", done.stdout + done.stderr)
        opened = [parts[0], parts[1], parts[-1]]
        told = json.loads(self.lorikeet("inspect", parts[1], "--json"))
        self.tap.ok(told["parts"] == len(parts) and told["bytes"] == sum(os.path.getsize(part) for part in parts), "parts and their bytes", str(told))
        for part in opened:
            self.tap.ok(self.told(part) == self.told(whole), f"inspect {os.path.basename(part)}")
        self.tap.ok(self.answer(parts[1]) == self.answer(whole), "the same answer")
        self.tap.ok(self.bytes_of_export(parts[-1], "a.gguf") == self.bytes_of_export(whole, "b.gguf"), "the same file is exported")
        for path in (parts[2], parts[-1]):
            done = subprocess.run([self.cli, "export", "--model", parts[0], "--format", "gguf", "-o", path, "--force"], capture_output=True, text=True)
            self.tap.ok(done.returncode != 0 and "the model itself" in done.stderr, f"{os.path.basename(path)} is not written over", done.stderr)
        self.hash(parts)
        os.remove(parts[1])
        done = subprocess.run([self.cli, "inspect", parts[0]], capture_output=True, text=True)
        self.tap.ok(done.returncode != 0 and parts[1] in done.stderr, "a missing part is named", done.stderr)
        self.tap.end()


def main():
    cli, source = sys.argv[1:3]
    with interop.oracle_folder(source, "split") as work:
        Split(cli, source, "tiny", work).run_all()


if __name__ == "__main__":
    main()
