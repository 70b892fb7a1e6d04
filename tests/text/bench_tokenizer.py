# SPDX-License-Identifier: GPL-3.0-or-later
# The reference's side of tests/bench-tokenizer: TOKENIZER.json TEXT → “MEGABYTES_PER_SECOND TOKENS”.
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
data = open(sys.argv[2], encoding="utf-8", newline="").read()
lines = data.split("\n")
best = 0
for _ in range(5):
    begin = time.perf_counter()
    n = sum(len(e.ids) for e in tokenizer.encode_batch_fast(lines, add_special_tokens=False))
    best = max(best, len(data.encode()) / (time.perf_counter() - begin) / 1e6)
print(f"{best:.2f} {n}")
