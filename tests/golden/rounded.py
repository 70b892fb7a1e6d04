#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far torch is from the golden numbers when it multiplies as our 16-bit kernels do: in float64, both inputs of every linear
layer and of its adapter rounded to f16, gradients raised by a power of two before that. What golden-check allows 16-bit kernels
is held against this. Runs in the oracle (torch, transformers):

    tests/oracle-run python3 tests/golden/rounded.py GOLDEN/families/llama [--noise SEEDS]

--noise repeats it with up to half a unit of noise before each rounding: how much of the deviation is chance.
"""
import argparse
import os

import torch
import transformers
from safetensors.torch import load_file

GRADIENT, HEAD = 64.0, 32768.0  # LK_OP_GRADIENT_SCALE, LK_HEAD_GRADIENT_SCALE
UNIT = 2.0 ** -10
noise = None


def rounded(x):
    if noise is not None:
        x = x * (1 + (torch.rand(x.shape, generator=noise, dtype=x.dtype) - 0.5) * UNIT)
    return x.half().to(x.dtype)


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return rounded(x) @ rounded(w).T

    @staticmethod
    def backward(ctx, gradient):
        x, w = ctx.saved_tensors
        g = rounded(gradient * ctx.scale)
        dw = g.reshape(-1, g.shape[-1]).T @ rounded(x).reshape(-1, x.shape[-1])
        return g @ rounded(w) / ctx.scale, dw / ctx.scale, None


class Linear(torch.nn.Module):
    def __init__(self, of, a, b, strength, scale):
        super().__init__()
        self.w, self.bias, self.a, self.b, self.strength, self.scale = of.weight.data, of.bias, a, b, strength, scale

    def forward(self, x):
        y = Product.apply(x, self.w, self.scale)
        if self.bias is not None:
            y = y + self.bias
        if self.a is not None:
            y = y + self.strength * Product.apply(Product.apply(x, self.a, self.scale), self.b, self.scale)
        return y


def load(folder):
    """The model with its linear layers replaced, and the adapter's matrices by their golden names."""
    config = transformers.AutoConfig.from_pretrained(folder)
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    model.load_state_dict(load_file(os.path.join(folder, "model.safetensors")), strict=False)
    model.tie_weights()
    model.double().requires_grad_(False)
    adapter = load_file(os.path.join(folder, "adapter", "adapter_model.safetensors"))
    matrices = {}
    for name, module in list(model.named_modules()):
        if not isinstance(module, torch.nn.Linear):
            continue
        names = [f"base_model.model.{name}.lora_{k}.weight" for k in "AB"]
        a, b = (torch.nn.Parameter(adapter[n].double()) if n in adapter else None for n in names)
        if a is not None:
            matrices |= {"grad." + n: p for n, p in zip(names, (a, b))}
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, Linear(module, a, b, 2.0, HEAD if leaf == "lm_head" else GRADIENT))
    return model, matrices


def deviations(model, matrices, golden):
    for p in matrices.values():
        p.grad = None
    logits = model(input_ids=golden["input_ids"], use_cache=False).logits
    labels = golden["labels"][:, 1:].reshape(-1)
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels, ignore_index=-100, reduction="sum")
    loss.backward()
    pairs = {n: (p.grad / (labels >= 0).sum(), golden[n].double()) for n, p in matrices.items()}
    squares = {n: ((x - y).square().sum().item(), y.square().sum().item()) for n, (x, y) in pairs.items()}
    worst = max((d / n) ** 0.5 for d, n in squares.values())
    together = (sum(d for d, n in squares.values()) / sum(n for d, n in squares.values())) ** 0.5
    wanted = golden["logits"].double()
    return (logits - wanted).norm().item() / wanted.norm().item(), worst, together


def main():
    global noise
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--noise", type=int, default=0, metavar="SEEDS")
    args = parser.parse_args()
    for folder in args.folders:
        model, matrices = load(folder)
        golden = load_file(os.path.join(folder, "golden.safetensors"))
        for seed in range(-1, args.noise):
            noise = torch.Generator().manual_seed(seed) if seed >= 0 else None
            print(os.path.basename(folder.rstrip("/")), "rounded" if seed < 0 else f"with noise {seed}",
                  "logits %.2e grad.worst %.2e grad.all %.2e" % deviations(model, matrices, golden), flush=True)


main()
