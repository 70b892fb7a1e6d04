#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as people and programs see it: help, exit codes, sentences, JSON.

    test-cli.py LORIKEET_CLI

LK_DATA_DIR holds the shipped model; LK_SHARED_DIR, where it is set, the golden tokenizers and templates. Output is TAP.
"""
import collections
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import traceback

CLI = sys.argv[1]
SHARED = os.environ.get("LK_SHARED_DIR", "")
MODEL = os.path.join(os.environ.get("LK_DATA_DIR", ""), "model", "lorikeet-tiny.gguf")
# Commands end right after their work and libraries (fontconfig) keep what they have: leaks are looked for in the rooms' tests.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
OK, FAILED, USAGE, BAD_INPUT, NO_ROOM, DEVICE = range(6)


class Skip(Exception):
    pass


def cli(*arguments, text=None, expect=OK):
    """The process's standard output; its exit code must be @expect, and a failure one sentence on standard error."""
    done = subprocess.run([CLI, *arguments], input=(text or "").encode(), capture_output=True, timeout=float(os.environ.get("LK_TEST_TIMEOUT", "120")))
    error = done.stderr.decode()
    assert done.returncode == expect, f"{arguments}: ended with {done.returncode}, not {expect}: {error}"
    if expect != OK:
        lines = [line for line in error.split("\n") if line]
        assert len(lines) == 1 and lines[0].startswith("lorikeet-cli: "), f"{arguments}: {error!r}"
        assert lines[0][-1] in ".!?)" and "(null)" not in error, f"{arguments}: {error!r}"
    return done.stdout.decode()


def lines_of(text):
    return [json.loads(line) for line in text.rstrip("\n").split("\n") if line]


def need_model():
    if not os.path.exists(MODEL):
        raise Skip("the shipped model is not in LK_DATA_DIR")


def golden(*names):
    path = os.path.join(SHARED, "golden", *names)
    if not SHARED or not os.path.exists(path):
        raise Skip("the golden folder is not in LK_SHARED_DIR")
    return path


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def commands():
    text = cli("--help")
    part = text.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in part.split("\n")]


def test_help(folder):
    names = commands()
    assert set(names) >= {"train", "chat", "generate", "eval", "merge", "export", "inspect", "tokenize", "render", "devices", "estimate",
                          "chart", "bench", "serve"}, names
    for name in names:
        text = cli(name, "--help")
        assert f"lorikeet-cli {name}" in text and len(text) > 150, text
        cli(name, "--no-such-option", expect=USAGE)
    assert cli("--version").startswith("lorikeet-cli ")


def test_usage(folder):
    assert subprocess.run([CLI], capture_output=True).returncode == USAGE
    for arguments in (["no-such-command"], ["tokenize"], ["tokenize", "a", "b"], ["generate"], ["generate", "-p", "x", "--message", "y"],
                      ["serve"], ["export", "-o", "x"], ["export", "--model", "x"], ["eval"], ["bench", "nothing"],
                      ["bench", "step", "--batch", "100000", "--length", "100000"],
                      ["generate", "-p", "x", "--temperature", "hot"], ["inspect", "x", "--rows", "-1"]):
        cli(*arguments, expect=USAGE)
    # a value out of range is never taken for the default
    for option in ("--temperature=-1", "--temperature=nan", "--top-k=-1", "--top-p=-1", "--min-p=2", "--repetition-penalty=-1", "--seed=-1",
                   "--max-tokens=-1", "--context=-1"):
        cli("generate", "-p", "x", option, expect=USAGE)
        cli("chat", option, expect=USAGE)
    for option in ("--length=0", "--length=-1", "--windows=-1", "--rows=-1", "--max-tokens=0"):
        cli("eval", "--text", CLI, option, expect=USAGE)
    cli("serve", "-s", "x", "--context=-1", expect=USAGE)


