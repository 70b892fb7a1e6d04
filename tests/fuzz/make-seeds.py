#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the fuzz targets: small good files of each kind. The corpora beside this script hold them and what fuzzing found
worth keeping.

    make-seeds.py FOLDER
"""
import json
import os
import struct
import sys

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
PACK = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i", F32: "<f", BOOL: "<?", U64: "<Q", I64: "<q", F64: "<d"}


def text(value):
    value = value.encode()
    return struct.pack("<Q", len(value)) + value


def value(kind, v):
    if kind == STRING:
        return text(v)
    if kind == ARRAY:
        element, items = v
        return struct.pack("<IQ", element, len(items)) + b"".join(value(element, i) for i in items)
    return struct.pack(PACK[kind], v)


def gguf(keys, tensors, version=3, alignment=32):
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
    for name, kind, v in keys:
        head += text(name) + struct.pack("<I", kind) + value(kind, v)
    data = b""
    for name, shape, kind, content in tensors:
        head += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape) + struct.pack("<IQ", kind, len(data))
        data += content + b"\0" * (-len(content) % alignment)
    return head + b"\0" * (-len(head) % alignment) + data


def gguf_seeds():
    every = [(f"k.{kind}", kind, 1) for kind in (U8, I8, U16, I16, U32, I32, F32, BOOL, U64, I64, F64)]
    yield "empty", gguf([], [])
    yield "types", gguf(every + [("s", STRING, "é"), ("a", ARRAY, (STRING, ["x", "", "yz"])), ("n", ARRAY, (I32, [1, 2, 3])), ("f", ARRAY, (F32, [0.5]))], [])
    yield "aligned", gguf([("general.architecture", STRING, "llama"), ("general.alignment", U32, 64)], [("t", [4], 0, b"\0" * 16)], alignment=64)
    yield "v2", gguf([("split.count", U16, 1), ("split.no", U16, 0)], [("t", [2, 2], 1, b"\0" * 8)], version=2)
    yield "blocks", gguf([], [("a", [32], 2, b"\1" * 18), ("b", [32, 2], 8, b"\1" * 68), ("c", [256], 12, b"\1" * 144), ("d", [1, 1, 1, 3], 30, b"\1" * 6)])


def split_seeds():
    def part(number, count, total, name, more=()):
        keys = [*more, ("split.no", U16, number), ("split.count", U16, count), ("split.tensors.count", I32, total)]
        return gguf(keys, [(name, [4], 0, b"\0" * 16)])

    def both(one, two):
        return struct.pack("<H", len(one)) + one + two
    first = part(0, 2, 2, "a", [("general.architecture", STRING, "llama")])
    yield "good", both(first, part(1, 2, 2, "b"))
    yield "twice", both(first, part(1, 2, 2, "a"))
    yield "other", both(first, part(1, 2, 2, "b", [("general.architecture", STRING, "gemma")]))
    yield "count", both(part(0, 2, 3, "a"), part(1, 2, 3, "b"))
    yield "number", both(first, part(0, 2, 2, "b"))


def safetensors(header, data=b"", pad=0):
    head = (header if isinstance(header, str) else json.dumps(header)).encode() + b" " * pad
    return struct.pack("<Q", len(head)) + head + data


def safetensors_seeds():
    def tensor(kind, shape, begin, end):
        return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    yield "empty", safetensors({})
    yield "one", safetensors({"__metadata__": {"format": "pt"}, "w": tensor("F32", [2, 1], 0, 8)}, b"\0" * 8)
    yield "three", safetensors({"b": tensor("BF16", [3], 4, 10), "a": tensor("F16", [2], 0, 4), "c": tensor("U8", [], 10, 11)}, b"\0" * 11, pad=5)
    yield "escapes", safetensors('{"w\\u00e9\\n":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}}')


def index_seeds():
    yield "one", json.dumps({"metadata": {"total_size": 4}, "weight_map": {"w": "a.safetensors"}}).encode()
    yield "outside", json.dumps({"weight_map": {"w": "../a.safetensors"}}).encode()
    yield "absolute", json.dumps({"weight_map": {"w": "/dev/zero", "v": "a.safetensors"}}).encode()


def rows_seeds():
    chat = {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "é"}, {"role": "assistant", "content": "b"}]}
    call = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]},
                         {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]},
                         {"role": "tool", "tool_call_id": "1", "content": "r"}, {"role": "assistant", "content": "done", "weight": 0}],
            "tools": [{"type": "function", "function": {"name": "f"}}]}
    share = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "system": "s"}
    alpaca = {"instruction": "i", "input": "", "output": "o", "history": [["q", "a"]], "system": "s"}
    pair = {"prompt": "p", "completion": "c"}
    for name, rows in {"messages": [chat, chat], "tools": [call], "sharegpt": [share], "alpaca": [alpaca, alpaca], "completion": [pair, {"question": "q", "answer": "a"}],
                       "text": [{"text": "t"}]}.items():
        yield name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    yield "list", json.dumps([alpaca, pair], indent=1).encode()
    yield "wrapped", json.dumps({"data": [chat, share]}).encode()
    yield "plain", "A paragraph.\n\nAnd another.\n".encode()
    yield "dirty", b"\xef\xbb\xbf" + json.dumps(pair).encode() + b"\r\n{\"prompt\": \r\n\r\n{\"prompt\": \"\xff\", \"completion\": \"x\"}\r\n" + json.dumps(pair).encode()


def byte_level():
    """Byte → the character that stands for it in vocabularies."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


