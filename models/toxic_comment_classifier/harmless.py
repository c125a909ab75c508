"""Harmless sentences: what the comments of an encyclopedia have too few of.

Whoever learns from discussions in which half of the comments are attacks takes every "you are" for one, and every word
for a group of people, too. Most of these are built from patterns of our own, the others are tweets and reviews.
"""

import csv
import io
import random

from maxfw import datasets
from maxfw.assets import Asset

TWEETS = Asset(
    "davidson_labeled_data.csv",
    url="https://raw.githubusercontent.com/t-davidson/hate-speech-and-offensive-language/"
    "cb50f7e9eb855a99abc51423bf40df0e26d6fe30/data/labeled_data.csv",
    sha256="fcb8bc7c68120ae4af04a5b9acd58585513ede11e1548ebf36a5c2040b6f6281",
    licence="MIT",
)
UCI = (
    "https://raw.githubusercontent.com/kvrao/sentiment_analysis/462f7304ab341f1b5014e6eae56100bfe35d703a/"
    "sentiment%20labelled%20sentences/"
)
REVIEWS = [
    Asset(name, url=UCI + name, sha256=sha256, licence="CC-BY-4.0")
    for name, sha256 in [
        ("amazon_cells_labelled.txt", "47003fc0a0d4840b00e96e715b6189bad09e7443a3da41c4cbe12ffc79f86ae3"),
        ("yelp_labelled.txt", "b565b1eeb864d76842588c3a256731b08bcdd9faf6de507bfe211a96f8b81912"),
    ]
]

GOOD = [
    "wonderful",
    "kind",
    "great",
    "nice",
    "lovely",
    "smart",
    "helpful",
    "friendly",
    "brilliant",
    "honest",
    "generous",
    "patient",
    "amazing",
    "thoughtful",
    "good",
    "brave",
    "clever",
    "beautiful",
    "funny",
    "gentle",
]
WHO = [
    "person",
    "friend",
    "teacher",
    "writer",
    "colleague",
    "neighbour",
    "sister",
    "brother",
    "man",
    "woman",
    "editor",
    "doctor",
    "human",
    "mother",
    "player",
]
GROUP = [
    "gay",
    "lesbian",
    "black",
    "white",
    "Jewish",
    "Muslim",
    "Christian",
    "Asian",
    "African",
    "American",
    "Mexican",
    "Chinese",
    "Indian",
    "Arab",
    "disabled",
    "deaf",
    "blind",
    "transgender",
    "bisexual",
    "straight",
    "Turkish",
    "Polish",
    "German",
    "Russian",
    "Jew",
    "Catholic",
    "Buddhist",
    "Hindu",
    "atheist",
    "feminist",
    "old",
    "young",
    "immigrant",
    "Irish",
    "French",
    "British",
    "Japanese",
    "queer",
    "female",
    "male",
    "Latino",
    "native",
]
THING = [
    "article",
    "page",
    "edit",
    "photo",
    "film",
    "song",
    "book",
    "idea",
    "comment",
    "question",
    "answer",
    "picture",
    "recipe",
    "game",
    "team",
    "plan",
    "speech",
    "town",
    "museum",
    "garden",
    "essay",
    "poem",
]
DAY = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "today",
    "yesterday",
    "tomorrow",
]
DOES = """works here|lives next door|wrote this {thing}|told me about the {thing}|helped me with my {thing}|is visiting {day}
|moved here last year|runs a shop|teaches at the school|sent me the {thing}""".replace("\n", "").split("|")
PATTERNS = """You are a {good} {who}.|You are {good}!|You are so {good}, thank you.|Thank you, you are a {good} {who}.
|I am a {group} {who}.|As a {group} {who} I love this {thing}.|My friend is {group}.|My {who} is a {group} {who}.
|I think you are right about the {thing}.|You should read this {thing}.|What do you think of the {thing}?
|The {group} community celebrates {day}.|A {group} {who} {does}.|My {who} {does}.|I love {group} food.
|This {thing} is {good}.|I will call you {day}.|I will see you {day}.|Could you send me the {thing}, please?
|Are you free {day}?|You did a {good} job with the {thing}.|She is a {group} {who} and very {good}.
|He is {group} and proud of it.|Being {group} is nothing to be ashamed of.|{group} people deserve respect.
|There is a {thing} about {group} history.|I read a {good} {thing} about {group} people.|Two {group} women are on the team.
|You look {good}.|I hope you have a {good} day.|Your {thing} is {good}.|You and your {who} are welcome {day}.
|I like you.|I love you.|I miss you.|How are you?|Who are you?|You are welcome.|You were {good} {day}.|Hello!|Good morning.
|I disagree with you about this {thing}, but you have a point.|Sorry, you are mistaken about the {thing}.""".replace(
    "\n", ""
).split("|")


def sentences(number, *, seed):
    """`number` sentences from the patterns, and as they are the harmless tweets and the reviews."""
    chance = random.Random(seed)
    lists = {"good": GOOD, "who": WHO, "group": GROUP, "thing": THING, "day": DAY, "does": DOES}
    for _ in range(number):
        text = chance.choice(PATTERNS)
        while "{" in text:
            text = text.format_map({name: chance.choice(words) for name, words in lists.items()})
        yield text[0].upper() + text[1:]
    for row in csv.DictReader(io.StringIO(datasets.read(TWEETS).decode("utf-8", "replace"))):
        if row["class"] == "2":  # neither hateful nor offensive
            yield row["tweet"]
    for asset in REVIEWS:
        yield from (line.split("\t")[0] for line in datasets.read(asset).decode().split("\n") if line.strip())