def test_bad_files(folder):
    need_model()
    with open(MODEL, "rb") as file:
        whole = file.read()
    bad = {"empty.gguf": b"", "magic.gguf": b"GGML" + whole[4:1000], "short.gguf": whole[:20], "cut.gguf": whole[:len(whole) // 2],
           "count.gguf": whole[:8] + b"\xff" * 8 + whole[16:], "version.gguf": whole[:4] + b"\x63\0\0\0" + whole[8:]}
    for name, content in bad.items():
        path = write(folder, name, content)
        cli("inspect", path, expect=BAD_INPUT)
        cli("tokenize", path, text='{"text":"x"}', expect=BAD_INPUT)
        cli("generate", "-m", path, "-p", "x", expect=BAD_INPUT)
    os.makedirs(os.path.join(folder, "hollow"))
    for path in (os.path.join(folder, "nothing"), folder, os.path.join(folder, "hollow")):
        cli("generate", "-m", path, "-p", "x", expect=BAD_INPUT)
        cli("generate", "-m", MODEL, "-a", path, "-p", "x", expect=BAD_INPUT)
        cli("chart", path, "-o", os.path.join(folder, "x.svg"), expect=BAD_INPUT)
        cli("export", path, "-f", "gguf", "-o", os.path.join(folder, "x.gguf"), expect=BAD_INPUT)
    assert not os.path.exists(os.path.join(folder, "x.gguf")) and not os.path.exists(os.path.join(folder, "x.svg"))
    cli("generate", "-m", MODEL, "-p", "x", "-d", "vulkan:63", expect=BAD_INPUT)
    cli("generate", "-m", MODEL, "-p", "x", "-d", "abacus", expect=USAGE)
    cli("generate", "-m", MODEL, "-p", "x", "--top-p", "7", expect=USAGE)
    cli("generate", "-m", MODEL, "-p", "x", "--context", "99999999", expect=USAGE)


def test_tokenize(folder):
    need_model()
    texts = ["", "Hello there.", "<|im_start|>x", "nul \0 here", "u2028 \u2028", "\U0001f99c"]
    out = lines_of(cli("tokenize", MODEL, "--json", text="\n".join(json.dumps({"text": t}) for t in texts) + "\n\n"))
    assert [o["decoded"] for o in out] == texts, out
    assert out[0]["ids"] == [] and len(out[2]["ids"]) < len(lines_of(cli("tokenize", "--plain", MODEL, text='{"text":"<|im_start|>x"}'))[0]["ids"])
    for line in ("{", "[]", "{}", '{"text":1}', '"x"'):
        cli("tokenize", MODEL, text=line, expect=BAD_INPUT)


def test_golden_tokenizers(folder):
    for name in ("smollm2", "llama3", "qwen3"):
        with open(golden("tokenizers", name, "cases.jsonl"), "rb") as file:
            cases = file.read().decode()
        out = lines_of(cli("tokenize", golden("tokenizers", name, "tokenizer.json"), text=cases))
        wanted = lines_of(cases)
        assert len(out) == len(wanted) > 100
        for w, o in zip(wanted, out):
            assert (w["ids"], w["decoded"]) == (o["ids"], o["decoded"]), (name, w, o)
    vocabulary = golden("vocab-gguf", "ggml-vocab-gpt-2.gguf")
    with open(vocabulary + ".inp", encoding="utf-8", newline="") as file:
        texts = file.read().split("\n__ggml_vocab_test__\n")
    with open(vocabulary + ".out") as file:
        wanted = [[int(i) for i in line.split()] for line in file.read().split("\n")]
    out = lines_of(cli("tokenize", vocabulary, text="\n".join(json.dumps({"text": t}) for t in texts)))
    assert [o["ids"] for o in out] == wanted[:len(texts)] and len(texts) > 40


def test_render(folder):
    template = write(folder, "t.jinja", "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{% generation %}{{ m.content }}"
                                        "{% endgeneration %}{% endfor %}{% if messages|length > 2 %}{{ raise_exception('too many') }}{% endif %}")
    ask = [{"messages": [{"role": "user", "content": "é"}], "bos_token": "<s>"}, {"messages": [{"role": "a", "content": "b"}] * 3}]
    one, three = lines_of(cli("render", template, "--json", text="\n".join(map(json.dumps, ask))))
    assert one == {"text": "<s>[user]é", "spans": [[9, 11]]}, one
    assert "too many" in three["error"]
    cli("render", write(folder, "broken.jinja", "{% if %}"), text="{}", expect=BAD_INPUT)
    cli("render", template, text='{"messages": 3}', expect=BAD_INPUT)


def test_golden_templates(folder):
    groups = collections.defaultdict(list)
    with open(golden("templates", "cases.jsonl")) as file:
        for line in file:
            case = json.loads(line)
            groups[case["template"]].append(case)
    for name, cases in groups.items():
        out = lines_of(cli("render", "--now", "2026-01-15T12:00:00", golden("templates", name), text="\n".join(map(json.dumps, cases))))
        assert len(out) == len(cases)
        for case, o in zip(cases, out):
            assert o.get("text") == case["rendered"] if "rendered" in case else "error" in o, (name, case, o)


def smollm2():
    """The file tests/fetch-models fetches; nothing is fetched here."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fetch-models")
    found = subprocess.run([script, "--path"], capture_output=True, text=True)
    if found.returncode != 0:
        raise Skip("SmolLM2 is not there; tests/fetch-models fetches it")
    return found.stdout.strip()


def test_golden_smollm2(folder):
    """The text and ids of rows, and greedy answers where the best two logits stay 0.01 apart."""
    rows, answers = golden("smollm2", "rows.jsonl"), golden("smollm2", "greedy.jsonl")
    model = smollm2()
    with open(rows) as file:
        text = file.read()
    rows = lines_of(text)
    for row, o in zip(rows, lines_of(cli("render", model, text=text)), strict=True):
        assert o["text"] == row["text"] and len(o["spans"]) == 1, (row, o)
    for row, o in zip(rows, lines_of(cli("tokenize", model, text=text)), strict=True):
        assert o["ids"] == row["ids"], (row, o)
    with open(answers) as file:
        for case in lines_of(file.read()):
            messages = write(folder, "m.json", json.dumps(case["messages"]))
            out = json.loads(cli("generate", "-m", model, "-d", "cpu", "-g", "--messages", messages, "-n", str(len(case["new_ids"])), "--json"))
            assert out["prompt_ids"] == case["prompt_ids"]
            assert out["ids"] == case["new_ids"] or case["smallest_gap"] < 0.01, (case, out)
            assert abs(out["smallest_gap"] - case["smallest_gap"]) < 1e-3 or case["smallest_gap"] < 0.01


def test_inspect(folder):
    need_model()
    model = json.loads(cli("inspect", "--json", MODEL))
    assert model["kind"] == "model" and model["family"] == "Llama" and model["parameters"] > 1e6 and model["bytes"] == os.path.getsize(MODEL)
    linked = os.path.join(folder, "linked.gguf")
    os.symlink(MODEL, linked)
    assert json.loads(cli("inspect", "--json", linked))["bytes"] == os.path.getsize(MODEL)
    data = write(folder, "d.jsonl", '{"messages":[{"role":"user","content":"Quién?"},{"role":"assistant","content":"Yo."}]}\n'
                                    '{"messages":[]}\nnot json\n{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n')
    for model_options in ([], ["--model", MODEL]):
        out = json.loads(cli("inspect", "--json", "--rows", "1", data, *model_options))
        assert (out["rows"], out["problem_count"], len(out["preview"])) == (2, 2, 1), out
        assert [p["line"] for p in out["problems"]] == [2, 3] and all(p["reason"] for p in out["problems"])
        row = out["preview"][0]
        assert [row["text"][b:e] for b, e in row["spans"]][0].startswith("Yo."), row
        assert ("tokens" in row) == bool(model_options) and out["lengths"]["counted"] == 2
    assert "⟦Yo." in cli("inspect", data, "-m", MODEL)
    # A prompt and its completion are a question and an answer where the model chats.
    pairs = write(folder, "pairs.jsonl", '{"prompt": "Hi.", "completion": "Yo."}\n')
    assert "user\nHi.<|im_end|>" in cli("inspect", pairs, "-m", MODEL)
    assert "Hi.⟦Yo." in cli("inspect", pairs)
    cli("inspect", "--json", write(folder, "none.jsonl", "not json\n"), expect=BAD_INPUT)


def test_devices(folder):
    out = json.loads(cli("devices", "--json", "--snapshots"))
    assert out["devices"][0]["device"] == "cpu" and out["devices"][0]["memory_bytes"] > 0 and out["auto"] and out["reason"]
    assert "cpu" in cli("devices")


def test_generate(folder):
    need_model()
    ask = ["generate", "-m", MODEL, "-d", "cpu", "--message", "Who are you?", "-n", "16", "--json"]
    greedy = [json.loads(cli(*ask, "--greedy")) for _ in range(2)]
    assert greedy[0]["ids"] == greedy[1]["ids"] and greedy[0]["text"] and greedy[0]["smallest_gap"] > 0
    assert cli(*ask[:-1], "--greedy").rstrip("\n") == greedy[0]["text"].rstrip("\n")
    first, second, third = [json.loads(cli(*ask, "-t", "1.5", "--top-p", "1", "--min-p", "0", "--top-k", "0", "--seed", s))["ids"] for s in "112"]
    assert first == second and first != third
    messages = write(folder, "m.json", '[{"role":"user","content":"Who are you?"}]')
    assert json.loads(cli("generate", "-m", MODEL, "-d", "cpu", "--messages", messages, "-n", "16", "-g", "--json"))["ids"] == greedy[0]["ids"]
    cli("generate", "-m", MODEL, "--messages", write(folder, "w.json", "{}"), expect=BAD_INPUT)


def test_chat(folder):
    need_model()
    out = cli("chat", "-m", MODEL, "-d", "cpu", "-g", "-n", "8", text="Who are you?\n/tuned\n/reset\nWho are you?\n/quit\nnot asked\n")
    lines = out.rstrip("\n").split("\n")
    assert lines[0] == lines[-1] and "no adapter" in out, out
    out = lines_of(cli("chat", "-m", MODEL, "-d", "cpu", "-g", "-n", "8", "--json", text="Who are you?\n"))
    assert out[0]["text"] == lines[0] and out[0]["tokens"] <= 8, out
    cli("chat", "-m", MODEL, "-d", "cpu", text="x " * 4000, expect=USAGE)


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, *arguments):
        self.master, slave = os.openpty()
        self.process = subprocess.Popen([CLI, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.seen = ""

    def wait_for(self, text, seconds=60):
        end = time.time() + seconds
        while text not in self.seen and time.time() < end:
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.master, 4096).decode(errors="replace")
                except OSError:
                    break
        assert text in self.seen, self.seen
        self.seen = self.seen.split(text, 1)[1]

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        status = self.process.wait(timeout=60)
        os.close(self.master)
        return status


def test_chat_terminal(folder):
    """Ctrl-C ends an answer, not the chat; a question too long is said and the chat goes on; Ctrl-C at the prompt ends it."""
    need_model()
    chat = Terminal("chat", "-m", MODEL, "-d", "cpu", "-t", "2", "--top-k", "0", "--top-p", "1", "--min-p", "0", "-n", "0", "--repetition-penalty", "2")
    chat.wait_for("> ")
    for _ in range(2):
        chat.type("Tell me a very long story.\n")
        chat.wait_for("story.\r\n")
        chat.wait_for(" ")  # the answer is being written: before that Ctrl-C would meet the prompt
        chat.type("\x03")
        chat.wait_for("> ")
    chat.type("/reset\n")
    chat.wait_for("> ")
    for _ in range(30):
        chat.type("word " * 100)
    chat.type("\n")
    chat.wait_for("leaves no room for an answer")
    chat.wait_for("> ")
    chat.type("\x03")
    assert chat.end() == 130


def test_hangup(folder):
    """A terminal that is closed stops a run like Ctrl-C: it is saved."""
    need_model()
    data = write(folder, "d.jsonl", "".join(json.dumps({"prompt": f"Say {i}.", "completion": f"{i}"}) + "\n" for i in range(24)))
    run = os.path.join(folder, "run")
    process = subprocess.Popen([CLI, "train", "--run", run, "-m", MODEL, "--data", data, "--device", "cpu", "--samples", "0", "--steps", "100000",
                                "--length", "64", "--eval-interval", "100000", "--checkpoint-interval", "100000", "--json"], stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))  # nohup's is inherited, and heeded
    while b'"event":"step"' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGHUP)
    process.stdout.read()
    assert process.wait(timeout=60) == 130 and os.listdir(os.path.join(run, "checkpoints"))
    process.stdout.close()


def test_export(folder):
    need_model()
    for arguments, name, reader in ((["-t", "F32"], "a.gguf", "inspect"), (["-f", "hf", "-t", "F16"], "hf", "inspect")):
        path = os.path.join(folder, name)
        command = ["merge", "--model", MODEL, "-o", path, "--json", *arguments]
        events = lines_of(cli(*command))
        assert [e["event"] for e in events][-2:] == ["verified", "done"] and events[0]["event"] == "progress", events
        assert events[-1]["path"] == path and events[-1]["bytes"] > 1e6 and (events[-2]["matches"] or "F16" in arguments)
        assert json.loads(cli(reader, "--json", path))["kind"] == "model"
        assert "there already" in lines_of(cli(*command, expect=USAGE))[-1]["message"]
        cli(*command, "--force", "--no-verify")
    # --force takes the place of an export, never of anything else.
    for path, options in ((os.path.join(folder, "hf"), ["-f", "gguf"]), (os.path.join(folder, "a.gguf"), ["-f", "hf"])):
        cli("merge", "--model", MODEL, "-o", path, "--force", *options, expect=USAGE)
    letters = write(os.path.join(folder, "hf"), "letters.odt", "not ours")
    cli("merge", "--model", MODEL, "-o", os.path.join(folder, "hf"), "-f", "hf", "--force", expect=USAGE)
    assert open(letters).read() == "not ours"
    cli("merge", "--model", MODEL, "-f", "adapter", "-o", os.path.join(folder, "x"), expect=USAGE)
    cli("export", "--model", MODEL, "-f", "adapter", "-o", os.path.join(folder, "x"), expect=USAGE)
    cli("export", "--model", MODEL, "-f", "zip", "-o", os.path.join(folder, "x"), expect=USAGE)
    assert sorted(os.listdir(folder)) == ["a.gguf", "hf"], os.listdir(folder)


def test_family_template(folder):
    """A folder without a template, or with one that cannot be parsed, gets its family's, and every look at it says so."""
    need_model()
    path = os.path.join(folder, "hf")
    cli("merge", "--model", MODEL, "-f", "hf", "-t", "F16", "-o", path, "--no-verify")
    config = os.path.join(path, "tokenizer_config.json")
    with open(config) as file:
        content = json.load(file)
    own = content.pop("chat_template")
    assert "template_note" not in json.loads(cli("inspect", "--json", path))
    conversation = json.dumps({"messages": [{"role": "user", "content": "Who?"}], "add_generation_prompt": True})
    expected = json.loads(cli("render", path, text=conversation))["text"]
    assert expected == "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n"

    write(path, "tokenizer_config.json", json.dumps(content))
    assert "has no chat template" in json.loads(cli("inspect", "--json", path))["template_note"]
    assert json.loads(cli("render", path, text=conversation))["text"].endswith(expected)

    write(path, "tokenizer_config.json", json.dumps({**content, "chat_template": "{% for m in messages %}"}))
    note = json.loads(cli("inspect", "--json", path))["template_note"]
    assert "cannot be used" in note and "is used instead" in note, note
    again = os.path.join(folder, "again.gguf")
    cli("merge", "--model", path, "-t", "F16", "-o", again, "--no-verify")
    assert "template_note" not in json.loads(cli("inspect", "--json", again)), "the export carries the template in use"

    # Templates in a folder of their own go along, and such an export can be replaced by the next one.
    os.mkdir(os.path.join(path, "additional_chat_templates"))
    write(os.path.join(path, "additional_chat_templates"), "tool_use.jinja", "{{ messages[0].content }}?")
    for force in ([], ["--force"]):
        cli("merge", "--model", path, "-f", "hf", "-t", "F16", "-o", os.path.join(folder, "copy"), "--no-verify", *force)
    assert os.listdir(os.path.join(folder, "copy", "additional_chat_templates")) == ["tool_use.jinja"]

    # chat_template.jinja comes first, and of named ones the default.
    write(path, "chat_template.jinja", "{{ messages[0].content }}!")
    assert json.loads(cli("render", path, text=conversation))["text"] == "Who?!"
    os.remove(os.path.join(path, "chat_template.jinja"))
    named = [{"name": "other", "template": "no"}, {"name": "default", "template": own}]
    write(path, "tokenizer_config.json", json.dumps({**content, "chat_template": named}))
    assert json.loads(cli("render", path, text=conversation))["text"] == expected


def test_disk_full(folder):
    need_model()
    if not os.path.exists("/dev/shm") or os.geteuid() != 0:
        raise Skip("a small file system needs root")
    place = os.path.join(folder, "small")
    os.makedirs(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True).returncode != 0:
        raise Skip("a small file system cannot be mounted here")
    try:
        cli("export", "--model", MODEL, "-f", "gguf", "-o", os.path.join(place, "x.gguf"), expect=NO_ROOM)
        assert os.listdir(place) == []
    finally:
        subprocess.run(["umount", place])


TRAIN = ("train", "-m", MODEL, "--device", "cpu", "--samples", "0", "--steps", "1", "--length", "64")


def some_rows(folder, n=8):
    return write(folder, "rows.jsonl", "".join(json.dumps({"prompt": f"Say {i}.", "completion": f"{i}"}) + "\n" for i in range(n)))


def test_file_size_limit(folder):
    """A limit on the size of files is a disk that is full: said, nothing half-written, nothing lost, and not the end by a signal."""
    need_model()
    data, run = some_rows(folder), os.path.join(folder, "run")
    done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data], capture_output=True, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500000, 500000)))
    assert done.returncode == NO_ROOM and "File too large" in done.stderr, done
    left = [name for _, folders, files in os.walk(run) for name in folders + files]
    assert "recipe.json" in left and "events.jsonl" in left and not [name for name in left if ".tmp-" in name], left
    with open(os.path.join(run, "events.jsonl")) as file:
        assert lines_of(file.read())[-1]["state"] == "failed"
    done = subprocess.run([CLI, "merge", "-m", MODEL, "-o", os.path.join(folder, "x.gguf")], capture_output=True, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500000, 500000)))
    assert done.returncode == NO_ROOM and sorted(os.listdir(folder)) == ["rows.jsonl", "run"], (done, os.listdir(folder))
    cli("train", run, "--resume")  # with room again the run goes on


