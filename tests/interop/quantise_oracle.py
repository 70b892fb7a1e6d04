# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the oracle (tests/oracle-run). Reads one JSON object from standard input, writes one to standard output.

    {"do": "disturb", "file": GGUF of F32}   adds a little noise to every matrix in place: weights that were quantised once lie on few values
    {"do": "compare", "base": GGUF of F32, "ours": GGUF, "theirs": GGUF}
        → {"tensors": n, "types": {name: [ours, theirs]} where they differ, "errors": {type: {"rows", "ours", "theirs", "bytes"}}}
          of rows spread over each tensor that both hold in one type: root mean square error relative to that of the weights; bytes that differ
    {"do": "same", "a": GGUF, "b": GGUF}   → {"tensors": n, "values": n, "differ": {name: count of float32 values}}, both read by gguf-py
"""
import json
import sys

import numpy as np

import gguf

ROWS = 48  # of a tensor


def matrices(path):
    return {t.name: t for t in gguf.GGUFReader(path, "r").tensors}


def rows_of(tensor, count):
    """Bytes of @count rows spread over it."""
    data = tensor.data if tensor.data.ndim > 1 else tensor.data[None, :]
    data = data.reshape(-1, data.shape[-1])
    return np.ascontiguousarray(data[np.unique(np.linspace(0, len(data) - 1, min(count, len(data))).astype(int))])


def values(tensor, count):
    return gguf.quants.dequantize(rows_of(tensor, count), tensor.tensor_type).astype(np.float64)


def disturb(job):
    random = np.random.default_rng(7)
    reader = gguf.GGUFReader(job["file"], "r+")
    for t in reader.tensors:
        if len(t.shape) > 1:
            flat = t.data.reshape(-1)
            for at in range(0, flat.size, 1 << 22):
                part = flat[at:at + (1 << 22)]
                part += random.standard_normal(part.size, dtype=np.float32) * np.float32(0.2) * part.std()
    reader.data.flush()
    return {"ok": True}


def compare(job):
    base, ours, theirs = matrices(job["base"]), matrices(job["ours"]), matrices(job["theirs"])
    types, sums = {}, {}
    for name in sorted(set(ours) | set(theirs)):
        kinds = [m[name].tensor_type.name if name in m else None for m in (ours, theirs)]
        if kinds[0] != kinds[1]:
            types[name] = kinds
            continue
        wanted, a, b = (values(m[name], ROWS) for m in (base, ours, theirs))
        bytes_differ = int((rows_of(ours[name], ROWS).view(np.uint8) != rows_of(theirs[name], ROWS).view(np.uint8)).sum())
        s = sums.setdefault(kinds[0], [0, 0.0, 0.0, 0.0, 0])
        for i, x in enumerate((len(wanted), ((a - wanted) ** 2).sum(), ((b - wanted) ** 2).sum(), (wanted ** 2).sum(), bytes_differ)):
            s[i] += float(x)
    errors = {k: {"rows": int(n), "ours": (a / w) ** 0.5, "theirs": (b / w) ** 0.5, "bytes": int(d)} for k, (n, a, b, w, d) in sums.items()}
    return {"tensors": len(ours), "types": types, "errors": errors}


def same(job):
    a, b = matrices(job["a"]), matrices(job["b"])
    differ, total = {}, 0
    for name in sorted(set(a) | set(b)):
        if name not in a or name not in b:
            differ[name] = -1
            continue
        x, y = (np.ascontiguousarray(m[name].data).reshape(-1).view(np.uint32) for m in (a, b))
        total += x.size
        count = int((x != y).sum()) if x.size == y.size else -1
        if count:
            differ[name] = count
    return {"tensors": len(a), "values": total, "differ": differ}


job = json.load(sys.stdin)
json.dump({"disturb": disturb, "compare": compare, "same": same}[job["do"]](job), sys.stdout)
