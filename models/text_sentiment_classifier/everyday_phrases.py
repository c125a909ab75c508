"""Short everyday sentences of our own, built from patterns: what the public data has too few of.

Reviews seldom say "not bad at all" or "the meeting is on Monday"; without such sentences a small network takes every
"not" for a complaint and every plain statement for an opinion.
"""

import random


def _words(text):
    return text.split()


GOOD = _words("""good great excellent wonderful lovely nice fine amazing fantastic brilliant delicious helpful friendly
comfortable enjoyable pleasant beautiful perfect useful reliable clean fresh interesting funny impressive fun happy easy
fast exciting""")
BAD = _words("""bad terrible awful horrible poor disgusting useless rude boring slow ugly broken dirty disappointing annoying
unpleasant cheap noisy overpriced mediocre dull stupid painful cold expensive unreliable uncomfortable bland frustrating
sad""")
THING = _words("""food service film movie book phone camera hotel room staff coffee pizza place app game story battery screen
sound weather trip concert teacher lesson car laptop restaurant meal music show flight driver product website support
delivery""")
LIKE = _words("like love enjoy recommend trust")
HATE = _words("hate dislike regret despise")
PLEASED = _words("happy pleased satisfied impressed")
UPSET = _words("unhappy sad angry disappointed")
RETURN = ["buy it", "come back", "go there", "order"]
IS = ["was", "is"]
THE = ["the", "this", "that", "my", "their"]
VERY = ["very ", "really ", "so ", "quite ", "particularly ", "that ", ""]
INTRO = ["", "", "", "honestly, ", "well, ", "i think ", "to be fair, ", "overall, ", "in my opinion, "]
END = [".", "!", "", "."]
DAY = _words("monday tuesday wednesday thursday friday saturday sunday")
NUMBER = _words("two three four five six seven eight nine ten eleven twelve 5 12 20 100")
WHO = ["my sister", "he", "she", "the man", "the woman", "my neighbour", "they", "we", "the teacher"]
WHERE = [
    "on the table",
    "in the kitchen",
    "next to the door",
    "in the city",
    "blue",
    "made of wood",
    "from germany",
]

POSITIVE = """{the} {thing} {is} {very}{good} | {it} {is} not {bad} | {it} {is} not {bad} at all | {it} {is}n't {bad}
| not {bad} at all | not {bad} | {it} {is} not {bad}, i liked it | {it} {is} never {bad} | {it} {is} far from {bad}
| there {is} nothing {bad} about {it} | nothing to complain about | no complaints about {it} | i have no complaints
| i {like} {it} | i really {like} {it} | we all {like} {it} | i do not {hate} {it} | i don't {hate} {it}
| i did not {hate} {it} at all | you will not regret it | i never regretted {it} | i can not recommend {it} enough
| i could not be happier with {it} | it could not be better | could not be more {pleased}
| {it} {is} not only {good} but also {good} | {it} {is} neither {bad} nor {bad} | {it} {is} {good} and {good}
| without a doubt {good} | {it} works without any problems | {it} never disappoints | {it} did not disappoint
| i was not {upset} | i am {pleased} with {it} | i would {return} again | {it} {is} not a waste of money
| {it} {is} better than i expected"""
NEGATIVE = """{the} {thing} {is} {very}{bad} | {it} {is} not {very}{good} | {it} {is}n't {very}{good} | not {very}{good}
| {it} {is} not {good} at all | not {good} at all | {it} {is} never {good} | {it} {is} far from {good}
| there {is} nothing {good} about {it} | i do not {like} {it} | i don't {like} {it} | i did not {like} {it} at all
| i would not {like} {it} | nobody could {like} {it} | i {hate} {it} | i really {hate} {it} | i can't recommend {it}
| it could not be worse | it could not be more {bad} | {it} {is} not only {bad} but also {bad}
| {it} {is} neither {good} nor {good} | {it} {is} {bad} and {bad} | {it} does not work | i am not {pleased} with {it}
| i am not {pleased} | i would never {return} again | i would not {return} again | never again
| {it} {is} a waste of time | {it} {is} a waste of money | i wish {it} {is} {good} | {it} {is} hardly {good}
| {it} {is} less {good} than i hoped | {it} {is} worse than i expected"""
NEUTRAL = """the meeting starts at {number} o'clock | the train leaves at {number} o'clock | the shop opens on {day}
| the flight is on {day} | {the} {thing} is {where} | it is {day} today | {who} bought {the} {thing} yesterday
| {who} saw {the} {thing} on {day} | there are {number} houses in the street | this is a book about trains
| this is a {thing} about history | {who} will call you on {day} | where is the {thing}? | what time is it?
| the report has {number} pages | please send me the address | please send the file to {who} on {day}"""


def sentences(count, *, seed):
    """`count` sentences → at most as many different ones, each with 1.0 (positive), 0.0 (negative) or 0.5 (neutral)."""
    chance = random.Random(seed)
    kinds = [(POSITIVE, 1.0), (NEGATIVE, 0.0), (NEUTRAL, 0.5)]
    patterns = [([" ".join(one.split()) for one in kind.split("|")], label) for kind, label in kinds]
    found = {}
    for _ in range(count):
        choices, label = chance.choices(patterns, weights=[3, 3, 1])[0]
        intro = "" if label == 0.5 else chance.choice(INTRO)
        sentence = intro + _filled(chance.choice(choices), chance)
        found[sentence if sentence.endswith("?") else sentence + chance.choice(END)] = label
    return list(found.items())


def _filled(pattern, chance):
    """A pattern with a random word in each place: `"{it} {is} {bad}"` → `"this phone was noisy"`."""
    words = {
        "good": GOOD, "bad": BAD, "thing": THING, "like": LIKE, "hate": HATE, "pleased": PLEASED, "upset": UPSET,
        "return": RETURN, "is": IS, "the": THE, "very": VERY, "day": DAY, "number": NUMBER, "who": WHO, "where": WHERE,
        "it": ["it", "this", "{the} {thing}"],
    }  # fmt: skip
    while "{" in pattern:
        before, _, rest = pattern.partition("{")
        name, _, after = rest.partition("}")
        pattern = before + chance.choice(words[name]) + after
    return pattern