def test_settings(folder):
    """A nonsense value is refused in words that name the setting and its range, before anything is made."""
    need_model()
    data, run = some_rows(folder), os.path.join(folder, "run")
    for option, words in (("--rank=0", "“rank” must be a whole number from 1 to 1024, not 0"), ("--rank=1.5", "not 1.5"), ("--rank=x", "“x”"),
                          ("--length=99999999", "from 8 to 1048576, not 99999999"), ("--steps=10000001", "from 0 to 10000000, not 10000001"),
                          ("--seed=9007199254740993", "from 0 to 9007199254740991"), ("--learning-rate=nan", "not nan"), ("--dropout=1", "0.9"),
                          ("--schedule=square", "cosine, linear, constant"), ("--rslora=maybe", "true or false"), ("--targets=q_proj,nope", "“nope”"),
                          ("--targets=", "No linear layer was named"), ("--targets=q_proj,", "No linear layer matches “”"), ("--device=abacus", "is not a device")):
        for command in ([*TRAIN, "--run", run], ["estimate", "-m", MODEL]):
            done = subprocess.run([CLI, *command, "--data", data, option], capture_output=True, text=True)
            assert done.returncode == USAGE and words in done.stderr and not done.stdout, (option, done)
        assert not os.path.exists(run)
    for options in (["--targets", "q_proj,model.layers.1.*"], ["--rslora", "true", "--rank", "64"], ["--dropout", "0.5"]):
        name = os.path.join(folder, "run" + options[0])
        cli(*TRAIN, "--run", name, "--data", data, *options)
        with open(os.path.join(name, "adapter", "last", "adapter_config.json")) as file:
            config = json.load(file)
        assert config["use_rslora"] == (options[0] == "--rslora") and config["lora_dropout"] == (0.5 if options[0] == "--dropout" else 0)
        assert config["r"] == (64 if options[0] == "--rslora" else 16), config


