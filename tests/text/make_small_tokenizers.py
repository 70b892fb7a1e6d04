# SPDX-License-Identifier: GPL-3.0-or-later
# Writes small-tokenizers.json: tokenizers of kinds no real file at hand has, with what the tokenizers library makes of some texts.
#   tests/oracle-run python3 tests/text/make_small_tokenizers.py > tests/text/small-tokenizers.json
import json
from tokenizers import Tokenizer

B = "▁"
BYTES = ["<0x%02X>" % i for i in range(256)]


def added(i, content, **flags):
    return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False} | flags


def file(model, **parts):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, "model": model} | parts


def metaspace(**options):
    return {"type": "Metaspace", "replacement": B, "prepend_scheme": "always", "split": True} | options


pieces = [["<unk>", 0.0], [B, -2.5], [B + "he", -3.0], ["llo", -3.5], ["lo", -4.0], [B + "hello", -8.0], ["h", -5.0], ["e", -5.1], ["l", -5.2],
          ["o", -5.3], ["w", -5.4], ["or", -4.4], ["ld", -4.5], [B + B, -4.6], ["é", -6.0], ["d", -5.5], ["r", -5.6]]
unigram = {"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": False}
with_bytes = unigram | {"vocab": pieces + [[b, -20.0] for b in BYTES], "byte_fallback": True}

words = ["<unk>", "<s>", "</s>"] + BYTES + [B, "h", "e", "l", "o", "w", "r", "d", "é", "\n", "he", "ll", "hell", "hello", B + "hello", "or", "wor", "ld",
                                              B + "w", B + B, B + B + B + B, "lo"]
vocab = {w: i for i, w in enumerate(words)}
merges = [["h", "e"], ["l", "l"], ["he", "ll"], ["l", "o"], ["hell", "o"], [B, "hello"], ["o", "r"], ["w", "or"], ["l", "d"], [B, "w"], [B, B], [B + B, B + B]]
bpe = {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": True,
       "byte_fallback": True, "ignore_merges": False, "vocab": vocab, "merges": merges}
n = len(words)
specials = [added(1, "<s>", special=True), added(2, "</s>", special=True)]
options = specials + [added(n, "<l>", lstrip=True), added(n + 1, "<r>", rstrip=True), added(n + 2, "word", single_word=True), added(n + 3, "<lr>", lstrip=True, rstrip=True, special=True)]
llama = {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": B}, {"type": "Replace", "pattern": {"String": " "}, "content": B}]},
         "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": B}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                                                       {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}}
decoder = {"type": "Metaspace", "replacement": B, "prepend_scheme": "always", "split": True}
files = [
    file(unigram, pre_tokenizer=metaspace(), decoder=decoder),
    file(unigram, pre_tokenizer=metaspace(prepend_scheme="never", split=False), decoder=decoder | {"prepend_scheme": "never"}),
    file(with_bytes, pre_tokenizer=metaspace(prepend_scheme="first"), added_tokens=options[:0]),
    file(bpe, added_tokens=specials, **llama),
    file(bpe, added_tokens=options, **llama),
    file(bpe | {"byte_fallback": False}, added_tokens=options, pre_tokenizer=metaspace(prepend_scheme="first", split=False)),
    file(bpe | {"byte_fallback": False, "fuse_unk": False}, added_tokens=specials, pre_tokenizer=metaspace(split=True)),
    file(bpe | {"ignore_merges": True}, added_tokens=specials, normalizer={"type": "Sequence", "normalizers": [
        {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Replace", "pattern": {"String": "zz"}, "content": "hello"}, {"type": "Replace", "pattern": {"String": " "}, "content": B}]}),
]
texts = ["", " ", "  ", "hello", " hello", "hello world", "hello  world ", "    hello", "hellohello", "lllllll", "xhellox", "xxhello yy", "é", "e\u0301 hello",
         "日本 hello", "\n\nhello\n", "<s>hello</s>", "<s> hello </s> world", "a <l> b", "a<r>  b", "word wordword word", "hello word!", " <lr> ", "x <lr> hello <l><r> w",
         "ＨＥＬＬＯ zz", "hello▁world", "▁▁hello", "<0x41>", "\u2028hello"]
out = []
for f in files:
    t = Tokenizer.from_str(json.dumps(f))
    cases = []
    for text in texts:
        if (f["model"]["type"] == "Unigram" or f["model"]["ignore_merges"]) and "<0x" in text:  # the library takes the spelling of a byte for the byte; SentencePiece and we do not
            continue
        ids = t.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids, "decoded": t.decode(ids, skip_special_tokens=False) if f["decoder"] else None})
    out.append({"tokenizer": f, "cases": cases})
print(json.dumps(out, ensure_ascii=False, separators=(",", ":")))
