#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models and adapters that are wrong in one field: each is refused by its file, the field and what is wrong with it.

    test-bad-models.py LORIKEET_CLI [TEST…]
"""
import json
import os
import shutil
import struct

from gguf import ARRAY, FLOAT32, STRING, UINT32, Gguf
from harness import MODEL, TRAIN, BAD_INPUT, cli, refused, need_model, write, some_rows, tree, main


def string(value):
    return STRING, struct.pack("<Q", len(value)) + value


def key(name, kind, form, value):
    return lambda g: g.set(name, kind, form, value)


def text(name, value):
    return lambda g: g.keys.__setitem__(name, string(value))


def gone(name):
    return lambda g: g.keys.pop(name)


def header(**fields):
    return lambda g: [setattr(g, name, value) for name, value in fields.items()]


def tensor(name, field, value):
    return lambda g: g.tensors[name].__setitem__(field, value)


def renamed(name):
    return lambda g: setattr(g, "tensors", {("other" if n == name else n): v for n, v in g.tensors.items()})


def tokens(change):
    def all_of_them(g):
        texts = change(g.strings("tokenizer.ggml.tokens"))
        g.set_strings("tokenizer.ggml.tokens", texts)
        g.keys["tokenizer.ggml.token_type"] = (ARRAY, struct.pack(f"<IQ{len(texts)}i", 5, len(texts), *[1] * len(texts)))
    return all_of_them


DIMS, TYPE, OFFSET = range(3)
Q = "blk.0.attn_q.weight"
GGUF = [  # what is changed, what the sentence says
    (header(magic=b"GGML"), "this is not a GGUF file"),
    (header(version=99), "GGUF version 99"),
    (header(n_keys=2 ** 63), "9223372036854775808 metadata keys"),
    (header(n_tensors=2 ** 40), "1099511627776 tensors"),
    (header(n_keys=60), "metadata key 30 at byte"),
    (header(n_tensors=200), "tensor 38 at byte"),
    (lambda g: g.keys.__setitem__("x", (77, b"1234")), "“x” at byte"),
    (lambda g: g.keys.__setitem__("x", (ARRAY, struct.pack("<IQ", ARRAY, 3))), "arrays of arrays"),
    (lambda g: g.keys.__setitem__("tokenizer.ggml.tokens", (ARRAY, struct.pack("<IQ", STRING, 2 ** 60))), "1152921504606846976 elements"),
    (key("general.architecture", UINT32, "I", 5), "“general.architecture” is a 32-bit unsigned integer"),
    (text("general.architecture", b"blorp"), "the architecture “blorp” is not supported"),
    (key("general.alignment", UINT32, "I", 3), "“general.alignment” at byte"),
    (key("llama.block_count", FLOAT32, "f", 4), "“llama.block_count” is a 32-bit float"),
    (key("llama.block_count", UINT32, "I", 5), "“blk.4.attn_norm.weight” is missing"),
    (key("llama.block_count", UINT32, "I", 2 ** 32 - 1), "number of layers, 4294967295"),
    (gone("llama.block_count"), "“llama.block_count” is missing"),
    (key("llama.attention.head_count", UINT32, "I", 0), "number of heads, 0"),
    (key("llama.attention.head_count_kv", UINT32, "I", 3), "number of key/value heads, 3"),
    (key("llama.embedding_length", UINT32, "I", 2 ** 31), "hidden size, 2147483648"),
    (key("llama.attention.layer_norm_rms_epsilon", FLOAT32, "f", float("nan")), "“llama.attention.layer_norm_rms_epsilon” is not a finite"),
    (gone("llama.attention.layer_norm_rms_epsilon"), "“llama.attention.layer_norm_rms_epsilon” is missing"),
    (key("llama.rope.freq_base", FLOAT32, "f", 0), "base of the rotary angles, 0,"),
    (renamed(Q), f"“{Q}” is missing"),
    (renamed("token_embd.weight"), "“token_embd.weight” is missing"),
    (tensor(Q, DIMS, [65536]), f"“{Q}” must be 256 × 256"),
    (tensor(Q, DIMS, [256, 2, 2, 2, 2]), "5 dimensions"),
    (tensor(Q, DIMS, [256, 0]), "dimension 1 is zero"),
    (tensor(Q, DIMS, [2 ** 40, 2 ** 40]), "product of the dimensions"),
    (tensor(Q, TYPE, 99), f"“{Q}” at byte"),
    (tensor(Q, TYPE, 4), "Q4_2 are not supported"),
    (tensor(Q, OFFSET, 2 ** 64 - 32), f"“{Q}” begins at offset 18446744073709551584"),
    (lambda g: setattr(g, "data", g.data[:-100000]), "goes beyond the end of the file"),
    (tokens(lambda all_of_them: all_of_them + [b"one more"]), "knows 2049 tokens but the embedding has only 2048 rows"),
    (lambda g: g.set_strings("tokenizer.ggml.tokens", g.strings("tokenizer.ggml.tokens")[:-1]), "do not match the 2047 tokens"),
    (tokens(lambda all_of_them: [b"\xff"] + all_of_them[1:]), "string 0 of metadata key “tokenizer.ggml.tokens” is not UTF-8"),
    (gone("tokenizer.ggml.merges"), "“tokenizer.ggml.merges” is missing"),
    (lambda g: g.set_strings("tokenizer.ggml.merges", [b"nospace"]), "merge 0, “nospace”"),
    (key("tokenizer.ggml.bos_token_id", UINT32, "I", 99999), "“tokenizer.ggml.bos_token_id” is 99999"),
    (text("tokenizer.ggml.model", b"xyz"), "the tokenizer model “xyz”"),
    (text("tokenizer.ggml.pre", b"xyz"), "the pre-tokenizer “xyz”"),
]


def test_gguf(folder):
    need_model()
    assert Gguf(MODEL).build() == Gguf(MODEL).bytes
    for i, (change, words) in enumerate(GGUF):
        wrong = Gguf(MODEL)
        change(wrong)
        path = write(folder, f"wrong-{i}.gguf", wrong.build())
        refused([f"wrong-{i}.gguf", words], "inspect", path, expect=BAD_INPUT)
        if i % 8 == 0:  # all commands open models by the same way
            refused([f"wrong-{i}.gguf", words], "generate", "-m", path, "-p", "x", "-d", "cpu", expect=BAD_INPUT)
        os.remove(path)


def of_json(name, change):
    def edit(folder):
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        change(content)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
    return edit


def of_bytes(name, change):
    def edit(folder):
        with open(os.path.join(folder, name), "rb") as file:
            content = file.read()
        write(folder, name, change(content))
    return edit


def of_header(change, name="model.safetensors"):
    def edit(content):
        size, = struct.unpack_from("<Q", content)
        entries = json.loads(content[8:8 + size])
        change(entries)
        text_of_it = json.dumps(entries).encode()
        return struct.pack("<Q", len(text_of_it)) + text_of_it + content[8 + size:]
    return of_bytes(name, edit)


def with_index(index):
    def edit(folder):
        os.rename(os.path.join(folder, "model.safetensors"), os.path.join(folder, "kept.safetensors"))
        write(folder, "model.safetensors.index.json", json.dumps(index))
    return edit


E = "model.embed_tokens.weight"
FOLDER = [
    (lambda f: os.remove(os.path.join(f, "config.json")), ["config.json", "No such file"]),
    (of_bytes("config.json", lambda b: b[:50]), ["config.json, line 4", "column"]),
    (of_bytes("config.json", lambda b: b"[]"), ["config.json", "object"]),
    (of_json("config.json", lambda c: c.update(num_hidden_layers="4")), ["config.json", "“num_hidden_layers” must be a whole number"]),
    (of_json("config.json", lambda c: c.update(vocab_size=2000)), [f"“{E}” must be 2000 × 256 but is 2048 × 256"]),
    (of_json("config.json", lambda c: c.update(model_type="blorp")), ["config.json", "“blorp” is not supported"]),
    (of_json("config.json", lambda c: c.update(rope_scaling={"type": "zzz"})), ["config.json", "“zzz”"]),
    (of_json("config.json", lambda c: c.update(hidden_act="weird")), ["config.json", "“hidden_act” “weird”"]),
    (of_bytes("tokenizer.json", lambda b: b[:500]), ["tokenizer.json, line", "column"]),
    (of_json("tokenizer.json", lambda c: c["model"].update(vocab=[])), ["tokenizer.json", "“vocab” must be an object"]),
    (of_json("tokenizer.json", lambda c: c["model"]["vocab"].update(zz=10 ** 9)), ["tokenizer.json", "1000000001 tokens"]),
    (of_json("tokenizer.json", lambda c: c["model"]["vocab"].update(zz=2048)), ["knows 2049 tokens but the embedding has only 2048"]),
    (of_json("tokenizer.json", lambda c: c["model"].update(merges=[3])), ["tokenizer.json", "merge 0"]),
    (of_bytes("tokenizer_config.json", lambda b: b[:20]), ["tokenizer_config.json, line"]),
    (lambda f: os.remove(os.path.join(f, "model.safetensors")), ["holds no model.safetensors"]),
    (lambda f: os.rename(os.path.join(f, "model.safetensors"), os.path.join(f, "pytorch_model.bin")), ["Pickle files (.bin, .pt) are never read"]),
    (of_bytes("model.safetensors", lambda b: b""), ["model.safetensors", "too short"]),
    (of_bytes("model.safetensors", lambda b: b"\xff" * 8 + b[8:]), ["model.safetensors", "18446744073709551615 bytes long"]),
    (of_bytes("model.safetensors", lambda b: b[:-1000]), ["model.safetensors", "goes beyond the end of the file"]),
    (of_bytes("model.safetensors", lambda b: b + b"123"), ["model.safetensors", "3 bytes at the end"]),
    (of_header(lambda h: h[E].update(dtype="F99")), [f"tensor “{E}” at byte", "F99"]),
    (of_header(lambda h: h[E].update(shape=[2048, 255])), [f"tensor “{E}” at byte", "1044480"]),
    (of_header(lambda h: h[E].update(data_offsets=[0, 2 ** 50])), [f"tensor “{E}” at byte", "1125899906842624"]),
    (of_header(lambda h: h.update(other=h.pop("model.norm.weight"))), ["“model.norm.weight” is missing"]),
    (with_index({"weight_map": {E: "../kept.safetensors"}}), ["index.json", "not a plain .safetensors file name"]),
    (with_index({"weight_map": {E: "none.safetensors"}}), ["none.safetensors", "No such file"]),
    (with_index({"weight_map": 3}), ["index.json", "“weight_map” must be an object"]),
]


def test_folder(folder):
    need_model()
    whole, wrong = os.path.join(folder, "whole"), os.path.join(folder, "wrong")
    cli("merge", "-m", MODEL, "-f", "hf", "-t", "F16", "-o", whole, "--no-verify")
    for change, words in FOLDER:
        shutil.copytree(whole, wrong)
        change(wrong)
        refused(words, "inspect", wrong, expect=BAD_INPUT)
        shutil.rmtree(wrong)
    assert os.listdir(folder) == ["whole"]


A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
ADAPTER = [
    (of_json("adapter_config.json", lambda c: c.update(r="16")), ["adapter_config.json", "“r”"]),
    (of_json("adapter_config.json", lambda c: c.update(r=0)), ["adapter_config.json", "“r”"]),
    (of_json("adapter_config.json", lambda c: c.update(peft_type="IA3")), ["adapter_config.json", "IA3"]),
    (of_json("adapter_config.json", lambda c: c.update(use_dora=True)), ["adapter_config.json", "use_dora"]),
    (of_bytes("adapter_config.json", lambda b: b[:30]), ["adapter_config.json, line"]),
    (lambda f: os.remove(os.path.join(f, "adapter_config.json")), ["adapter_config.json", "No such file"]),
    (lambda f: os.remove(os.path.join(f, "adapter_model.safetensors")), ["adapter_model.safetensors"]),
    (of_bytes("adapter_model.safetensors", lambda b: b[:-100]), ["adapter_model.safetensors", "beyond the end"]),
    (of_bytes("adapter_model.safetensors", lambda b: b[:-4] + b"\0\0\xc0\x7f"), ["lora_", "nan"]),
    (of_header(lambda h: h.update({A.replace("layers.0", "layers.99"): h.pop(A)}), "adapter_model.safetensors"), ["layers.99"]),
    (of_header(lambda h: h.update({A.replace("q_proj", "z_proj"): h.pop(A)}), "adapter_model.safetensors"), ["z_proj"]),
]


def test_adapter(folder):
    """One that is damaged, and one for another model."""
    need_model()
    place = os.path.join(folder, "run")
    cli(*TRAIN, "--run", place, "--data", some_rows(folder))
    whole, wrong = os.path.join(place, "adapter", "last"), os.path.join(folder, "wrong")
    gguf = os.path.join(folder, "adapter.gguf")
    cli("export", place, "-f", "lora-gguf", "-o", gguf)
    shown, of_folder = json.loads(cli("inspect", gguf, "--json")), json.loads(cli("inspect", whole, "--json"))
    assert shown["family"] == "llama" and shown["bytes"] == os.path.getsize(gguf), shown
    for member in ("kind", "r", "lora_alpha", "tensors", "parameters"):
        assert shown[member] == of_folder[member], (member, shown, of_folder)
    for change, words in ADAPTER:
        shutil.copytree(whole, wrong)
        change(wrong)
        refused(words, "generate", "-m", MODEL, "-a", wrong, "-p", "x", "-d", "cpu", expect=BAD_INPUT)
        shutil.rmtree(wrong)
    narrow = write(folder, "narrow.gguf", three_layers())
    before = tree(folder)
    for command in (["generate", "-m", narrow, "-a", whole, "-p", "x", "-d", "cpu"],
                    ["merge", "-m", narrow, "-a", whole, "-o", os.path.join(folder, "x.gguf")],
                    ["train", "-m", narrow, "-a", whole, "--data", os.path.join(folder, "rows.jsonl"), "--run", os.path.join(folder, "x")]):
        refused("layers.3", *command, expect=BAD_INPUT)
    assert tree(folder) == before


def three_layers():
    """The shipped model without its last layer: another model, for which its adapters are not."""
    g = Gguf(MODEL)
    g.set("llama.block_count", UINT32, "I", 3)
    data, at = b"", {}
    for name, (dims, kind, offset) in g.tensors.items():
        size = (4 if kind == 0 else 2) * (dims[0] * (dims[1] if len(dims) > 1 else 1))
        if not name.startswith("blk.3."):
            at[name] = [dims, kind, len(data)]
            data += g.data[offset:offset + size] + bytes(-size % 32)
    g.tensors, g.data = at, data
    return g.build()


main(globals())