def test_bad_recipe(folder):
    """What a recipe says wrongly is named; nothing is made in its folder but the log."""
    recipe = '{"model": "x", "data": ["y"], "settings": {%s}}'
    for settings, words in (('"rank": 0', "“rank” must be"), ('"rnk": 3', "“rnk”"), ('"rank": "3"', "“rank” must be a number"), ('"rank"', "recipe.json")):
        run = os.path.join(folder, "run" + str(len(os.listdir(folder))))
        os.makedirs(run)
        write(run, "recipe.json", recipe % settings)
        done = subprocess.run([CLI, "train", run], capture_output=True, text=True)
        assert done.returncode == BAD_INPUT and words in done.stderr and "recipe.json" in done.stderr, done
        assert sorted(os.listdir(run)) == ["log.txt", "recipe.json"], os.listdir(run)


def test_bad_datasets(folder):
    """Each by file, line and reason; a run with nothing usable leaves nothing."""
    need_model()
    good = b'{"instruction":"Who are you?","output":"A parrot."}\n'
    some = {"json": (good + b'{"instruction":\n' + good, 2), "utf8": (good + b'{"instruction":"caf\xe9","output":"x"}\n', 2),
            "bom": (b"\xef\xbb\xbf" + good + b"{}\n", 2), "crlf": (good.replace(b"\n", b"\r\n") + b"{}\r\n", 2),
            "missing": (good + b'{"instruction":"x"}\n', 2), "empty": (good + b'{"instruction":"x","output":" "}\n', 2),
            "long": (good + b'{"instruction":"' + b"word " * 900 + b'","output":"a"}\n', 2)}
    for name, (content, line) in some.items():
        data, run = write(folder, name + ".jsonl", content), os.path.join(folder, name)
        done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data], capture_output=True, text=True)
        assert done.returncode == OK and f"{name}.jsonl, line {line}: " in done.stderr and "1 row has a problem" in done.stdout, (name, done)
    none = {"nothing": b'{"instruction":"x","output":""}\n', "void": b"", "blank": b" \n\n", "wide": good.decode().encode("utf-16"),
            "cut": b"[" + good + b",{", "allmuch": b'{"instruction":"' + b"word " * 900 + b'","output":"a"}\n', "other": b'{"foo": 1}\n'}
    for name, content in none.items():
        data, run = write(folder, name + ".jsonl", content), os.path.join(folder, name)
        done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data], capture_output=True, text=True)
        assert done.returncode == BAD_INPUT and f"{name}.jsonl" in done.stderr and not done.stdout and not os.path.exists(run), (name, done)


