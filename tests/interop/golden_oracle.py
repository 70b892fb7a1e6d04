# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the oracle (tests/oracle-run) for golden.py. Reads one JSON object from standard input and makes a folder for
golden-check of it: a base with random weights, an adapter by PEFT, and what torch computes of both in float64.

    {"out": FOLDER, "config": "LlamaConfig", "values": {…}, "batch": 3, "length": 29, "rank": 3, "targets": ["q_proj"] | null,
     "rslora": false, "seed": 1}

Writes {"float32": {quantity: how far torch's own float32 run is from it}} to standard output.
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
from safetensors.torch import save_file

torch.set_num_threads(2)
STEPS, LR, BETAS, EPS, DECAY = 4, 1e-3, (0.9, 0.999), 1e-8, 0.01


def make_base(job):
    config = getattr(transformers, job["config"])(**job["values"], attn_implementation="eager")
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plus_one = "Gemma" in job["config"]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            norm = "norm" in name
            parameter.normal_(0, 0.1 if norm else 0.08)
            if norm and not plus_one:
                parameter.add_(1)
    model.save_pretrained(job["out"])


def make_adapter(job):
    """Both matrices random: a fresh B is zero and A gets no gradient."""
    base = transformers.AutoModelForCausalLM.from_pretrained(job["out"], dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(r=job["rank"], lora_alpha=2 * job["rank"], target_modules=job["targets"] or "all-linear",
                                            use_rslora=job["rslora"], task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.1)
    model.save_pretrained(os.path.join(job["out"], "adapter"))


def make_batch(job, vocabulary):
    """No two rows have their targets in the same places; the last ones of a row may be none."""
    ids = torch.randint(3, vocabulary, (job["batch"], job["length"]))
    labels = ids.clone()
    for row in range(job["batch"]):
        labels[row, : 3 * row + 1] = -100
        labels[row, job["length"] - row :] = -100
    return ids, labels


def train(model, parameters, ids, labels):
    """Gradients of the first step, losses of all steps and the one after them."""
    def loss_of():
        logits = model(input_ids=ids, use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=-100), logits

    optimizer, losses, first, gradients = torch.optim.AdamW(parameters.values(), lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY), [], None, {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss, logits = loss_of()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            first = logits.detach().clone()
            gradients = {name: parameter.grad.clone() for name, parameter in parameters.items()}
        optimizer.step()
    with torch.no_grad():
        return first, gradients, losses, loss_of()[0].item()


def measure(job, ids, labels, dtype):
    def load():
        # from the float32 weights in either precision; the angles of the rotary embedding stay float32, as they are in use
        model = transformers.AutoModelForCausalLM.from_pretrained(job["out"], dtype=torch.float32, attn_implementation="eager")
        return model.to(dtype).eval()

    base = load()
    full = dict(base.named_parameters())
    logits, gradients, losses, after = train(base, full, ids, labels)
    tensors = {"base_logits": logits, **{f"full.{name}": value for name, value in gradients.items()}}
    numbers = {"full_losses": losses, "full_loss_after": after}
    tuned = PeftModel.from_pretrained(load(), os.path.join(job["out"], "adapter"), is_trainable=True).to(dtype).eval()
    own = {name.replace(".default", ""): value for name, value in tuned.named_parameters() if value.requires_grad}
    logits, gradients, losses, after = train(tuned, own, ids, labels)
    tensors |= {"logits": logits, **{f"grad.{name}": value for name, value in gradients.items()}}
    return tensors, numbers | {"losses": losses, "loss_after": after}


def deviations(ours, right, numbers, right_numbers):
    far = {name: ((ours[name].double() - right[name]).norm() / right[name].norm()).item() for name in right}
    losses = {name: max(abs(a - b) / abs(b) for a, b in zip(numbers[name], right_numbers[name])) for name in ("losses", "full_losses")}
    return {"base_logits": far["base_logits"], "logits": far["logits"], "grad.worst": max(v for k, v in far.items() if k.startswith("grad.")),
            "full.worst": max(v for k, v in far.items() if k.startswith("full.")), **losses}


def main():
    job = json.load(sys.stdin)
    out = sys.stdout
    sys.stdout = sys.stderr  # libraries like to talk
    torch.manual_seed(job["seed"])
    make_base(job)
    make_adapter(job)
    ids, labels = make_batch(job, job["values"]["vocab_size"])
    rough, rough_numbers = measure(job, ids, labels, torch.float32)
    tensors, numbers = measure(job, ids, labels, torch.float64)
    save_file({"input_ids": ids, "labels": labels} | {name: value.float().contiguous() for name, value in tensors.items()},
              os.path.join(job["out"], "golden.safetensors"))
    with open(os.path.join(job["out"], "golden.json"), "w", encoding="utf-8") as file:
        json.dump(numbers | {"lr": LR, "betas": BETAS, "eps": EPS, "weight_decay": DECAY}, file)
    json.dump({"float32": deviations(rough, tensors, rough_numbers, numbers)}, out)


main()