def tokenizer_seeds():
    def top(pre, merges, added=(), **more):
        letters = {c: i for i, c in enumerate(list("abcdeĠ") + ["ab", "Ġa"])}
        return {"version": "1.0", "added_tokens": list(added), "normalizer": None, "pre_tokenizer": pre, "decoder": {"type": "ByteLevel"},
                "model": {"type": "BPE", "vocab": letters, "merges": merges}} | more
    level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    digits = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, level]}
    end = {"id": 8, "content": "<|e|>", "special": True}
    yield "plain", json.dumps(top(level, ["a b"], [end], eos_token="<|e|>", bos_token={"content": "<|e|>"})).encode()
    yield "pairs", json.dumps(top(digits, [["a", "b"], ["Ġ", "a"]], normalizer={"type": "NFC"})).encode()
    whole = top(level, [], [end])
    whole["added_tokens"][0]["id"] = 256
    whole["model"]["vocab"] = {c: b for b, c in byte_level().items()}
    yield "bytes", json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def template_seeds():
    yield "chatml", (b"{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}{% generation %}{{ m.content }}{% endgeneration %}"
                     b"<|im_end|>\n{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
    yield "tools", (b"{{- bos_token }}\n{%- if tools %}{{ tools | tojson(indent=2) }}{% endif -%}\n{%- for m in messages if m.role != 'system' -%}\n"
                    b"{%- if m.tool_calls is defined %}{% for c in m.tool_calls %}{{ c.function.name ~ c.function.arguments | tojson }}{% endfor %}\n"
                    b"{%- elif loop.first or not loop.last %}[{{ loop.index0 }}]{{ m['content'] | trim | upper }}\n{%- else %}{{ m.content.split('a')[-1] }}{{ eos_token }}{% endif %}{% endfor %}")
    yield "state", (b"{% set ns = namespace(n=0, s=\"\") %}{% macro f(x, y=2) %}{{ x * y // 1 }}{% endmacro %}{% for m in messages[1:] %}{% set ns.n = ns.n + 1 %}"
                    b"{{ f(ns.n) }}{{ ns.n is divisibleby(2) }}{% endfor %}{% if messages|length > 9 %}{{ raise_exception('too ' ~ 'many') }}{% endif %}{# c #}")
    yield "misc", (b"{{ strftime_now('%d %b %Y') }}{{ [1, 2.5, none, true] | join(', ') }}{{ {'a': (1,)} | tojson }}{{ 'x' if 1 < 2 <= 3 and not false else 'y' }}"
                   b"{{ ' a '.strip().replace('a', 'b') }}{{ range(3) | list | last }}{{ 'abc'[::-1] }}{% raw %}{{ x }}{% endraw %}{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list }}")


def adapter_seeds():
    base = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 1, "lora_alpha": 2, "lora_dropout": 0.0, "bias": "none", "target_modules": ["q_proj"],
            "base_model_name_or_path": "x/y"}
    yield "plain", json.dumps(base).encode()
    yield "patterns", json.dumps(base | {"use_rslora": True, "rank_pattern": {"q_proj": 1}, "alpha_pattern": {"model.layers.0.self_attn.q_proj": 4.5}}).encode()
    yield "refused", json.dumps(base | {"use_dora": True, "modules_to_save": [], "target_modules": "all-linear"}).encode()