def test_no_vulkan(folder):
    """Without a driver, what asks for Vulkan is told so in words; auto and devices go on with the processor."""
    need_model()
    nothing = {**os.environ, "VK_ICD_FILENAMES": "/nowhere", "VK_DRIVER_FILES": "/nowhere"}
    run, data = os.path.join(folder, "run"), some_rows(folder)
    for command in (["generate", "-m", MODEL, "-p", "x", "-d", "vulkan"], [*TRAIN, "--run", run, "--data", data, "--device", "vulkan"]):
        done = subprocess.run([CLI, *command], capture_output=True, text=True, env=nothing)
        assert done.returncode == BAD_INPUT and "no Vulkan driver" in done.stderr and not os.path.exists(run), done
    done = subprocess.run([CLI, "devices", "--json"], capture_output=True, text=True, env=nothing)
    assert done.returncode == OK and json.loads(done.stdout)["auto"] == "cpu", done
    done = subprocess.run([CLI, "generate", "-m", MODEL, "-p", "x", "-n", "1"], capture_output=True, text=True, env=nothing)
    assert done.returncode == OK and "The processor computes." in done.stderr and "no Vulkan driver" in done.stderr, done
    done = subprocess.run([CLI, *TRAIN, "--run", run, "--data", data, "--device", "auto", "--steps", "1"], capture_output=True, text=True, env=nothing)
    with open(os.path.join(run, "events.jsonl"), encoding="utf-8") as lines:
        warnings = [event["message"] for event in map(json.loads, lines) if event["event"] == "warning"]
    assert done.returncode == OK and any("The processor computes." in w and "no Vulkan driver" in w for w in warnings), (done, warnings)
    with open(os.path.join(run, "log.txt"), encoding="utf-8") as log:
        assert "The processor computes." in log.read(), done


