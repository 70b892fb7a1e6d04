#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every type of weights that llama-quantize makes and we read.

    weights.py LORIKEET_CLI SOURCE_ROOT MODEL…

A model is quantised by llama-quantize and turned back into F32 by it and by us: all values must have the same bits. What we answer on the quantised
file must be what llama.cpp answers on its own F32 of it, token by token where the two best logits stay 0.01 apart (on the quantised file llama.cpp
rounds activations to 8 bits, so that its logits are others by more than that). The tiny model answers one prompt on a Vulkan device as well. MODEL is tiny or
smollm2, with all types, or with some: tiny:Q2_K,MXFP4. Output is TAP. Skips where the oracle (tests/setup-oracle) or a model is missing.
"""
import json
import os
import subprocess
import sys

import interop
import quantise

MXFP4 = ["--tensor-type", "attn_.=mxfp4", "--tensor-type", "ffn_=mxfp4"]  # its own mixture takes it for experts only
KINDS = [("MXFP4", MXFP4), ("TQ1_0", []), ("TQ2_0", []), ("IQ4_NL", []), ("IQ4_XS", []), ("Q2_K", []), ("Q3_K_M", []), ("Q4_K_M", []),
         ("Q5_K_M", []), ("Q6_K", []), ("Q5_0", []), ("Q5_1", [])]
HOLDS = {"Q3_K_M": "Q3_K", "Q4_K_M": "Q4_K", "Q5_K_M": "Q5_K"}
PROMPTS = ["What is the capital of France?", "Tell me about a cat.", "How do I make tea?", "Who are you?", "Name three fruits."]
interop.TOKENS = 12


class Weights(quantise.Quantise):
    def quantised(self, base, kind, more, out):
        done = subprocess.run(self.run_in_oracle + ["llama-quantize", "--allow-requantize", *more, base, out, "Q8_0" if more else kind, "2"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("llama-quantize failed:\n" + (done.stdout + done.stderr)[-2000:])

    def answers(self, model, device, prompts):
        told = [json.loads(self.lorikeet("generate", "--model", model, "--message", p, "--greedy", "--max-tokens", str(interop.TOKENS), "--device", device,
                                         "--json")) for p in prompts]
        return [(t["prompt_ids"], t["ids"], t["smallest_gap"]) for t in told]

    def one(self, name, base, kind, more):
        file, ours, theirs = (self.path(f"{name}-{kind}-{what}.gguf") for what in ("quantised", "ours", "theirs"))
        self.quantised(base, kind, more, file)
        types = json.loads(self.lorikeet("inspect", file, "--json"))["types"]
        self.tap.ok(HOLDS.get(kind, kind) in types, f"{name}, {kind}: the file holds {', '.join(types)}", str(types))
        self.quantised(file, "F32", [], theirs)
        self.write(file, "F32", ours)
        told = self.oracle(do="same", a=ours, b=theirs)
        self.tap.ok(not told["differ"] and told["values"] > 0, f"{name}, {kind}: {told['values']} values of {told['tensors']} tensors have the same bits",
                    str(told["differ"]))
        answers = self.answers(file, "cpu", PROMPTS)
        sure = [(prompt, ids) for prompt, ids, gap in answers if gap >= interop.GAP]
        print(f"# {len(sure)} of {len(answers)} prompts are compared; the others come closer than {interop.GAP} between two tokens")
        self.compare(f"{name}, {kind} in llama.cpp", sure, self.llama(theirs, [prompt for prompt, _ in sure]))
        if name == "tiny":
            first = next(i for i, answer in enumerate(answers) if answer[2] >= interop.GAP)
            self.compare(f"{name}, {kind} on a Vulkan device", sure[:1], [self.answers(file, "vulkan", PROMPTS[first:first + 1])[0][1]])
        for path in (file, ours, theirs):
            os.unlink(path)

    def model(self, word):
        name, kinds = self.wanted(word, lambda name: [kind for kind, _ in KINDS])
        if set(kinds) - {kind for kind, _ in KINDS}:
            sys.exit(f"weights: there is no type {', '.join(set(kinds) - {kind for kind, _ in KINDS})}")
        path = interop.find_model(self.source, name)
        if not path or not os.path.exists(path):
            self.tap.skip(name, "the model is not here (tests/fetch-models)")
            return
        base = self.path(f"{name}-F32.gguf")
        self.write(path, "F32", base)
        for kind, more in KINDS:
            if kind in kinds:
                self.one(name, base, kind, more)
        os.unlink(base)


def main():
    cli, source, *models = sys.argv[1:]
    with interop.oracle_folder(source, "weights") as work:
        test = Weights(cli, source, work)
        for name in models:
            test.model(name)
        test.tap.end()


if __name__ == "__main__":
    main()
