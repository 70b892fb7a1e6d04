# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the oracle. variants_oracle.py OUT [NAME…] makes, for each variant of VARIANTS, tiny random models as transformers has them:

    OUT/<name>/5/   config.json in the spelling of transformers 5, model.safetensors, and the numbers golden-check compares (layout of
                    ../shared/golden/families: adapter/, golden.safetensors, golden.json), computed in float64
    OUT/<name>/4/   the same with config.json in the spelling of transformers 4 (and the tensors' older names, where they changed)
    OUT/<name>/greedy.json   [{"prompt": [ids], "answer": [ids]}], best and second logit at least GAP apart on the way
"""
import copy
import json
import os
import shutil
import sys

import gguf

if not hasattr(gguf, "__version__"):  # Debian's package has none, and transformers asks for it
    gguf.__version__ = "0.19.0"
import torch
import transformers as tf
from safetensors.torch import load_file, save_file

RANK, ALPHA, STEPS, TOKENS, GAP, PROMPTS, CANDIDATES = 4, 8, 2, 16, 0.01, 3, 24
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "qkv_proj", "gate_up_proj"]
BASE = dict(hidden_size=64, intermediate_size=128, vocab_size=300, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=0, attention_dropout=0.0)
FACTORS = [1 + 0.25 * i for i in range(8)]
LONG = [1 + 0.5 * i for i in range(8)]


def rope(theta=10000.0, kind="default", **more):
    return dict(rope_theta=theta, rope_type=kind, **more)


def llama(**more):
    return tf.LlamaConfig(**(BASE | more))


def mistral(**more):
    return tf.MistralConfig(**(BASE | more))


def qwen2(**more):
    return tf.Qwen2Config(**(BASE | more))


def phi(**more):
    return tf.Phi3Config(**(BASE | dict(original_max_position_embeddings=256) | more))


def gemma3(**more):
    return tf.Gemma3TextConfig(**(BASE | dict(head_dim=32, num_hidden_layers=7, sliding_window=16, query_pre_attn_scalar=32,
                                              hidden_activation="gelu_pytorch_tanh", tie_word_embeddings=True) | more))


def gemma3_rope(**full):
    return {"full_attention": rope(1e6) | full, "sliding_attention": rope(10000.0)}


def seeing():
    """The folder of a Gemma 3 that sees: its language part is nested."""
    vision = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=4)
    text = gemma3(rope_parameters=gemma3_rope(rope_type="linear", factor=8.0))
    return tf.Gemma3Config(text_config=text.to_dict(), vision_config=vision, mm_tokens_per_image=4, image_token_index=299, boi_token_index=297,
                           eoi_token_index=298, bos_token_id=1, eos_token_id=[2, 5], pad_token_id=0)


VARIANTS = {
    "llama2": lambda: llama(num_key_value_heads=4, rope_parameters=rope()),
    "llama3.1": lambda: llama(rope_parameters=rope(5e5, "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                   original_max_position_embeddings=64), eos_token_id=[2, 5, 6]),
    "llama3.2": lambda: llama(rope_parameters=rope(5e5, "llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                   original_max_position_embeddings=64), tie_word_embeddings=True),
    "codellama": lambda: llama(num_key_value_heads=4, vocab_size=288, rope_parameters=rope(1e6)),
    "llama linear": lambda: llama(rope_parameters=rope(1e4, "linear", factor=4.0)),
    "llama yarn": lambda: llama(rope_parameters=rope(1e4, "yarn", factor=8.0, original_max_position_embeddings=32)),
    "mistral0.1": lambda: mistral(sliding_window=16, rope_parameters=rope()),
    "nemo": lambda: mistral(head_dim=24, sliding_window=None, rope_parameters=rope(1e6)),
    "qwen2.5": lambda: qwen2(rope_parameters=rope(1e6), use_sliding_window=False, sliding_window=16, max_window_layers=1),
    "qwen2 window": lambda: qwen2(rope_parameters=rope(1e6), use_sliding_window=True, sliding_window=16, max_window_layers=1,
                                  tie_word_embeddings=True),
    "qwen2 yarn": lambda: qwen2(rope_parameters=rope(1e6, "yarn", factor=4.0, original_max_position_embeddings=64)),
    "qwen3": lambda: tf.Qwen3Config(**(BASE | dict(head_dim=32, rope_parameters=rope(1e6), tie_word_embeddings=True))),
    "gemma1": lambda: tf.GemmaConfig(**(BASE | dict(head_dim=32, num_key_value_heads=1, hidden_act="gelu_pytorch_tanh", rope_parameters=rope()))),
    "gemma2": lambda: tf.Gemma2Config(**(BASE | dict(head_dim=32, sliding_window=16, query_pre_attn_scalar=32, attn_logit_softcapping=50.0,
                                                     final_logit_softcapping=30.0, hidden_activation="gelu_pytorch_tanh", rope_parameters=rope()))),
    "gemma2 scalar": lambda: tf.Gemma2Config(**(BASE | dict(head_dim=32, sliding_window=16, query_pre_attn_scalar=24, rope_parameters=rope()))),
    "gemma3": gemma3,
    "gemma3 linear": lambda: gemma3(rope_parameters=gemma3_rope(rope_type="linear", factor=8.0)),
    "gemma3 seeing": seeing,
    "phi3": lambda: phi(num_key_value_heads=4, sliding_window=16, rope_parameters=rope()),
    "phi3.5": lambda: phi(num_key_value_heads=4, original_max_position_embeddings=4,
                          rope_parameters=rope(1e4, "longrope", short_factor=FACTORS, long_factor=LONG, original_max_position_embeddings=4)),
    "phi3.5 short": lambda: phi(original_max_position_embeddings=64,
                                rope_parameters=rope(1e4, "longrope", short_factor=FACTORS, long_factor=LONG, original_max_position_embeddings=64)),
    "phi4": lambda: phi(rope_parameters=rope(2.5e5)),
    "phi4 mini": lambda: phi(tie_word_embeddings=True, original_max_position_embeddings=4,
                             rope_parameters=rope(1e4, "longrope", short_factor=FACTORS[:6], long_factor=LONG[:6],
                                                  original_max_position_embeddings=4, partial_rotary_factor=0.75)),
}


class Lora(torch.nn.Module):
    def __init__(self, linear, random):
        super().__init__()
        self.linear, self.on = linear, True
        self.a = torch.nn.Parameter(0.2 * torch.randn(RANK, linear.in_features, generator=random))
        self.b = torch.nn.Parameter(0.2 * torch.randn(linear.out_features, RANK, generator=random))

    def forward(self, x):
        y = self.linear(x)
        return y + ALPHA / RANK * (x @ self.a.T) @ self.b.T if self.on else y


def older_rope(config, parameters):
    """rope_parameters as version 4 wrote them."""
    if "full_attention" in parameters:
        config["rope_local_base_freq"] = parameters["sliding_attention"]["rope_theta"]
        parameters = parameters["full_attention"]
    scaling = dict(parameters)
    config["rope_theta"] = scaling.pop("rope_theta")
    if "partial_rotary_factor" in scaling:
        config["partial_rotary_factor"] = scaling.pop("partial_rotary_factor")
    kind = scaling.pop("rope_type")
    if kind == "longrope":  # as Phi's files have it: lengths stand outside
        config["original_max_position_embeddings"] = scaling.pop("original_max_position_embeddings", config.get("original_max_position_embeddings"))
        scaling.pop("factor", None)
    first = kind == "longrope" or (kind == "linear" and "gemma3" not in config["model_type"])  # the word of the first files
    config["rope_scaling"] = None if kind == "default" else {"type" if first else "rope_type": kind, **scaling}


def older(config):
    """The spelling of transformers 4 of a config.json of transformers 5."""
    config = copy.deepcopy(config)
    if "text_config" in config:
        config["text_config"] = older(config["text_config"])
        config["torch_dtype"] = config.pop("dtype", None)
        return config
    older_rope(config, config.pop("rope_parameters"))
    kinds = config.pop("layer_types", None)
    if config["model_type"] == "gemma3_text":
        config["sliding_window_pattern"] = config.pop("_sliding_window_pattern", 6)
    if config["model_type"] == "gemma":
        config["hidden_act"], config["hidden_activation"] = "gelu", None
    if config["model_type"].startswith("qwen") and kinds and "sliding_attention" not in kinds:
        config["sliding_window"], config["max_window_layers"] = 16, 1  # written although nothing uses them
    if "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.44.0"
    return config


def older_name(name):
    """Gemma3ForConditionalGeneration's tensors before they were renamed."""
    if name.startswith("model.language_model."):
        return "language_model.model." + name.removeprefix("model.language_model.")
    return name.removeprefix("model.") if name.startswith(("model.vision_tower.", "model.multi_modal_projector.")) else name


def make_model(config, random):
    config._attn_implementation = "eager"
    seeing = hasattr(config, "text_config")
    model = (tf.Gemma3ForConditionalGeneration if seeing else tf.AutoModelForCausalLM.from_config)(config).float().eval()
    plus_one = "gemma" in config.model_type
    with torch.no_grad():
        for name, p in model.named_parameters():
            norm = p.dim() == 1 and "norm" in name and not plus_one
            p.copy_((0.1 if p.dim() == 1 else 0.08) * torch.randn(p.shape, generator=random) + (1.0 if norm else 0.0))
            p.requires_grad_(False)
    return model


def wrap(model, random):
    wraps = {}
    for name, module in list(model.named_modules()):
        leaf = name.split(".")[-1]
        if isinstance(module, torch.nn.Linear) and leaf in LINEAR and "vision" not in name:
            wraps[name.replace("language_model.", "")] = Lora(module, random)
            setattr(model.get_submodule(name.rsplit(".", 1)[0]), leaf, wraps[name.replace("language_model.", "")])
    return wraps


def batch(vocab, random):
    ids = torch.randint(3, vocab, (2, 40), generator=random)
    labels = ids.clone()
    labels[0, :13] = labels[1, :5] = labels[1, -7:] = -100
    return ids, labels


def logits_of(model, ids):
    return model(input_ids=ids, use_cache=False).logits.double()


def measure(model, wraps, ids, labels):
    numbers, tensors, losses = {}, {}, []

    def loss():
        logits = logits_of(model, ids)
        return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=-100), logits

    for w in wraps.values():
        w.on = False
    tensors["base_logits"] = loss()[1]
    for w in wraps.values():
        w.on = True
    tensors["logits"] = loss()[1].detach()
    parameters = [p for w in wraps.values() for p in (w.a, w.b)]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01)
    for step in range(STEPS):
        optimizer.zero_grad()
        now = loss()[0]
        now.backward()
        losses.append(now.item())
        for name, w in wraps.items() if step == 0 else []:
            for which, p in (("A", w.a), ("B", w.b)):
                tensors[f"grad.base_model.model.{name}.lora_{which}.weight"] = p.grad.clone()
        optimizer.step()
    with torch.no_grad():
        numbers.update(losses=losses, loss_after=loss()[0].item(), lr=1e-3, betas=[0.9, 0.999], eps=1e-8, weight_decay=0.01)
    return numbers, {k: v.detach().float().contiguous() for k, v in tensors.items()}