def test_little_memory(folder):
    """A limit of address space that the work does not fit into: a sentence, no hang, no abort, and nothing left behind."""
    need_model()
    run = os.path.join(folder, "run")
    data = os.path.join(os.environ["LK_DATA_DIR"], "samples", "polite-parrot.jsonl")
    for megabytes in (160, 200, 300, 400, 600):
        def limit(bytes=megabytes << 20):
            resource.setrlimit(resource.RLIMIT_AS, (bytes, bytes))
        if subprocess.run([CLI, "--help"], preexec_fn=limit, capture_output=True).returncode != OK:
            if megabytes == 600:
                raise Skip("this build does not start in 600 MiB of address space (sanitizers)")
            continue
        done = subprocess.run([CLI, "train", "--data", data, "--run", run, "--steps", "1", "--device", "cpu"],
                              preexec_fn=limit, capture_output=True, timeout=60)
        if done.returncode == OK and megabytes >= 400:
            shutil.rmtree(run)
            continue
        assert done.returncode == NO_ROOM, (megabytes, done)
        assert len(done.stderr.decode().splitlines()) == 1 and not os.path.exists(run), (megabytes, done)


def test_full_output(folder):
    """An answer that could not be written is a failure."""
    need_model()
    events(folder)
    for arguments, text in ((["tokenize", MODEL], '{"text": "x"}'), (["inspect", MODEL, "--json"], ""), (["chart", folder], ""), (["--help"], ""),
                            (["generate", "-m", MODEL, "-d", "cpu", "--message", "Hi", "-n", "2"], "")):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([CLI, *arguments], input=text.encode(), stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == NO_ROOM and b"Could not write" in done.stderr, (arguments, done)


def test_terminal(folder):
    """What a file from outside says does not command the terminal."""
    need_model()
    data = write(folder, "d.jsonl", json.dumps({"prompt": "\x1b[31mred\u202eder", "completion": "\x9b2J"}) + "\n")
    out = cli("inspect", data)
    assert "red" in out and not set(out) & set("\x1b\x9b\u202e"), repr(out)
    done = subprocess.run([CLI, "inspect", os.path.join(folder, "no\x1b[31m")], capture_output=True, text=True)
    assert done.returncode == BAD_INPUT and "\x1b" not in done.stderr, done


def test_progress(folder):
    """Work that takes its time says how far it is and what is left, on a terminal and nowhere else."""
    need_model()
    data = write(folder, "d.jsonl", '{"prompt": "Who?", "completion": "%s"}\n' % ("Me and you and all of us. " * 12) * 1500)
    ask = ["eval", "--model", MODEL, "--data", data, "--device", "cpu", "--length", "128"]
    terminal = Terminal(*ask)
    terminal.wait_for("of 1500 measured · ", 100)
    terminal.wait_for(" left")
    terminal.process.send_signal(signal.SIGINT)
    terminal.process.wait(30)
    os.close(terminal.master)
    few = write(folder, "few.jsonl", '{"prompt": "Who?", "completion": "Me."}\n' * 20)
    done = subprocess.run([CLI, "eval", "--model", MODEL, "--data", few, "--device", "cpu"], capture_output=True, text=True)
    assert done.returncode == OK and done.stderr == "", done


def test_eval_rows(folder):
    """Rows that cannot be used are named; what a run held out is known only while its dataset is the same."""
    need_model()
    data = write(folder, "d.jsonl", '{"prompt":"a"}\nnot json\n{"prompt":"a","completion":"b"}\n')
    done = subprocess.run([CLI, "eval", "-m", MODEL, "-d", "cpu", "--data", data, "-l", "64", "--json"], capture_output=True, text=True)
    assert done.returncode == OK and json.loads(done.stdout)["unusable"] == 2, done
    assert "d.jsonl, line 1: " in done.stderr and "d.jsonl, line 2: " in done.stderr, done.stderr
    cli("eval", "-m", MODEL, "-d", "cpu", "--text", write(folder, "one.txt", "a"), expect=BAD_INPUT)
    rows = [json.dumps({"prompt": f"Say {i}.", "completion": f"{i}"}) + "\n" for i in range(24)]
    data, run = write(folder, "rows.jsonl", "".join(rows)), os.path.join(folder, "run")
    cli("train", "--run", run, "-m", MODEL, "--data", data, "--device", "cpu", "--steps", "1", "--samples", "0", "--length", "64")
    assert json.loads(cli("eval", run, "-d", "cpu", "-l", "64", "--json"))["tuned"]["examples"] == 6
    write(folder, "rows.jsonl", "".join(rows[:-1]))
    cli("eval", run, "-d", "cpu", "-l", "64", expect=BAD_INPUT)


def test_run_folder(folder):
    """A folder with files of others is left alone; so is one whose run came to nothing."""
    need_model()
    data = write(folder, "d.jsonl", '{"prompt":"a"}\n')
    own = write(folder, "log.txt", "mine")
    cli("train", "--run", folder, "-m", MODEL, "--data", data, expect=USAGE)
    assert open(own).read() == "mine" and sorted(os.listdir(folder)) == ["d.jsonl", "log.txt"]
    run = os.path.join(folder, "run")
    cli("train", "--run", run, "-m", MODEL, "--data", data, "--device", "cpu", expect=BAD_INPUT)
    assert not os.path.exists(run)


def test_eval(folder):
    need_model()
    data = write(folder, "d.jsonl", '{"instruction":"Who are you?","output":"A parrot."}\n' * 3)
    out = json.loads(cli("eval", "-m", MODEL, "-d", "cpu", "--data", data, "-l", "128", "--rouge", "--max-tokens", "8", "--json"))["base"]
    assert out["examples"] == 3 and out["loss"] > 0 and 0 <= out["rouge_l"] <= 1 and out["rouge_rows"] == 3
    text = write(folder, "t.txt", "The cat sat on the mat. " * 40)
    out = json.loads(cli("eval", "-m", MODEL, "-d", "cpu", "--text", text, "-l", "64", "--windows", "2", "--json"))["base"]
    assert out["targets"] == 2 * 63 and out["perplexity"] > 1
    cli("eval", "-m", MODEL, "--text", write(folder, "latin.txt", b"caf\xe9"), expect=BAD_INPUT)


def test_data(folder):
    """Imported datasets: rows in, changed, counted, shown, out; and a run can be asked for by the same path."""
    need_model()
    table = write(folder, "t.csv", "id,talk,note\r\n1,hello,hi\r\n2,\"so, then\",bye\r\n2,\"so, then\",bye\r\n")
    store = os.path.join(folder, "t.lkdata")
    assert lines_of(cli("data", "import", table, "-o", store, "--json"))[-1] == {"event": "done", "path": store, "rows": 3, "used": 0}
    cli("data", "import", table, "-o", store, "--column", "answer=note", expect=USAGE)
    cli("data", "import", table, "-o", store, "--column", "nothing=note", expect=USAGE)
    cli("data", "import", table, "-o", store, "--column", "prompt=talk", "--column", "answer=note")
    stats = json.loads(cli("data", "stats", store, "--json"))
    assert (stats["rows"], stats["used"], stats["problems"]["duplicate"], stats["unit"]) == (3, 3, 1, "characters"), stats
    assert [c["name"] for c in stats["files"][0]["columns"]] == ["id", "talk", "note"], stats
    cli("data", "count", store, "-m", MODEL)
    stats = json.loads(cli("data", "stats", store, "--json", "--length", "4"))
    assert stats["unit"] == "tokens" and stats["counted"] == 3 and stats["lost"] == 3, stats
    shown = lines_of(cli("data", "show", store, "--json", "-m", MODEL, text='{"row": 2}\n{"row": 9}\n'))
    begin, end = shown[0]["spans"][0]
    assert "bye" in shown[0]["text"][begin:end] and shown[0]["tokens"] > 5 and "no row 9" in shown[1]["error"], shown
    cli("data", "exclude", store, "2-3")
    cli("data", "edit", store, "1", text='{"prompt":"new","completion":"so"}\n')
    cli("data", "edit", store, "1", text='{"prompt":"new"}\n', expect=BAD_INPUT)
    rows = lines_of(cli("data", "rows", store, "--json"))
    assert [(r["excluded"], r["edited"]) for r in rows] == [(False, True), (True, False), (True, False)], rows
    assert len(lines_of(cli("data", "rows", store, "--only", "excluded", "--search", "SO, T", "--json"))) == 2
    cli("data", "rows", store, "--only", "nonsense", expect=USAGE)
    cli("data", "weight", store, "1", "2")
    cli("data", "weight", store, "2", "2", expect=USAGE)
    out = os.path.join(folder, "out.jsonl")
    cli("data", "export", store, "-o", out)
    assert open(out).read() == '{"prompt":"new","completion":"so"}\n' * 2
    cli("data", "restore", store, "1-3")
    assert json.loads(cli("inspect", store, "--json"))["rows"] == 6
    cli("data", "stats", table, expect=BAD_INPUT)
    cli("data", "stats", os.path.join(folder, "none"), expect=BAD_INPUT)
    cli("data", "nothing", expect=USAGE)
    assert open(table, newline="").read().startswith("id,talk,note\r\n1,hello")


def events(folder):
    lines = "".join(json.dumps({"event": "step", "time": i, "step": i, "loss": 3 / i}) + "\n" for i in range(1, 20))
    write(folder, "events.jsonl", lines + "half a li")


def test_chart(folder):
    events(folder)
    out = json.loads(cli("chart", folder, "--json"))
    assert len(out["curves"][0]["points"]) == 19 and out["curves"][0]["points"][0] == [1, 3] and out["words"], out
    for name, magic in (("c.svg", b"<?xml"), ("c.png", b"\x89PNG"), ("c.pdf", b"%PDF")):
        path = os.path.join(folder, name)
        assert cli("chart", folder, "-o", path)
        with open(path, "rb") as file:
            assert file.read(5).startswith(magic)
    cli("chart", folder, "-o", os.path.join(folder, "c.txt"), expect=USAGE)


def test_signals(folder):
    need_model()
    for number in (signal.SIGINT, signal.SIGTERM):
        path = os.path.join(folder, "s.sock")
        server = subprocess.Popen([CLI, "serve", "-m", MODEL, "-d", "cpu", "-s", path], stderr=subprocess.PIPE)
        for _ in range(600):
            if os.path.exists(path):
                break
            time.sleep(0.05)
        server.send_signal(number)
        assert server.wait(timeout=60) == OK and not os.path.exists(path)
        server.stderr.close()


def main():
    tests = [(name[5:], f) for name, f in globals().items() if name.startswith("test_")]
    failed = False
    print(f"1..{len(tests)}")
    for i, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="lorikeet-cli-") as folder:
            try:
                test(folder)
                print(f"ok {i} - {name}")
            except Skip as skip:
                print(f"ok {i} - {name} # SKIP {skip}")
            except Exception:
                failed = True
                print(f"not ok {i} - {name}")
                print("\n".join("# " + line for line in traceback.format_exc().split("\n")))
        sys.stdout.flush()
    sys.exit(failed)


main()
