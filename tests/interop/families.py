#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we export of each family means the same elsewhere.

    families.py LORIKEET_CLI SOURCE_ROOT FAMILY…

The tiny random models of ../shared/golden/families with their adapters, which have no tokenizer and get one of bytes here: base and adapter
in lorikeet-cli, the merged GGUF (F32) in llama.cpp, and the merged folder in transformers must write the same 32 tokens greedily, for prompts
whose two best logits stay 0.01 apart. And the merged GGUF, read back by ourselves, must write them as well. Output is TAP.
"""
import json
import os
import shutil
import sys

import interop

interop.TOKENS = 32
BYTES = [b for b in range(256)]
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]  # shown as they are in a byte-level vocabulary
WORDS = ["Hello", "What is a bird?", "0123456789", "The quick brown fox", "Ünïcödé", "a a a a", "(x + y) * z", "parrots", "Why?", "lorem ipsum"]
PROMPTS = WORDS + [f"{a} {b}" for a in WORDS for b in WORDS if a != b]
WITHOUT_WINDOW = ["mistral"]  # GGUF calls it llama, whose attention llama.cpp does not limit
# Scalings of the rotary embedding no folder there has: base folder, what config.json says instead. Prompts are longer than the original context,
# so that every program takes the stretched angles.
FACTORS = [1 + 0.25 * i for i in range(6)]
VARIANTS = {
    "phi3 longrope": ("phi3", {"partial_rotary_factor": 0.75, "original_max_position_embeddings": 4,
                               "rope_scaling": {"rope_type": "longrope", "short_factor": [1.0] * 6, "long_factor": FACTORS}}),
    "qwen2 yarn": ("qwen2", {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}}),
    "llama linear": ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.0}}),
}
WANTED = 6  # prompts that leave no doubt; random weights often do


def byte_names():
    others = [b for b in BYTES if b not in PRINTABLE]
    return [chr(b) if b in PRINTABLE else chr(256 + others.index(b)) for b in BYTES]


def write_tokenizer(folder, vocab_size):
    """<pad>, <s>, </s>, 256 bytes, and merges of two letters until the vocabulary is full."""
    names = byte_names()
    special = ["<pad>", "<s>", "</s>"]
    tokens = special + names
    merges = []
    for first in "etaoinshr":
        for second in "etaoinshr":
            if len(tokens) < vocab_size:
                tokens.append(first + second)
                merges.append([first, second])
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, t in enumerate(special)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges}
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as out:
        json.dump({"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
                   "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level, "model": model}, out, ensure_ascii=False)
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as out:
        json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
                   "add_bos_token": False, "clean_up_tokenization_spaces": False}, out)


class Families(interop.Interop):
    def answer(self, prompt, *model):
        return json.loads(self.lorikeet("generate", *model, "--prompt", prompt, "--greedy", "--max-tokens", str(interop.TOKENS), "--device", "cpu",
                                        "--json"))

    def sure_answers(self, *model):
        found = {}
        for prompt in PROMPTS:
            answer = self.answer(prompt, *model)
            if answer["smallest_gap"] >= interop.GAP:
                found[prompt] = answer
            if len(found) == WANTED:
                break
        return found

    def prepare(self, name, source):
        """A copy of the golden folder with a tokenizer, and with what a variant says of its own."""
        family, changes = VARIANTS.get(name, (name, {}))
        folder = self.path(name.replace("phi", "fi").replace(" ", "-"))  # llama.cpp demands Phi's own tokens of a model called phi
        shutil.copytree(os.path.join(source, family), folder)
        path = os.path.join(folder, "config.json")
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        if changes:
            theta = config.pop("rope_parameters")["rope_theta"]
            config.update({"rope_theta": theta}, **changes)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(config, file)
        write_tokenizer(folder, config["vocab_size"])
        return folder

    def family(self, name, source):
        folder = self.prepare(name, source)
        self.model, self.adapter = folder, os.path.join(folder, "adapter")
        sure = self.sure_answers("--model", folder, "--adapter", self.adapter)
        ours = [(a["prompt_ids"], a["ids"]) for a in sure.values()]
        prompts = [ids for ids, _ in ours]
        gguf, hf = self.path(name + ".gguf"), self.path(name + "-hf")
        again = self.path(name + "-again")
        self.export("gguf", gguf, "--type", "F32")
        self.compare(f"{name}: merged GGUF read back", ours, [self.answer(p, "--model", gguf)["ids"] for p in sure])
        if name in WITHOUT_WINDOW:
            self.tap.skip(f"{name}: merged GGUF in llama.cpp", "llama.cpp has no window in this architecture")
        else:
            self.compare(f"{name}: merged GGUF in llama.cpp", ours, self.llama(gguf, prompts))
        self.export("hf", hf, "--type", "F32")
        self.lorikeet("export", "--model", gguf, "--format", "hf", "--type", "F32", "-o", again, "--json")
        for what, made in (("merged folder", hf), ("folder made of the GGUF", again)):
            if made == again and name in WITHOUT_WINDOW:
                self.tap.skip(f"{name}: {what} in transformers", "a GGUF of this architecture keeps no window")
                continue
            self.compare(f"{name}: {what} in transformers", ours,
                         self.oracle({"do": "greedy", "prompts": prompts, "n": interop.TOKENS, "hf": made})["answers"])

    def run_all(self, folder, names):
        for name in names:
            try:
                self.family(name, folder)
            except RuntimeError as e:
                self.tap.ok(False, name, str(e))
        self.tap.end()


def main():
    cli, source, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    folder = os.path.join(os.environ.get("LK_SHARED_DIR", ""), "golden", "families")
    if not os.path.isdir(folder):
        print("1..0 # SKIP the tiny families are not here (LK_SHARED_DIR)")
        return
    with interop.oracle_folder(source, "families") as work:
        Families(cli, source, "families", work).run_all(folder, names)


if __name__ == "__main__":
    main()
