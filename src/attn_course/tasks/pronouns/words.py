"""The words of the pronoun task, by what they are and what they fit.

A noun has a gender or number, which decides its pronoun, and a kind, which
decides what may be said of it: a person or an animal can be tired, a thing
can be wide. "any" words can be said of everything.
"""

from typing import NamedTuple

__all__ = [
    "ADJECTIVES",
    "ATTRIBUTES",
    "BLANK",
    "CLASSES",
    "NONE",
    "NOUNS",
    "OBJECTS",
    "PAD",
    "PLURAL",
    "PRONOUNS",
    "SUBJECTS",
    "WORDS",
    "Noun",
    "Verb",
    "is_held_out",
]

# 0 fills a batch up, BLANK stands for a pronoun that is asked for, NONE is
# the answer where no noun of the sentence fits.
PAD, BLANK, NONE = "<pad>", "<blank>", "<none>"

FEMININE, MASCULINE, NEUTER, PLURAL = (
    "feminine",
    "masculine",
    "neuter",
    "plural",
)
SUBJECTS = {FEMININE: "she", MASCULINE: "he", NEUTER: "it", PLURAL: "they"}
OBJECTS = {FEMININE: "her", MASCULINE: "him", NEUTER: "it", PLURAL: "them"}
PRONOUNS = {
    **{text: gender for gender, text in SUBJECTS.items()},
    **{text: gender for gender, text in OBJECTS.items()},
}


class Noun(NamedTuple):
    """A noun; `kind` is "person", "animal" or "thing"."""

    text: str
    gender: str
    kind: str
    name: bool = False

    @property
    def nature(self) -> str:
        """Whether it is "living" or a "thing"."""
        return "thing" if self.kind == "thing" else "living"

    @property
    def natures(self) -> tuple[str, str]:
        """What a verb beside it may ask for."""
        return "any", self.nature


class Verb(NamedTuple):
    """A verb, `went` after `didn't` and alone; what may stand around it."""

    base: str
    past: str
    subject: str
    thing: str = ""  # "" for a verb without an object


# In each group every fifth noun is held out of sentences with two nouns.
_GROUPS = {
    (FEMININE, "person"): """
        queen woman girl mother sister princess lady aunt wife bride
        daughter grandmother actress waitress witch niece duchess heroine
        nun goddess widow empress hostess mermaid""",
    (MASCULINE, "person"): """
        king man boy father brother prince gentleman uncle husband groom
        son grandfather actor waiter wizard nephew duke hero monk lord
        widower emperor host knight""",
    (NEUTER, "animal"): """
        cat animal dog horse bird cow mouse fox wolf bear lion rabbit tiger
        duck frog snake elephant monkey owl spider goat pig turtle bee""",
    (NEUTER, "thing"): """
        mat street box table chair house door car book tree window bridge
        river road boat train ship flower stone letter picture lamp bed cup
        bag hat coat wall garden tower bottle ball basket mirror kitchen
        forest trophy suitcase""",
    (PLURAL, "person"): """
        children women men boys girls farmers doctors teachers students
        soldiers sailors nurses neighbours tourists friends""",
    (PLURAL, "animal"): """
        cats dogs animals horses birds cows wolves mice lions rabbits ducks
        monkeys""",
    (PLURAL, "thing"): """
        boxes streets tables chairs houses doors cars books trees windows
        boats flowers stones letters lamps cups bags hats""",
}
_NAMES = {
    FEMININE: "anna mary emma laura julia sarah alice maria",
    MASCULINE: "peter john paul thomas david james robert michael",
}
NOUNS = tuple(
    Noun(text, gender, kind)
    for (gender, kind), texts in _GROUPS.items()
    for text in texts.split()
) + tuple(
    Noun(text, gender, "person", name=True)
    for gender, texts in _NAMES.items()
    for text in texts.split()
)
_LISTS = [*_GROUPS.values(), *_NAMES.values()]
_HELD_OUT = {text for texts in _LISTS for text in texts.split()[4::5]}
PLACES = "street house garden kitchen forest boat car box bag suitcase".split()