@torch.no_grad()
def greedy(model, vocab, random):
    """Of many answers at once, a few that leave no doubt and hold no token that a file may call an end."""
    prompts = torch.randint(3, vocab, (CANDIDATES, 24), generator=random)
    ids, least = prompts, torch.ones(CANDIDATES, dtype=torch.double)
    for _ in range(TOKENS):
        best = logits_of(model, ids)[:, -1].topk(2)
        least = least.minimum(best.values[:, 0] - best.values[:, 1])
        ids = torch.cat([ids, best.indices[:, :1]], 1)
    answers = ids[:, prompts.shape[1]:]
    sure = (least >= GAP) & (answers >= 7).all(1)
    return [{"prompt": p.tolist(), "answer": a.tolist()} for p, a, good in zip(prompts, answers, sure) if good][:PROMPTS]


def save_adapter(folder, wraps):
    os.makedirs(folder)
    save_file({f"base_model.model.{name}.lora_{which}.weight": p.detach().float().contiguous() for name, w in wraps.items()
               for which, p in (("A", w.a), ("B", w.b))}, os.path.join(folder, "adapter_model.safetensors"))
    with open(os.path.join(folder, "adapter_config.json"), "w", encoding="utf-8") as out:
        json.dump(dict(peft_type="LORA", task_type="CAUSAL_LM", r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, bias="none",
                       target_modules=sorted({name.split(".")[-1] for name in wraps})), out)


