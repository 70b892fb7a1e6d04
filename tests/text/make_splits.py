# SPDX-License-Identifier: GPL-3.0-or-later
# Random texts and the pieces each pattern cuts them into, by the tokenizers library: “NAME<TAB>JSON list of pieces” a line, for
# test-splits. The pattern comes with the name on standard input: “NAME<TAB>PATTERN”.
import json
import random
import sys

from tokenizers import Regex, pre_tokenizers

ALPHABET = ["a", "b", "A", "B", "é", "É", "ǅ", "ʰ", "あ", "中", "\u0301", "\u0903", "1", "٣", "Ⅷ", " ", "  ", "\n", "\r", "\t", "\u00a0", "\u2028",
            "'", "s", "S", "t", "re", "LL", "ſ", "!", "/", ".", "$", "€", "🙂", "_", "\u200d", "\u3000", "'d", "'VE"]
rng = random.Random(7)
for line in sys.stdin:
    name, pattern = line.rstrip("\n").split("\t")
    cut = pre_tokenizers.Split(Regex(pattern), "isolated")
    for _ in range(4000):
        text = "".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 14)))
        print(name + "\t" + json.dumps([piece for piece, _ in cut.pre_tokenize_str(text)]))
