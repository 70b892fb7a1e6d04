# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the oracle (tests/oracle-run). Reads one JSON object from standard input, writes one to standard output.

    {"do": "adapter", "hf": FOLDER | "gguf": FILE, "rank": 8, "deviation": 0.02, "out": FOLDER}   a LoRA adapter with random weights
    {"do": "greedy", "hf": FOLDER | "gguf": FILE, "adapter": FOLDER?, "prompts": [[ids]], "n": 64}   → {"answers": [[ids]]}
    {"do": "many", "jobs": [job…]}   → {"results": […]}
    {"do": "vocabulary", "gguf": FILE}   → {"pieces": [[text, score, GGUF's type]]}
    {"do": "tokenize", "file": tokenizer.json, "texts": [text]}   → {"ids": [[ids]]}, without special tokens added
"""
import json
import os
import sys

import gguf

if not hasattr(gguf, "__version__"):  # Debian's package has none, and transformers asks for it
    gguf.__version__ = "0.19.0"
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model

torch.set_num_threads(2)


def load(job):
    if "gguf" in job:
        folder, name = os.path.split(os.path.abspath(job["gguf"]))
        return transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    return transformers.AutoModelForCausalLM.from_pretrained(job["hf"], dtype=torch.float32)


def make_adapter(job):
    """Both matrices random: a fresh B is zero and would change nothing."""
    torch.manual_seed(11)
    model = get_peft_model(load(job), LoraConfig(r=job["rank"], lora_alpha=2 * job["rank"], target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, job["deviation"])
    model.save_pretrained(job["out"])
    return {"ok": True}


def greedy(job):
    model = load(job).eval()
    if job.get("adapter"):
        model = PeftModel.from_pretrained(model, job["adapter"]).eval()
    answers = []
    for ids in job["prompts"]:
        with torch.no_grad():
            out = model.generate(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
                                 max_new_tokens=job["n"], pad_token_id=0, temperature=None, top_p=None, top_k=None)
        answers.append(out[0, len(ids):].tolist())
    return {"answers": answers}


def many(job):
    """Several jobs in one process, which takes its time to start."""
    return {"results": [JOBS[one["do"]](one) for one in job["jobs"]]}


def tokenize(job):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(job["file"])
    return {"ids": [tokenizer.encode(text, add_special_tokens=False).ids for text in job["texts"]]}


job = json.load(sys.stdin)
out = sys.stdout
sys.stdout = sys.stderr  # libraries like to talk
def vocabulary(job):
    fields = gguf.GGUFReader(job["gguf"]).fields
    tokens, scores, types = (fields["tokenizer.ggml." + key] for key in ("tokens", "scores", "token_type"))
    return {"pieces": [[bytes(tokens.parts[t]).decode(), float(scores.parts[s][0]), int(types.parts[k][0])]
                       for t, s, k in zip(tokens.data, scores.data, types.data)]}


JOBS = {"adapter": make_adapter, "greedy": greedy, "many": many, "tokenize": tokenize, "vocabulary": vocabulary}
json.dump(JOBS[job["do"]](job), out)
