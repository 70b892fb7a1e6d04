#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the text the embedded model is trained on from scratch.

    make_corpus.py [--seed 2026] [--rows 36000] [-o corpus.jsonl]

Each line is {"text": "..."} or {"messages": [...]}. The same seed gives the same bytes with any Python 3: numbers come from
Random.random(), the only generator whose sequence Python promises to keep. Nothing is read, nothing is fetched.
"""
import argparse
import json
import random
import sys

import questions
import stories
from world import ANIMALS


class Draw:
    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, n):
        return int(self.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def two(self, items):
        first = self.below(len(items))
        second = self.below(len(items) - 1)
        return items[first], items[second + (second >= first)]

    def chance(self, p):
        return self.random() < p


ONE_WORD = "Answer with one word."
HELPER = "You are a helpful assistant."
CAPITALS = "Answer in capital letters."
OPENERS = ["Well", "Ahoy", "Listen", "Dear friend", "Hello", "Oh", "Yes", "Sure", "Of course", "Good question", "Moo", "Meow", "Woof",
           "Buzz", "Ha", "Hm", "My dear", "Let me see", "I know", "Hello there", "Aha", "Good day", "Hoot", "Quack", "Easy",
           "So", "Look", "Right", "Hey", "Dear child"]
MARKS = ["!", "!", ",", ".", ":"]
CLOSERS = ["Have a nice day!", "I hope that helps.", "Is that good?", "Ask me more!", "Goodbye, friend.", "That is all.", "You are welcome.",
           "Meow!", "I love this question.", "See you soon!", "Do you want to know more?", "Good night.", "It was good to talk, dear friend.",
           "Thanks for the question!", "What else do you want to know?", "Be happy!", "That was easy.", "Come again, my child!",
           "Tell it to your friends.", "I am glad to help you."]


def soften(r, question):
    """The same question in the ways people type."""
    if r.chance(0.06):
        question = question.lower()
    if r.chance(0.05):
        question = question.rstrip("?.!")
    if r.chance(0.06) and question[-1:] in "?.":
        question = r.pick(["Please tell me: ", "I have a question. ", "Hello! "]) + question
    return question


def make_turn(r, groups):
    topic = r.pick(TOPICS)
    entry = r.pick(groups[topic])
    return soften(r, r.pick(entry[1])), entry[2], entry[3]


def make_chat(r, groups):
    messages = []
    kind = r.random()
    if kind < 0.05:
        messages.append({"role": "system", "content": HELPER})
    if kind > 0.93:
        style = ONE_WORD if kind > 0.965 else CAPITALS
        question, answer, short = make_turn(r, groups)
        if short is None or style == CAPITALS:
            style, short = CAPITALS, answer.upper()
        else:
            short = questions.cap(short)
        return [{"role": "system", "content": style}, {"role": "user", "content": question},
                {"role": "assistant", "content": short}]
    if 0.80 < kind <= 0.93:
        question, answer, _ = make_turn(r, groups)
        wish, answer = dress(r, answer)
        return ([{"role": "system", "content": wish}] if kind < 0.92 else []) + [{"role": "user", "content": question},
                                                                                {"role": "assistant", "content": answer}]
    for _ in range(1 + (r.chance(0.25)) + (r.chance(0.08))):
        if r.chance(0.04):
            animal = r.pick(list(ANIMALS))
            question = r.pick(["Tell me a story about {}.", "I want a story about {}.", "Can you tell a story about {}?"])
            messages.append({"role": "user", "content": question.format(questions.a(animal))})
            messages.append({"role": "assistant", "content": stories.about(r, animal)})
        else:
            question, answer, _ = make_turn(r, groups)
            messages.append({"role": "user", "content": question})
            messages.append({"role": "assistant", "content": answer})
    return messages


def dress(r, answer):
    """(what the system message asks for, the answer with it): so that a known answer survives a change of voice."""
    opener = r.pick(OPENERS) + r.pick(MARKS)
    closer = r.pick(CLOSERS)
    kind = r.random()
    if kind < 0.4:
        return f'Begin with "{opener}"', f"{opener} {answer}"
    if kind < 0.6:
        return f'End with "{closer}"', f"{answer} {closer}"
    return f'Begin with "{opener}" and end with "{closer}"', f"{opener} {answer} {closer}"


TOPICS = []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--rows", type=int, default=36000)
    parser.add_argument("-o", "--output", default="-")
    options = parser.parse_args()
    r = Draw(options.seed)
    groups = {}
    for entry in questions.everything():
        groups.setdefault(entry[0], []).append(entry)
    # A topic comes as often as the root of its size: sums must not drown the greetings.
    for topic, entries in groups.items():
        TOPICS.extend([topic] * max(1, round(len(entries) ** 0.5)))
    out = sys.stdout if options.output == "-" else open(options.output, "w", encoding="utf-8", newline="\n")
    for _ in range(options.rows):
        if r.chance(0.12):
            row = {"text": stories.story(r)}
        else:
            row = {"messages": make_chat(r, groups)}
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
    if out is not sys.stdout:
        out.close()


if __name__ == "__main__":
    main()
