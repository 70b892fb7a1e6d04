#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""golden-check on models nobody has stored numbers of: odd widths, ranks, batches, other seeds each time they are asked for.

    golden.py GOLDEN_CHECK SOURCE_ROOT [--one-on-vulkan] [SEED]

Each model below is made and measured by torch, transformers and PEFT (golden_oracle.py) and looked at by golden-check with its own
tolerances, on the processor, and some (or one: minutes each on a software device) on the first Vulkan device. Output is TAP.
"""
import json
import os
import subprocess
import sys

import interop

SMALL = {"max_position_embeddings": 128, "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def shape(hidden, intermediate, vocab, layers, heads, kv_heads, **more):
    return SMALL | {"hidden_size": hidden, "intermediate_size": intermediate, "vocab_size": vocab, "num_hidden_layers": layers,
                    "num_attention_heads": heads, "num_key_value_heads": kv_heads} | more


# name: transformers' class, its values, batch, length, rank, targets (None: all), rsLoRA, on the graphics card too
MODELS = {
    "llama, 3 heads on 1, tied": ("LlamaConfig", shape(54, 77, 211, 2, 3, 1, tie_word_embeddings=True), 3, 29, 3, None, False, True),
    "llama, heads wider than hidden / heads": ("LlamaConfig", shape(45, 91, 307, 3, 5, 5, head_dim=14), 1, 53, 1, None, True, False),
    "llama, stretched as Llama 3": ("LlamaConfig", shape(60, 50, 133, 1, 2, 2, rope_parameters={
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32}), 4, 67, 7, ["q_proj", "down_proj"], False, False),
    "mistral, a window of 5": ("MistralConfig", shape(40, 61, 97, 2, 4, 1, head_dim=22, sliding_window=5), 5, 23, 2, None, False, True),
    "qwen2, untied": ("Qwen2Config", shape(60, 55, 173, 3, 6, 2), 3, 31, 5, ["k_proj", "v_proj", "up_proj"], False, False),
    "qwen3, heads of 10": ("Qwen3Config", shape(34, 47, 151, 2, 5, 1, head_dim=10), 2, 37, 3, None, False, False),
    "gemma2, a window of 7": ("Gemma2Config", shape(44, 65, 127, 3, 4, 2, head_dim=18, sliding_window=7, query_pre_attn_scalar=11,
                                                    attn_logit_softcapping=5.0, final_logit_softcapping=9.0), 3, 26, 3, None, False, True),
    "gemma3, windows in five layers of seven": ("Gemma3TextConfig", shape(38, 51, 119, 7, 2, 1, head_dim=26, sliding_window=6,
                                                                          query_pre_attn_scalar=20), 2, 33, 2, None, False, False),
    "phi3, half of each head turns": ("Phi3Config", shape(48, 57, 139, 2, 4, 2, partial_rotary_factor=0.5,
                                                          original_max_position_embeddings=128), 3, 19, 6, None, False, False),
}


def make(source, work, name, number, seed):
    config, values, batch, length, rank, targets, rslora, _ = MODELS[name]
    folder = os.path.join(work, str(number))
    os.makedirs(folder)
    job = {"out": folder, "config": config, "values": values, "batch": batch, "length": length, "rank": rank, "targets": targets,
           "rslora": rslora, "seed": seed}
    run = subprocess.run([os.path.join(source, "tests", "oracle-run"), "python3", os.path.join(source, "tests", "interop", "golden_oracle.py")],
                         input=json.dumps(job).encode(), capture_output=True, check=False)
    if run.returncode != 0:
        sys.exit(f"golden.py: {name}: {run.stderr.decode()[-2000:]}")
    return folder, json.loads(run.stdout)["float32"]


def check(golden_check, folder, device):
    run = subprocess.run([golden_check, folder, "--device", device, "--json"], capture_output=True, check=False)
    return json.loads(run.stdout) if run.stdout else {"passed": False, "error": run.stderr.decode()}


def main():
    golden_check, source, *rest = sys.argv[1:]
    left = 1 if "--one-on-vulkan" in rest else len(MODELS)
    seed = next((int(word) for word in rest if word.isdigit()), 1)
    tap = interop.Tap()
    with interop.oracle_folder(source, "golden") as work:
        for number, name in enumerate(MODELS):
            folder, float32 = make(source, work, name, number, seed + number)
            devices = ["cpu"] + (["vulkan"] if MODELS[name][-1] and left > 0 else [])
            left -= len(devices) - 1
            for device in devices:
                found = check(golden_check, folder, device)
                tap.ok(found["passed"], f"{name} on {device}", found.get("error", ""))
                for quantity, value in found.items():
                    if isinstance(value, dict):
                        print(f"# {quantity:12} {value['deviation']:.1e} of {value['tolerance']:.0e}, torch in float32 {float32.get(quantity, 0):.1e}  "
                              f"{value['worst_tensor']}")
    tap.end()


main()
