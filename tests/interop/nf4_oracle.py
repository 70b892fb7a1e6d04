# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the oracle (tests/oracle-run) for nf4.py. Reads one JSON object from standard input, writes one to standard output.

    {"do": "random", "out": FOLDER, "config": {…}, "dtype": "bfloat16"}   a llama with random weights
    {"do": "compare", "hf": FOLDER, "dump": FILE}   what dump-base wrote against bitsandbytes on the same tensors → counts
    {"do": "golden", "hf": FOLDER, "adapter": FOLDER, "golden": FILE, "out": FOLDER}   a folder for golden-check: base as it is, numbers of
        torch and PEFT in float64 on bitsandbytes' dequantised linear weights
    {"do": "read_back", "hf": FOLDER, "dump": FILE}   such a checkpoint as dump-base read it against bitsandbytes → counts
    {"do": "checkpoint", "hf": FOLDER, "out": FOLDER, "double": true, "type": "nf4"}   saved by transformers with a BitsAndBytesConfig
"""
import json
import os
import shutil
import sys

import gguf

if not hasattr(gguf, "__version__"):  # Debian's package has none, and transformers asks for it
    gguf.__version__ = "0.19.0"
import bitsandbytes
import bitsandbytes.functional as bnb
import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file, save_file

torch.set_num_threads(2)
STEPS, LR, BETAS, EPS, DECAY = 10, 1e-3, (0.9, 0.999), 1e-8, 0.01


def linears(model):
    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and not name.endswith("lm_head")}


def quantise(weight):
    """quantize_4bit with compress_statistics, but for the scales' codes: bitsandbytes' kernel for the CPU takes them from a table of 65536 steps,
    so that about one in 700 is the neighbour of the nearest; its portable kernel, as that for CUDA, takes the nearest."""
    packed, state = bnb.quantize_4bit(weight, blocksize=64, compress_statistics=False, quant_type="nf4")
    mean, values = state.absmax.mean(), bnb.create_dynamic_map(True)
    nearest = torch._C.DispatchKeySet(torch._C.DispatchKey.CompositeExplicitAutograd)
    codes, scales = torch.ops.bitsandbytes.quantize_blockwise.default.redispatch(nearest, state.absmax - mean, values, 256)
    nested = bnb.QuantState(absmax=scales, code=values, blocksize=256, dtype=torch.float32)
    return packed, bnb.QuantState(absmax=codes, shape=state.shape, code=state.code, blocksize=64, quant_type="nf4", dtype=torch.float32, offset=mean,
                                  state2=nested)


def random_model(job):
    torch.manual_seed(3)
    config = transformers.LlamaConfig(**job["config"])
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, job["dtype"]))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.05)
    model.save_pretrained(job["out"], max_shard_size=job.get("shard", "5GB"))
    return {"ok": True}


def words(side):
    return side.view(torch.float32)


def compare(job):
    base = transformers.AutoModelForCausalLM.from_pretrained(job["hf"], dtype="auto")
    dump = load_file(job["dump"])
    count = {"tensors": 0, "elements": 0, "codes": 0, "blocks": 0, "scale_codes": 0, "table_scale_codes": 0, "nested": 0, "offsets": 0, "offset_ulps": 0, "values": 0, "map": 0,
             "worst": 0.0}
    for name, module in linears(base).items():
        packed, state = quantise(module.weight.detach())
        codes, side, values = (dump[f"{name}.weight.{part}"] for part in ("codes", "side", "values"))
        n = module.weight.numel()
        blocks = -(-n // 64)
        nests = -(-blocks // 256)
        rest = words(side[1092:].contiguous()).view(nests, 65)
        scale_codes = rest[:, 1:].contiguous().view(torch.uint8).reshape(-1)[:blocks]
        offset = words(side[1088:1092].contiguous())
        theirs = bnb.dequantize_4bit(packed, state)
        table = bnb.quantize_4bit(module.weight.detach(), blocksize=64, compress_statistics=True, quant_type="nf4")[1]
        count["tensors"] += 1
        count["elements"] += n
        count["blocks"] += blocks
        count["codes"] += int((codes[: packed.numel()] != packed.reshape(-1)).sum())
        count["scale_codes"] += int((scale_codes != state.absmax).sum())
        count["table_scale_codes"] += int((table.absmax != state.absmax).sum())
        count["nested"] += int((rest[:, 0] != state.state2.absmax).sum())
        count["map"] += int((words(side[64:1088].contiguous()) != state.state2.code).sum()) + int((words(side[:64].contiguous()) != state.code).sum())
        ulps = abs(int(offset.view(torch.int32)) - int(state.offset.view(torch.int32)))
        count["offsets"] += ulps > 0
        count["offset_ulps"] = max(count["offset_ulps"], ulps)
        count["values"] += int((values != theirs).sum()) if ulps == 0 else 0
        count["worst"] = max(count["worst"], ((values - theirs).abs().max() / theirs.abs().max()).item())
    return count


def golden(job):
    model = transformers.AutoModelForCausalLM.from_pretrained(job["hf"], dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        for module in linears(model).values():
            module.weight.copy_(bnb.dequantize_4bit(*quantise(module.weight.detach())))
    given = load_file(job["golden"])
    ids, labels = given["input_ids"], given["labels"]
    model.double()

    def loss_of(net):
        logits = net(input_ids=ids, use_cache=False).logits.double()
        flat = logits[:, :-1].reshape(-1, logits.shape[-1])
        return torch.nn.functional.cross_entropy(flat, labels[:, 1:].reshape(-1), ignore_index=-100), logits

    with torch.no_grad():
        out = {"input_ids": ids, "labels": labels, "base_logits": loss_of(model)[1]}
    tuned = PeftModel.from_pretrained(model, job["adapter"], is_trainable=True).double().eval()
    parameters = {n: p for n, p in tuned.named_parameters() if p.requires_grad}
    optimizer, losses = torch.optim.AdamW(parameters.values(), lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY), []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss, logits = loss_of(tuned)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out["logits"] = logits.detach()
            out.update({"grad." + n.replace(".default", ""): p.grad.clone() for n, p in parameters.items()})
        optimizer.step()
    with torch.no_grad():
        after = loss_of(tuned)[0].item()
    os.makedirs(job["out"])
    for name in ("config.json", "model.safetensors"):
        shutil.copy(os.path.join(job["hf"], name), job["out"])
    shutil.copytree(job["adapter"], os.path.join(job["out"], "adapter"))
    save_file({k: v if v.dtype == torch.int64 else v.float().contiguous() for k, v in out.items()}, os.path.join(job["out"], "golden.safetensors"))
    with open(os.path.join(job["out"], "golden.json"), "w") as file:
        json.dump({"losses": losses, "loss_after": after, "lr": LR, "betas": BETAS, "eps": EPS, "weight_decay": DECAY}, file)
    return {"loss": losses[0], "after": after}


def checkpoint(job):
    how = transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=job["type"], bnb_4bit_use_double_quant=job["double"],
                                          bnb_4bit_compute_dtype=torch.float32)
    if job["type"] == "int8":
        how = transformers.BitsAndBytesConfig(load_in_8bit=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(job["hf"], quantization_config=how, device_map="cpu")
    model.save_pretrained(job["out"])
    return {"tensors": sorted(load_file(os.path.join(job["out"], "model.safetensors")))[:40], "bitsandbytes": bitsandbytes.__version__}


def read_back(job):
    """Elements of a checkpoint's 4-bit weights that dump-base read otherwise than bitsandbytes."""
    tensors, dump = load_file(os.path.join(job["hf"], "model.safetensors")), load_file(job["dump"])
    count = {"tensors": 0, "differ": 0}
    for name in [key[: -len(".quant_map")] for key in tensors if key.endswith(".weight.quant_map")]:
        state = bnb.QuantState.from_dict({k: v for k, v in tensors.items() if k.startswith(name + ".")}, device=torch.device("cpu"))
        state.dtype = torch.float32
        count["tensors"] += 1
        count["differ"] += int((bnb.dequantize_4bit(tensors[name], state) != dump[name + ".values"]).sum())
    return count


work = json.load(sys.stdin)
json.dump({"random": random_model, "compare": compare, "golden": golden, "checkpoint": checkpoint, "read_back": read_back}[work["do"]](work), sys.stdout)