# After "was" and before a noun; those of _ALONE only after "was".
ADJECTIVES = {
    "any": """
        old big small little large tall heavy clean dirty wet dry cold warm
        beautiful ugly strange quiet famous white black brown strong dangerous
        lost alone late gone""".split(),
    "living": """
        tired hungry thirsty happy sad angry afraid sleepy ill brave clever
        lazy lonely nervous proud shy young bored awake blind careful
        curious""".split(),
    "thing": """
        wide narrow broken empty open closed expensive cheap useful useless
        rusty flat modern unfinished damaged crooked smooth solid painted
        steep""".split(),
}
ALONE = "lost alone late gone afraid ill awake".split()
ATTRIBUTES = {
    nature: [
        text
        for each in ("any", nature)
        for text in ADJECTIVES[each]
        if text not in ALONE
    ]
    for nature in ("living", "thing")
}
DEGREES = "too very so quite really".split()

VERBS = tuple(
    Verb(*pair.split("/"), subject, thing)  # pyright: ignore[reportCallIssue]
    for (subject, thing), pairs in {
        ("any", "any"): """touch/touched pass/passed reach/reached
            cover/covered block/blocked surprise/surprised please/pleased
            disturb/disturbed hide/hid protect/protected""",
        ("living", "any"): """see/saw hear/heard like/liked love/loved
            find/found watch/watched remember/remembered miss/missed
            want/wanted need/needed choose/chose notice/noticed
            forget/forgot admire/admired draw/drew hate/hated""",
        ("living", "thing"): """buy/bought open/opened break/broke
            carry/carried sell/sold cross/crossed repair/repaired use/used
            push/pushed pull/pulled""",
        ("living", "living"): """help/helped call/called meet/met
            thank/thanked chase/chased feed/fed trust/trusted
            greet/greeted visit/visited follow/followed""",
        ("any", ""): """fall/fell disappear/disappeared arrive/arrived
            move/moved appear/appeared stay/stayed stand/stood
            shake/shook""",
        ("living", ""): """sleep/slept sing/sang laugh/laughed run/ran
            cry/cried smile/smiled eat/ate dance/danced rest/rested sit/sat
            jump/jumped wait/waited swim/swam speak/spoke leave/left""",
        ("thing", ""): """crack/cracked rust/rusted burn/burned
            collapse/collapsed fit/fit""",
    }.items()
    for pair in pairs.split()
)
PREPOSITIONS = {
    "any": "near behind beside with".split(),
    "thing": "on under over from".split(),
    "place": "in".split(),
}
JOINERS = (
    "because since although when while after before until so and but".split()
)
FRONTED = "because since although when while after before".split()
SINGULAR = "the the the a this that my our".split()
SEVERAL = "the the the these those some many two my our".split()
ADVERBS = "yesterday today again suddenly soon later finally".split()

# Every word by class, as a reader browses them.
CLASSES = {
    **{
        f"{gender} nouns": [n.text for n in NOUNS if n.gender == gender]
        for gender in SUBJECTS
    },
    "pronouns": list(PRONOUNS),
    "verbs": sorted({text for verb in VERBS for text in verb[:2]}),
    "adjectives": sorted(a for some in ADJECTIVES.values() for a in some),
    "prepositions": sorted(p for ps in PREPOSITIONS.values() for p in ps),
    "conjunctions": JOINERS,
    "determiners": sorted({*SINGULAR, *SEVERAL, "an"}),
    "adverbs": [*DEGREES, *ADVERBS],
    "other": "was were did not didn't who , .".split(),
}
WORDS = (PAD, BLANK, NONE, *sorted({w for c in CLASSES.values() for w in c}))


def is_held_out(noun: Noun) -> bool:
    """Say whether a noun stays out of training sentences with two nouns."""
    return noun.text in _HELD_OUT
