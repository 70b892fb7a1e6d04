#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens, templates, and looks at models and datasets.

    test-text.py LORIKEET_CLI [TEST…]
"""
import collections
import json
import os
import subprocess

from harness import CLI, MODEL, USAGE, BAD_INPUT, cli, lines_of, need_model, golden, write, some_events, main


def test_tokenize(folder):
    need_model()
    texts = ["", "Hello there.", "<|im_start|>x", "nul \0 here", "\x1c\x85\u2028\u2029", "\U0001f99c"]
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
        wanted = [json.loads(line) for line in cases.split("\n") if line]
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
    # What the template does not write of a row is not left out without a word.
    call = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Rome"}}}
    turns = [{"role": "user", "content": "Rain?"}, {"role": "assistant", "content": "", "tool_calls": [call]}]
    calls = write(folder, "calls.jsonl", json.dumps({"messages": turns}) + "\n" + json.dumps({"messages": turns[:1] + [{"role": "assistant", "content": "No."}]}) + "\n")
    problems = json.loads(cli("inspect", "--json", calls, "-m", MODEL))["problems"]
    assert len(problems) == 1 and problems[0]["line"] == 1 and "“get_weather”" in problems[0]["reason"], problems
    many = write(folder, "many.jsonl", '{"prompt": "Hi.", "completion": "Yo."}\n' + '{"prompt": "Hi."}\n' * 150)
    assert len(json.loads(cli("inspect", "--json", many))["problems"]) == 100
    assert len(json.loads(cli("inspect", "--json", "--problems", many))["problems"]) == 150


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


def test_devices(folder):
    out = json.loads(cli("devices", "--json", "--snapshots"))
    assert out["devices"][0]["device"] == "cpu" and out["devices"][0]["memory_bytes"] > 0 and out["auto"] and out["reason"]
    assert "cpu" in cli("devices")


def test_chart(folder):
    some_events(folder)
    out = json.loads(cli("chart", folder, "--json"))
    assert len(out["curves"][0]["points"]) == 19 and out["curves"][0]["points"][0] == [1, 3] and out["words"], out
    for name, magic in (("c.svg", b"<?xml"), ("c.png", b"\x89PNG"), ("c.pdf", b"%PDF")):
        path = os.path.join(folder, name)
        assert cli("chart", folder, "-o", path)
        with open(path, "rb") as file:
            assert file.read(5).startswith(magic)
    done = subprocess.run([CLI, "chart", folder, "-o", os.path.join(folder, "c.jpg")], capture_output=True, text=True)
    assert done.returncode == USAGE and all(ending in done.stderr for ending in (".png", ".svg", ".pdf", ".csv")), done


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


main(globals())