def lora_seeds():
    keys = [("general.type", STRING, "adapter"), ("adapter.type", STRING, "lora"), ("general.architecture", STRING, "llama"), ("adapter.lora.alpha", F32, 2.0)]
    q = [("blk.0.attn_q.weight.lora_a", [8, 1], 0, b"\0" * 32), ("blk.0.attn_q.weight.lora_b", [1, 8], 0, b"\0" * 32)]
    down = [("blk.0.ffn_down.weight.lora_a", [16, 2], 1, b"\0" * 64), ("blk.0.ffn_down.weight.lora_b", [2, 8], 1, b"\0" * 32)]
    yield "one", gguf(keys, q)
    yield "two", gguf(keys[:3], q + down)
    yield "half", gguf(keys, down[:1])
    yield "model", gguf(keys[2:3], [("blk.0.attn_q.weight", [8, 8], 0, b"\0" * 256)])


def nf4_state_seeds():
    plain = {"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [640, 640]}
    yield "plain", json.dumps(plain).encode()
    yield "nested", json.dumps(plain | {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.0478515625}).encode()
    yield "nulls", json.dumps(dict.fromkeys(["blocksize", "shape", "nested_blocksize", "nested_offset"])).encode()


def config_seeds():
    base = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "eos_token_id": [2, 3]}
    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    yield "v4", json.dumps(base | {"rope_scaling": scaling}).encode()
    yield "v5", json.dumps({k: v for k, v in base.items() if k != "rope_theta"} | {"rope_parameters": {"rope_theta": 5e5, "rope_type": "linear", "factor": 2}, "eos_token_id": 2}).encode()
    yield "other", json.dumps(base | {"model_type": "mamba"}).encode()


def http_seeds():
    body = json.dumps({"model": "base", "messages": [{"role": "user", "content": "Hi"}], "stream": True, "max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "seed": 1,
                       "stop": ["a", "b"]})
    yield "chat", f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    yield "models", b"GET /v1/models?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield "expect", b"POST /v1/chat/completions HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n{\"stop\": \"\"}"


def recipe_seeds():
    top = {"version": 1, "name": "n", "created": "2026-01-15T12:00:00+00", "engine": "0.1.0", "model": "/m.gguf", "data": ["/d.jsonl"]}
    settings = {"rank": 16, "alpha": 32.0, "rslora": False, "targets": "all", "learning_rate": 2e-4, "schedule": "cosine", "seed": 42, "device": "auto"}
    yield "bare", json.dumps(top).encode()
    yield "settings", json.dumps(top | {"settings": settings, "model_sha256": "ab", "data_sha256": "cd"}).encode()


def events_seeds():
    events = [{"event": "state", "state": "running"}, {"event": "plan", "steps": 4}] + \
             [{"event": "step", "time": i, "step": i, "steps": 4, "loss": 3 / i, "learning_rate": 1e-4, "seconds_left": 1} for i in range(1, 5)] + \
             [{"event": "eval", "step": 2, "loss": 2.5, "best": True}, {"event": "eval", "step": 4, "loss": None}, {"event": "state", "state": "finished", "message": "m"}]
    lines = "".join(json.dumps(e) + "\n" for e in events).encode()
    yield "run", lines
    yield "cut", lines[:-20] + b"\n{}\n[]\nx\n" + lines[:90]


def main():
    for name, seeds in list(globals().items()):
        if name.endswith("_seeds"):
            folder = os.path.join(sys.argv[1], name[:-6].replace("_", "-"))
            os.makedirs(folder, exist_ok=True)
            for seed, content in seeds():
                with open(os.path.join(folder, "seed-" + seed), "wb") as file:
                    file.write(content)


main()
