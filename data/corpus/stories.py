# SPDX-License-Identifier: GPL-3.0-or-later
"""Short stories put together from parts, so that the model sees sentences that follow from one another."""
from questions import a, cap
from world import ANIMALS, DAYS, JOBS, NAMES

WEATHERS = ["It was a sunny day.", "It was a cold morning.", "It was raining.", "The wind was strong.", "The sun was warm.",
            "It was a quiet evening.", "Snow was falling."]
PLACES = ["park", "garden", "forest", "market", "school", "lake", "library", "farm", "beach", "station"]
OBJECTS = ["red ball", "blue hat", "little key", "green book", "yellow cup", "old map", "silver coin", "warm coat", "brown bag",
           "white letter", "small bell", "wooden boat"]
FEELINGS = ["happy", "glad", "proud"]
ADJECTIVES = ["little", "clever", "brave", "kind", "hungry", "tired", "curious", "shy", "old", "young"]


def lost_and_found(r):
    name, friend = r.two(NAMES)
    thing, place = r.pick(OBJECTS), r.pick(PLACES)
    return (f"{name} had {a(thing)}. {r.pick(WEATHERS)} {name} went to the {place} and lost the {thing}. "
            f"{name} was sad. {friend} came and asked, \"Why are you sad?\" {name} said, \"I cannot find my {thing}.\" "
            f"They looked for it together. {friend} found the {thing} {r.pick(['under a tree', 'behind a stone', 'on a chair', 'near the door', 'in the grass'])}. "
            f"{name} was {r.pick(FEELINGS)} and said, \"Thank you, {friend}!\"")


def animal_friend(r):
    one, other = r.two(list(ANIMALS))
    adjective = r.pick(ADJECTIVES)
    home, food = ANIMALS[one][2], ANIMALS[one][4]
    return (f"Once there was {a(adjective)} {one}. The {one} lived {home}. {r.pick(WEATHERS)} The {one} wanted to eat {food}, "
            f"but there was no {food}. Then {a(other)} came. The {other} said, \"I can help you.\" They walked for a long time and found "
            f"some {food}. The {one} ate and was {r.pick(FEELINGS)}. From that day on the {one} and the {other} were friends.")


def day_out(r):
    name, friend = r.two(NAMES)
    day, place, thing = r.pick(DAYS), r.pick(PLACES), r.pick(OBJECTS)
    return (f"On {day} {name} went to the {place} with {friend}. {r.pick(WEATHERS)} They saw {a(r.pick(list(ANIMALS)))} and "
            f"{a(r.pick(list(ANIMALS)))}. {friend} wanted to buy {a(thing)}, but it was too big. They ate "
            f"{r.pick(['an apple', 'a sandwich', 'some cake', 'some bread', 'a banana'])} and went home in the evening. "
            f"{name} said, \"That was a good day.\"")


def work(r):
    name = r.pick(NAMES)
    job = r.pick(list(JOBS))
    does = JOBS[job]
    return (f"{name} is {job}. {cap(job)} {does}. Every {r.pick(['morning', 'day', 'Monday', 'Friday'])} {name} gets up early and goes to work. "
            f"{r.pick(WEATHERS)} {name} works until the evening. Then {name} goes home, eats some soup and reads a book.")


def lesson(r):
    name = r.pick(NAMES)
    animal = r.pick(list(ANIMALS))
    sound, legs, home, baby, food, colour, _, moves = ANIMALS[animal]
    count = f"{legs} legs" if legs else "no legs"
    return (f"{name} learned about the {animal} at school. {cap(a(animal))} has {count}. It lives {home} and eats {food}. "
            f"{cap(a(animal))} can {moves}. A baby {animal} is called {a(baby)}. {name} wrote it all down in a book.")


KINDS = [lost_and_found, animal_friend, day_out, work, lesson]


def story(r):
    return r.pick(KINDS)(r)


def about(r, animal):
    """A very short one about an animal, as an answer."""
    _, _, home, _, food, _, _, moves = ANIMALS[animal]
    return (f"Once there was {a(r.pick(ADJECTIVES))} {animal}. It lived {home}. One day it wanted to {moves} and found some {food}. "
            f"The {animal} was {r.pick(FEELINGS)}.")
