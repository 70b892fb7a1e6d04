# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about the closed world with their answers. Every entry is (topic, [ways to ask], answer, short answer)."""
from world import (AMOUNTS, ANIMALS, CAPITALS, CLASSES, COLOURS, DAYS, FEELINGS, HOWTO, JOBS, MONTHS, OPPOSITES, PARTS, PLACES,
                   PLURALS, SEASONS, SHAPES, TASTES, TOOLS, UNKNOWN, WEATHER)


def a(noun):
    """The noun with its article."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def cap(text):
    return text[0].upper() + text[1:]


def colours():
    for thing, colour in COLOURS.items():
        yield "colour", [f"What colour is {thing}?", f"Tell me the colour of {thing}.", f"Which colour does {thing} have?"], \
            f"{cap(thing)} is {colour}.", colour


def animals():
    for name, (sound, legs, home, baby, food, colour, size, moves) in ANIMALS.items():
        one = a(name)
        if sound == "no sound":
            yield "sound", [f"What sound does {one} make?", f"What does {one} say?"], f"{cap(one)} makes no sound.", "none"
        else:
            yield "sound", [f"What sound does {one} make?", f"What does {one} say?", f"How does {one} sound?"], \
                f"{cap(one)} makes the sound {sound}.", sound
        yield "legs", [f"How many legs does {one} have?", f"Count the legs of {one}."], \
            (f"{cap(one)} has {legs} legs." if legs else f"{cap(one)} has no legs."), str(legs)
        yield "home", [f"Where does {one} live?", f"Where is the home of {one}?", f"Where can I find {one}?"], \
            f"{cap(one)} lives {home}.", home
        yield "baby", [f"What is a baby {name} called?", f"What do you call a young {name}?"], \
            f"A baby {name} is called {a(baby)}.", baby
        yield "food", [f"What does {one} eat?", f"What is the food of {one}?", f"What can I give {one} to eat?"], \
            f"{cap(one)} eats {food}.", food
        yield "animal colour", [f"What colour is {one}?"] if one not in COLOURS else [], f"{cap(one)} is {colour}.", colour
        yield "moves", [f"How does {one} move?", f"What can {one} do?"], f"{cap(one)} can {moves}.", moves
        yield "describe", [f"Tell me about {one}.", f"What is {one}?", f"Describe {one}."], \
            f"{cap(one)} is an animal. It lives {home}. It eats {food}.", "an animal"


def can_do():
    flyers = [n for n, v in ANIMALS.items() if v[7] == "fly"]
    swimmers = [n for n, v in ANIMALS.items() if v[7] == "swim"]
    others = [n for n, v in ANIMALS.items() if v[7] not in ("fly", "swim")]
    for name in flyers:
        yield "can", [f"Can {a(name)} fly?"], f"Yes, {a(name)} can fly.", "yes"
    for name in swimmers:
        yield "can", [f"Can {a(name)} swim?"], f"Yes, {a(name)} can swim.", "yes"
    for name in others:
        yield "can", [f"Can {a(name)} fly?"], f"No, {a(name)} cannot fly. It can {ANIMALS[name][7]}.", "no"


def bigger():
    names = list(ANIMALS)
    for i, x in enumerate(names):
        for y in names[i % 3::3]:
            if abs(ANIMALS[x][6] - ANIMALS[y][6]) >= 3:
                big = x if ANIMALS[x][6] > ANIMALS[y][6] else y
                small = y if big == x else x
                yield "bigger", [f"Which is bigger, {a(x)} or {a(y)}?", f"What is bigger, {a(y)} or {a(x)}?"], \
                    f"{cap(a(big))} is bigger than {a(small)}.", big


def sums():
    for x in range(0, 21):
        for y in range(0, 11):
            yield "sum", [f"What is {x} plus {y}?", f"How much is {x} plus {y}?", f"Add {x} and {y}."], \
                f"{x} plus {y} is {x + y}.", str(x + y)
            if y <= x:
                yield "difference", [f"What is {x} minus {y}?", f"How much is {x} minus {y}?", f"Take {y} from {x}."], \
                    f"{x} minus {y} is {x - y}.", str(x - y)


def counting():
    for x in range(1, 12):
        for n in (3, 4, 5, 6):
            numbers = ", ".join(str(x + i) for i in range(n))
            yield "count", [f"Count from {x} to {x + n - 1}."], numbers + ".", numbers
    for x in range(0, 30):
        yield "after", [f"Which number comes after {x}?", f"What comes after {x}?"], f"After {x} comes {x + 1}.", str(x + 1)
        yield "before", [f"Which number comes before {x + 1}?", f"What comes before {x + 1}?"], f"Before {x + 1} comes {x}.", str(x)


def calendar():
    for names, what in ((DAYS, "day"), (MONTHS, "month")):
        for i, name in enumerate(names):
            after, before = names[(i + 1) % len(names)], names[i - 1]
            yield what, [f"Which {what} comes after {name}?", f"What {what} is after {name}?", f"What comes after {name}?"], \
                f"After {name} comes {after}.", after
            yield what, [f"Which {what} comes before {name}?", f"What {what} is before {name}?", f"What comes before {name}?"], \
                f"Before {name} comes {before}.", before
    yield "day", ["Name the days of the week.", "What are the days of the week?"], "The days are " + ", ".join(DAYS[:-1]) + \
        " and Sunday.", ", ".join(DAYS)
    for season, text in SEASONS.items():
        yield "season", [f"What is {season} like?", f"Tell me about {season}.", f"How is the weather in {season}?"], \
            f"In {season} it is {text}.", text


def pairs():
    seen = set()
    for x, y in OPPOSITES:
        for one, other in ((x, y), (y, x)):
            if one in seen:
                continue
            seen.add(one)
            yield "opposite", [f"What is the opposite of {one}?", f"Tell me the opposite of {one}.", f"Which word is the opposite of {one}?"], \
                f"The opposite of {one} is {other}.", other
    for country, city in CAPITALS.items():
        yield "capital", [f"What is the capital of {country}?", f"Tell me the capital of {country}.", f"Which city is the capital of {country}?"], \
            f"The capital of {country} is {city}.", city
        yield "country", [f"In which country is {city}?", f"Where is {city}?"], f"{city} is in {country}.", country
    for one, many in PLURALS.items():
        yield "plural", [f"What is the plural of {one}?", f"One {one}, two what?"], f"The plural of {one} is {many}.", many


def things():
    for tool, use in TOOLS.items():
        are = "are" if tool == "scissors" else "is"
        yield "use", [f"What {are} {tool} for?", f"What do I need {tool} for?", f"Why do people use {tool}?"], \
            f"{cap(tool)} {are} for {use}.", use
    for job, does in JOBS.items():
        yield "job", [f"What does {job} do?", f"What is the work of {job}?", f"Tell me what {job} does."], f"{cap(job)} {does}.", does
        yield "who", [f"Who {does}?"], f"{cap(job)} {does}.", job
    for thing, taste in TASTES.items():
        yield "taste", [f"How does {thing} taste?", f"What does {thing} taste like?"], f"{cap(thing)} tastes {taste}.", taste
    for thing, place in PLACES.items():
        yield "shop", [f"Where can I buy {thing}?", f"I want to buy {thing}. Where do I go?", f"Where do people buy {thing}?"], \
            f"You can buy {thing} at {place}.", place
    for part, use in PARTS.items():
        yield "body", [f"What do we do with {part}?", f"What can we do with {part}?"], f"We use {part} to {use}.", use
    for shape, n in SHAPES.items():
        yield "shape", [f"How many sides does {shape} have?", f"Count the sides of {shape}."], f"{cap(shape)} has {n} sides.", str(n)
    for what, n in AMOUNTS.items():
        subject, rest = what.split(" are ", 1)
        yield "amount", [f"How many {what}?", f"Tell me how many {what}."], f"There are {n} {subject} {rest}.", n


def advice():
    for what, steps in HOWTO.items():
        yield "how", [f"How do I {what}?", f"How can I {what}?", f"Tell me how to {what.replace('my', 'your')}."], steps, None
    for when, (thing, text) in WEATHER.items():
        yield "weather", [f"What do I wear when {when}?", f"What should I do when {when}?", f"What do I need when {when}?"], text, thing
    for feeling, text in FEELINGS.items():
        yield "feeling", [f"I am {feeling}.", f"I feel {feeling} today.", f"What can I do? I am {feeling}."], text, None


UNCOUNTED = ("colour", "metal", "drink", "game", "planet")  # "gold is a metal", but "a rose is a flower"


def classes():
    known = set(ANIMALS) | {tool.split(" ", 1)[-1] for tool in TOOLS} | {"orange"}  # described elsewhere, or ambiguous
    for kind, members in CLASSES.items():
        names = members if kind in UNCOUNTED else [a(member) for member in members]
        for member, name in zip(members, names):
            if member not in known:
                yield "kind", [f"What is {name}?", f"What kind of thing is {name}?"], f"{cap(name)} is {a(kind)}.", kind
        yield "name", [f"Name {a(kind)}."], f"{cap(names[0])} is {a(kind)}.", members[0]
        yield "name", [f"Name three {kind}s.", f"Tell me three {kind}s."], \
            f"Three {kind}s are {members[0]}, {members[1]} and {members[2]}.", ", ".join(members[:3])


def talk():
    yield "hello", ["Hello!", "Hello.", "Hi!", "Good morning!", "Good day."], "Hello! How can I help you?", None
    yield "hello", ["How are you?", "How are you today?"], "I am well, thank you. How can I help you?", None
    yield "self", ["Who are you?", "What are you?", "What is your name?"], "I am Lorikeet, a small language model.", None
    yield "self", ["Who made you?", "Where do you come from?"], "I was trained from scratch by the Lorikeet program.", None
    yield "what", ["What can you do?", "How can you help me?", "What do you know?"], \
        "I can answer small questions about animals, colours, numbers and everyday things.", None
    yield "thanks", ["Thank you.", "Thanks!", "Thank you very much."], "You are welcome.", None
    yield "bye", ["Goodbye!", "Bye.", "See you soon."], "Goodbye! Have a nice day.", None
    yield "help", ["Can you help me?", "I need help.", "Please help me."], "Yes, I can help you. What do you want to know?", None
    for question in UNKNOWN:
        yield "unknown", [question], "I do not know that.", None


def everything():
    """All questions, in a fixed order; entries without a way to ask are left out."""
    for source in (colours, animals, can_do, bigger, sums, counting, calendar, pairs, things, advice, classes, talk):
        for topic, ask, answer, short in source():
            if ask:
                yield topic, ask, answer, short
