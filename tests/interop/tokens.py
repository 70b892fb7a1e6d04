#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tokenizer survives export, whatever file it came from and goes to.

    tokens.py LORIKEET_CLI SOURCE_ROOT [NAME…]

Each tokenizer of ../shared/golden/tokenizers (tokenizer.json), and a tokenizer.model with the pieces of a real vocabulary, on a model of one tiny
layer: folder → GGUF → folder. The same few hundred texts must become the same ids in ours from each of the three, in llama.cpp from the GGUF
and in the tokenizers library from the last folder. A GGUF has no place for a normalizer, so that texts which one would change are compared
between ours and llama.cpp alone. What cannot be written (SentencePiece's unigram) is refused, and leaves nothing. Output is TAP.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import unicodedata
import urllib.request

import interop

NAMES = ["smollm2", "llama3", "qwen3", "gemma2", "sentencepiece", "unigram"]
HIDDEN, INNER = 16, 32
NORMALIZED = {"qwen3": "NFC"}
MADE_ENDS = {"qwen3": ["</s>"]}  # tokens like others, which llama.cpp takes for ends by their text


def write_model(folder, vocab, hidden=HIDDEN, inner=INNER, layers=1, heads=1, value=0.0):
    """A llama whose weights are all @value; its heads share one k and v."""
    kv = hidden // heads
    shapes = {"model.embed_tokens.weight": [vocab, hidden], "model.norm.weight": [hidden]}
    layer = {"self_attn.q_proj": [hidden, hidden], "self_attn.k_proj": [kv, hidden], "self_attn.v_proj": [kv, hidden],
             "self_attn.o_proj": [hidden, hidden], "mlp.gate_proj": [inner, hidden], "mlp.up_proj": [inner, hidden],
             "mlp.down_proj": [hidden, inner], "input_layernorm": [hidden], "post_attention_layernorm": [hidden]}
    shapes |= {f"model.layers.{i}.{name}.weight": shape for i in range(layers) for name, shape in layer.items()}
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + struct.pack("<e", value) * (at // 2))
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as out:
        json.dump({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocab, "hidden_size": hidden, "intermediate_size": inner,
                   "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": 1, "max_position_embeddings": 4096,
                   "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True}, out)


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def write_sentencepiece(path, pieces):
    """What SentencePiece's trainer would have written for these (text, score, type): BPE with bytes."""
    out = b""
    for text, score, kind in pieces:
        out += field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18" + varint(kind))
    trainer = b"\x18\x02" + varint(35 << 3) + b"\x01"  # model_type: BPE, byte_fallback
    normalizer = b"\x18\x01" + b"\x20\x00" + b"\x28\x01"  # add_dummy_prefix, not remove_extra_whitespaces, escape_whitespaces
    with open(path, "wb") as file:
        file.write(out + field(2, trainer) + field(3, normalizer))


class Tokens(interop.Interop):
    def ours(self, path, texts):
        lines = "".join(json.dumps({"text": t}) + "\n" for t in texts)
        done = subprocess.run([self.cli, "tokenize", path], input=lines, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [json.loads(line)["ids"] for line in done.stdout.split("\n") if line]

    @staticmethod
    def ask_llama(port, text):
        body = json.dumps({"content": text, "add_special": False, "parse_special": True}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/tokenize", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=120))["tokens"]

    def same(self, name, texts, wanted, got):
        wrong = [f"{t!r}: {a} is not {b}" for t, a, b in zip(texts, wanted, got) if a != b]
        self.tap.ok(not wrong and len(wanted) == len(got) == len(texts), f"{name}: {len(texts)} texts", "\n".join(wrong[:10]))

    def tokenizer(self, name, folder, file, texts):
        some = [t for t in texts if name not in NORMALIZED or unicodedata.normalize(NORMALIZED[name], t) == t]
        spoken = [t for t in texts if not any(end in t for end in MADE_ENDS.get(name, []))]
        wanted = self.ours(os.path.join(folder, file), some)
        gguf, again = self.path(name + ".gguf"), self.path(name + "-again")
        self.lorikeet("export", "--model", folder, "--format", "gguf", "--type", "F16", "-o", gguf)
        self.lorikeet("export", "--model", gguf, "--format", "hf", "--type", "F16", "-o", again)
        self.same(f"{name}: our GGUF in ours", some, wanted, self.ours(gguf, some))
        self.same(f"{name}: our GGUF in llama.cpp", spoken, self.ours(gguf, spoken), self.llama(gguf, spoken))
        self.same(f"{name}: the folder made of it in ours", some, wanted, self.ours(again, some))
        theirs = self.oracle({"do": "tokenize", "file": os.path.join(again, "tokenizer.json"), "texts": some})["ids"]
        self.same(f"{name}: the folder made of it in the tokenizers library", some, wanted, theirs)
        copy = self.path(name + "-copy")
        self.lorikeet("export", "--model", folder, "--format", "hf", "--type", "F16", "-o", copy)
        self.same(f"{name}: the folder copied", texts, self.ours(os.path.join(folder, file), texts), self.ours(copy, texts))
        for made in (gguf, copy, again):  # large vocabularies
            os.remove(made) if os.path.isfile(made) else shutil.rmtree(made)

    @staticmethod
    def texts(golden, name):
        with open(os.path.join(golden, "tokenizers", name, "cases.jsonl"), encoding="utf-8") as file:
            texts = [json.loads(line)["text"] for line in file]
        return [t for t in texts if "\0" not in t]  # llama.cpp's request ends there

    def from_json(self, name, golden):
        folder = self.path(name)
        os.makedirs(folder)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            source = os.path.join(golden, "tokenizers", name, file)
            if os.path.exists(source):
                shutil.copy(source, folder)
        with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as file:
            top = json.load(file)
        most = max([*top["model"]["vocab"].values(), *(t["id"] for t in top["added_tokens"])])
        write_model(folder, (most + 64) // 64 * 64)
        self.tokenizer(name, folder, "tokenizer.json", self.texts(golden, name))

    def from_sentencepiece(self, golden):
        name, folder = "sentencepiece", self.path("sentencepiece")
        os.makedirs(folder)
        vocab = self.oracle({"do": "vocabulary", "gguf": os.path.join(golden, "vocab-gguf", "ggml-vocab-llama-spm.gguf")})["pieces"]
        write_sentencepiece(os.path.join(folder, "tokenizer.model"), vocab)
        write_model(folder, len(vocab))
        self.tokenizer(name, folder, "tokenizer.model", self.texts(golden, "gemma2"))

    def refused(self):
        """SentencePiece's unigram has no place in a GGUF that llama.cpp reads as llama's."""
        folder, out = self.path("unigram"), self.path("unigram.gguf")
        os.makedirs(folder)
        write_model(folder, 64)
        with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
            json.dump({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -2.0], ["ab", -1.5]]},
                       "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "decoder": None}, file)
        done = subprocess.run([self.cli, "export", "--model", folder, "--format", "gguf", "--type", "F16", "-o", out], capture_output=True, text=True)
        self.tap.ok(done.returncode != 0 and "unigram" in done.stderr and not os.path.exists(out), "unigram: refused as GGUF", done.stderr)

    def run_all(self, golden, names):
        others = {"sentencepiece": lambda: self.from_sentencepiece(golden), "unigram": self.refused}
        for name in names:
            try:
                others[name]() if name in others else self.from_json(name, golden)
            except (RuntimeError, OSError) as e:
                self.tap.ok(False, name, str(e))
        self.tap.end()


def main():
    cli, source, names = sys.argv[1], sys.argv[2], sys.argv[3:] or NAMES
    shared = os.environ.get("LK_SHARED_DIR", "")
    if not shared:
        print("1..0 # SKIP LK_SHARED_DIR is not set")
        return
    with interop.oracle_folder(source, "tokens") as work:
        Tokens(cli, source, "tokens", work).run_all(os.path.join(shared, "golden"), names)


if __name__ == "__main__":
    main()