def write_older(folder, to):
    shutil.copytree(folder, to)
    path = os.path.join(to, "config.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(older(config), file, indent=1)
    weights = os.path.join(to, "model.safetensors")
    tensors = load_file(weights)
    save_file({older_name(name): tensor for name, tensor in tensors.items()}, weights, {"format": "pt"})


def make(name, out):
    random = torch.Generator().manual_seed(sum(name.encode()))
    model = make_model(VARIANTS[name](), random)
    text = getattr(model.config, "text_config", model.config)
    folder = os.path.join(out, name, "5")
    model.save_pretrained(folder)
    model.double()
    answers = greedy(model, text.vocab_size, random)
    wraps = wrap(model, random)
    save_adapter(os.path.join(folder, "adapter"), wraps)
    model.double()
    ids, labels = batch(text.vocab_size, random)
    numbers, tensors = measure(model, wraps, ids, labels)
    save_file({"input_ids": ids, "labels": labels} | tensors, os.path.join(folder, "golden.safetensors"))
    for path, what in ((os.path.join(folder, "golden.json"), numbers), (os.path.join(out, name, "greedy.json"), answers)):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(what, file)
    write_older(folder, os.path.join(out, name, "4"))
    if len(answers) < PROMPTS:
        raise RuntimeError(f"{name}: too few answers without doubt")
    print(name, numbers["losses"], flush=True)


torch.set_num_threads(1)
for variant in sys.argv[2:] or VARIANTS:
    make(variant, sys.argv[1])
