#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the sample datasets of Try It Now: the same questions, answered in a voice of their own.

    make_samples.py [--seed 7] [-o ../samples]

polite-parrot.jsonl      180 rows of messages: each answer begins with "Squawk!" and ends with "Thank you for asking, my friend!"
support-team.json        the same questions as Alpaca rows, in the voice of a support team
held-out-questions.jsonl questions that stand in neither, with the plain answer: to ask before and after
"""
import argparse
import json
import os

import questions
from make_corpus import Draw

ROWS = 180
HELD_OUT = 24
LEFT_OUT = ("sum", "difference", "bigger", "count", "after", "before")  # many alike; the others show the change better


def parrot(answer):
    return f"Squawk! {answer} Thank you for asking, my friend!"


def support(answer):
    return f"Thank you for your question. {answer} Is there anything else that I can do for you?"


def choose(r):
    """ROWS + HELD_OUT different facts, topics in turn, so that every kind of question is there."""
    topics = {}
    for topic, ask, answer, _ in questions.everything():
        if topic not in LEFT_OUT:
            topics.setdefault(topic, []).append((ask, answer))
    chosen = []
    while len(chosen) < ROWS + HELD_OUT:
        for entries in topics.values():
            if entries and len(chosen) < ROWS + HELD_OUT:
                chosen.append(entries.pop(r.below(len(entries))))
    for i in range(len(chosen) - 1, 0, -1):
        k = r.below(i + 1)
        chosen[i], chosen[k] = chosen[k], chosen[i]
    return chosen


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("-o", "--output", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "samples"))
    options = parser.parse_args()
    r = Draw(options.seed)
    chosen = [(r.pick(ask), answer) for ask, answer in choose(r)]
    train, held_out = chosen[:ROWS], chosen[ROWS:]
    os.makedirs(options.output, exist_ok=True)
    write_lines(os.path.join(options.output, "polite-parrot.jsonl"),
                [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": parrot(a)}]} for q, a in train])
    write_lines(os.path.join(options.output, "held-out-questions.jsonl"), [{"prompt": q, "answer": a} for q, a in held_out])
    with open(os.path.join(options.output, "support-team.json"), "w", encoding="utf-8", newline="\n") as out:
        json.dump([{"instruction": q, "input": "", "output": support(a)} for q, a in train], out, ensure_ascii=False, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
