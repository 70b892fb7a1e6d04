#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we export means the same elsewhere.

    interop.py LORIKEET_CLI SOURCE_ROOT tiny|smollm2|gemma3 [TYPE …]

A random adapter is put on the model. Base and adapter together in lorikeet-cli, the merged GGUF (F32) in llama.cpp, the base and the adapter
as a GGUF file of its own in llama.cpp (--lora), the merged folder in transformers and the adapter in transformers + PEFT must write the same
64 tokens greedily, for prompts whose two best logits stay 0.01 apart on the way, and llama.cpp measures the perplexity of each exported type (or of those named). Gemma 3, whose tokenizer is SentencePiece's, is
fine-tuned and compared in llama.cpp before and after, and the folder made of its GGUF must cut texts into the same tokens. Output is TAP. Skips
where the oracle (tests/setup-oracle) or the model is missing.
"""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TOKENS = 64
GAP = 0.01
PROMPTS = {
    "tiny": ["What colour is the sky?", "Tell me about a cat.", "How do I make tea?", "What is 7 plus 5?", "Who are you?",
             "Can a dog fly?", "Name three fruits.", "Tell me a story about a fox."],
    "smollm2": ["What is the capital of France?", "Explain why the sky is blue.", "Write a short poem about a parrot.",
                "List three uses of a hammer.", "How do I return a parcel?", "Translate 'good morning' into Spanish.",
                "What is photosynthesis?", "Give me advice for a job interview."],
}
PROMPTS["gemma3"] = ["The capital of France is", "Once upon a time", "def add(a, b):", "The three primary colours are", "Water boils at"]
RAW = ["gemma3"]  # no chat template: prompts as they are
DEVIATION = {"tiny": 0.06, "smollm2": 0.02}  # of the adapter's random weights: enough that answers change
# Perplexity relative to that of F32, at most. Measured values stand in BENCHMARKS.md; so small a model suffers most, and llama-quantize's own
# Q4_0 of the same weights does as badly.
TYPES = {"F16": 1.001, "BF16": 1.005, "Q8_0": 1.01, "Q4_1": 1.15, "Q4_0": 1.4}
CHUNKS = 8


@contextlib.contextmanager
def oracle_folder(source, name):
    """A folder to work in. Where there is no oracle the program ends, and says so."""
    if subprocess.run([os.path.join(source, "tests", "oracle-run"), "true"], capture_output=True).returncode != 0:
        print("1..0 # SKIP the oracle is not installed (tests/setup-oracle), or mount namespaces are not allowed here")
        sys.exit()
    with tempfile.TemporaryDirectory(prefix=f"lorikeet-{name}-") as work:
        yield work


class Tap:
    def __init__(self):
        self.n = 0
        self.failed = False

    def ok(self, passed, name, why=""):
        self.n += 1
        self.failed |= not passed
        print(f"{'ok' if passed else 'not ok'} {self.n} - {name}")
        for line in why.splitlines() if not passed else []:
            print("# " + line)
        sys.stdout.flush()

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}")

    def end(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)


class Interop:
    def __init__(self, cli, source, which, work):
        self.cli, self.source, self.which, self.work = cli, source, which, work
        self.tap = Tap()
        self.run_in_oracle = [os.path.join(source, "tests", "oracle-run")]

    def path(self, *names):
        return os.path.join(self.work, *names)

    def oracle(self, job):
        script = os.path.join(self.source, "tests", "interop", "oracle.py")
        done = subprocess.run(self.run_in_oracle + ["python3", script], input=json.dumps(job), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("the oracle failed:\n" + done.stderr[-3000:])
        return json.loads(done.stdout)

    def lorikeet(self, *arguments):
        done = subprocess.run([self.cli, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"lorikeet-cli {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return done.stdout

    def export(self, form, out, *more):
        self.lorikeet("export", "--model", self.model, "--adapter", self.adapter, "--format", form, "-o", out, "--json", *more)

    def ours(self, *adapter):
        """[(prompt ids, answer ids)] of the prompts that leave no doubt."""
        sure, doubtful = [], 0
        asked = "--prompt" if self.which in RAW else "--message"
        for prompt in PROMPTS[self.which]:
            answer = json.loads(self.lorikeet("generate", "--model", self.model, *adapter, asked, prompt, "--greedy",
                                              "--max-tokens", str(TOKENS), "--device", "cpu", "--json"))
            if answer["smallest_gap"] >= GAP:
                sure.append((answer["prompt_ids"], answer["ids"]))
            else:
                doubtful += 1
        print(f"# {len(sure)} prompts of {len(PROMPTS[self.which])} are compared; {doubtful} come closer than {GAP} between two tokens")
        return sure

    def compare(self, name, wanted, got):
        """Where one ends its answer the other may count the token that ends it."""
        wrong = []
        for (_, ours), theirs in zip(wanted, got):
            n = min(len(ours), len(theirs))
            if ours[:n] != theirs[:n] or abs(len(ours) - len(theirs)) > 1:
                wrong.append(f"ours   {ours}\ntheirs {theirs}")
        total = sum(len(ours) for _, ours in wanted)
        self.tap.ok(not wrong and len(wanted) == len(got) and total > 0, f"{name}: {total} tokens equal", "\n".join(wrong))

    def llama(self, file, prompts, *more):
        """Greedy answers of llama.cpp, with everything in float32."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = open(self.path("llama-server.log"), "w")
        server = subprocess.Popen(self.run_in_oracle + ["llama-server", "-m", file, *more, "--host", "127.0.0.1", "--port", str(port), "-t", "2", "-c", "1024",
                                                        "-ctk", "f32", "-ctv", "f32", "-fa", "off", "-np", "1"],
                                  stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).read()
                    break
                except OSError:
                    if server.poll() is not None:
                        raise RuntimeError("llama-server ended:\n" + open(log.name).read()[-3000:]) from None
                    time.sleep(0.2)
            return [self.ask_llama(port, ids) for ids in prompts]
        finally:
            server.terminate()
            server.wait()
            log.close()

    @staticmethod
    def ask_llama(port, ids):
        body = {"prompt": ids, "n_predict": TOKENS, "temperature": 0, "top_k": 1, "return_tokens": True, "cache_prompt": False,
                "repeat_penalty": 1.0}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=1200))["tokens"]

    def perplexity(self, file, text):
        done = subprocess.run(self.run_in_oracle + ["llama-perplexity", "-m", file, "-f", text, "-c", "512", "--chunks", str(CHUNKS), "-t", "2"],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        found = re.search(r"Final estimate: PPL = ([0-9.]+)", done.stdout + done.stderr)
        if not found:
            raise RuntimeError("llama-perplexity gave no number:\n" + done.stderr[-2000:])
        return float(found.group(1))

    def perplexities(self):
        shared = os.environ.get("LK_SHARED_DIR", "")
        text = os.path.join(shared, "data", "11-wikitext2", "wiki.test.raw")
        if not shared or not os.path.exists(text):
            self.tap.skip("perplexity of the exported types", "wikitext-2 is not here (LK_SHARED_DIR)")
            return
        base = self.perplexity(self.path("merged-F32.gguf"), text)
        print(f"# F32: perplexity {base}")
        for kind, limit in ((kind, TYPES[kind]) for kind in sys.argv[4:] or TYPES):
            file = self.path(f"merged-{kind}.gguf")
            self.export("gguf", file, "--type", kind)
            ratio = self.perplexity(file, text) / base
            os.unlink(file)
            print(f"# {kind}: {ratio:.5f} times the perplexity of F32")
            self.tap.ok(ratio <= limit, f"perplexity of {kind} at most {limit} times that of F32", f"it is {ratio}")

    def run(self, model):
        self.model = model
        if self.which == "gemma3":
            self.run_gemma()
            return
        self.adapter = self.path("random-adapter")
        self.oracle({"do": "adapter", "gguf": model, "rank": 8, "deviation": DEVIATION[self.which], "out": self.adapter})
        ours = self.ours("--adapter", self.adapter)
        prompts = [ids for ids, _ in ours]
        job = {"do": "greedy", "prompts": prompts, "n": TOKENS}

        self.export("gguf", self.path("merged-F32.gguf"), "--type", "F32")
        self.compare("merged GGUF in llama.cpp", ours, self.llama(self.path("merged-F32.gguf"), prompts))
        self.export("hf", self.path("merged-hf"), "--type", "F32")
        self.compare("merged folder in transformers", ours, self.oracle({**job, "hf": self.path("merged-hf")})["answers"])
        self.export("adapter", self.path("adapter-out"))
        self.compare("adapter in transformers + PEFT", ours,
                     self.oracle({**job, "gguf": model, "adapter": self.path("adapter-out")})["answers"])
        self.export("lora-gguf", self.path("adapter.gguf"))
        self.lorikeet("export", "--model", model, "--format", "gguf", "--type", "F32", "--no-verify", "-o", self.path("base-F32.gguf"))
        self.compare("adapter in llama.cpp (--lora)", ours,
                     self.llama(self.path("base-F32.gguf"), prompts, "--lora", self.path("adapter.gguf")))
        self.perplexities()
        self.tap.end()

    def run_gemma(self):
        """Before and after a short run of our own. transformers takes a second and more a token here; the tiny families stand for it."""
        rows = [{"prompt": f"Question {i}: what do you like?", "completion": f" I like parrot number {i} very much."} for i in range(40)]
        with open(self.path("rows.jsonl"), "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
        self.base_alone()
        self.lorikeet("train", self.path("run"), "--model", self.model, "--data", self.path("rows.jsonl"), "--steps", "4", "--length", "64",
                      "--batch", "1", "--accumulation", "1", "--learning-rate", "0.002", "--samples", "0", "--device", "cpu", "--json")
        with open(self.path("run", "events.jsonl"), encoding="utf-8") as events:
            losses = [e["loss"] for e in map(json.loads, events) if e.get("event") == "eval"]
        self.tap.ok(len(losses) > 1 and losses[-1] < 0.5 * losses[0], f"held-out loss falls: {losses[:1]} to {losses[-1:]}", str(losses))
        self.adapter = self.path("run", "adapter", "last")
        ours = self.ours("--adapter", self.adapter)
        self.export("gguf", self.path("merged-F32.gguf"), "--type", "F32")
        self.compare("merged GGUF in llama.cpp", ours, self.llama(self.path("merged-F32.gguf"), [ids for ids, _ in ours]))
        os.unlink(self.path("merged-F32.gguf"))
        self.export("hf", self.path("merged-hf"), "--type", "BF16")
        self.same_tokens()
        self.tap.end()

    def base_alone(self):
        ours = self.ours()
        file = self.path("base-F32.gguf")
        self.lorikeet("export", "--model", self.model, "--format", "gguf", "--type", "F32", "-o", file, "--json")
        self.compare("base as GGUF in llama.cpp", ours, self.llama(file, [ids for ids, _ in ours]))
        os.unlink(file)

    def same_tokens(self):
        """Ours of the GGUF's metadata, the reference of the tokenizer.json we made of them."""
        texts = [*PROMPTS["gemma3"], *PROMPTS["smollm2"], "  two  blanks\n\n\tand a tab", "Ünïcödé 日本語 🦜 \u0300", "x" * 300, "<b>1234</b>", " "]
        lines = "".join(json.dumps({"text": t}) + "\n" for t in texts)
        done = subprocess.run([self.cli, "tokenize", self.model], input=lines, capture_output=True, text=True, check=True)
        ours = [json.loads(line)["ids"] for line in done.stdout.splitlines()]
        theirs = self.oracle({"do": "tokenize", "file": self.path("merged-hf", "tokenizer.json"), "texts": texts})["ids"]
        wrong = [f"{t!r}: ours {a}, theirs {b}" for t, a, b in zip(texts, ours, theirs) if a != b]
        self.tap.ok(not wrong and len(ours) == len(theirs), f"{len(texts)} texts have the same tokens in the tokenizers library", "\n".join(wrong))


def find_model(source, which):
    if which == "tiny":
        return os.path.join(source, "data", "model", "lorikeet-tiny.gguf")
    done = subprocess.run([os.path.join(source, "tests", "fetch-models"), "--path", which], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def main():
    cli, source, which = sys.argv[1:4]
    model = find_model(source, which)
    if not model or not os.path.exists(model):
        print("1..0 # SKIP the model is not here (tests/fetch-models)")
        return
    with oracle_folder(source, "interop") as work:
        Interop(cli, source, which, work).run(model)


if __name__ == "__main__":
    main()
