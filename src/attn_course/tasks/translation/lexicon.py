"""The words of the course's small English and French grammar."""

from typing import NamedTuple

__all__ = [
    "ADJECTIVES",
    "ADVERBS",
    "ANIMATE",
    "CONJUNCTIONS",
    "COPULA",
    "DETERMINERS",
    "GIVING",
    "NAMES",
    "NOUNS",
    "OBJECT_PRONOUNS",
    "OPINIONS",
    "PREPOSITIONS",
    "SUBJECT_PRONOUNS",
    "TIMES",
    "TRANSITIVE",
    "VERBS",
    "Adjective",
    "Noun",
    "Preposition",
    "Pronoun",
    "Verb",
]

ANIMATE = ("person", "animal")


class Noun(NamedTuple):
    """A noun; `kind` says which verbs and adjectives go with it."""

    english: str
    english_plural: str
    french: str
    french_plural: str
    gender: str
    kind: str


class Adjective(NamedTuple):
    """An adjective; `before_vowel` is its masculine in *vieil arbre*."""

    english: str
    masculine: str
    before_vowel: str
    feminine: str
    masculine_plural: str
    feminine_plural: str
    before: bool
    kinds: tuple[str, ...]


class Verb(NamedTuple):
    """A verb in the present tense.

    `french` holds the forms of je, il, nous, vous, ils. `generic` verbs (to
    love, to hate) take *les* where English has no article.
    """

    english: str
    third: str
    french: tuple[str, str, str, str, str]
    particle: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    generic: bool


class Pronoun(NamedTuple):
    """A personal pronoun; `person` counts je, il, nous, vous, ils from 0."""

    english: str
    french: str
    person: int
    gender: str


class Preposition(NamedTuple):
    """A preposition; `head` is the English word that carries its meaning."""

    english: tuple[str, ...]
    head: int
    french: tuple[str, ...]
    kinds: tuple[str, ...]


# English, plural, French, plural, gender, kind.
NOUNS = {
    line.split()[0]: Noun(*line.split())
    for line in """\
man men homme hommes m person
woman women femme femmes f person
girl girls fille filles f person
child children enfant enfants m person
friend friends ami amis m person
hero heroes héros héros m person
cat cats chat chats m animal
bird birds oiseau oiseaux m animal
horse horses cheval chevaux m animal
mouse mice souris souris f animal
apple apples pomme pommes f food
orange oranges orange oranges f food
cake cakes gâteau gâteaux m food
book books livre livres m text
letter letters lettre lettres f text
door doors porte portes f opening
box boxes boîte boîtes f opening
car cars voiture voitures f thing
coat coats manteau manteaux m thing
flower flowers fleur fleurs f thing
tree trees arbre arbres m cover
bridge bridges pont ponts m cover
house houses maison maisons f place
garden gardens jardin jardins m place
school schools école écoles f place
hotel hotels hôtel hôtels m place
""".splitlines()
}

# Names take no article; anna elides: d'anna, qu'anna.
NAMES = {
    name: Pronoun(name, name, 1, gender)
    for name, gender in (
        ("paul", "m"),
        ("marie", "f"),
        ("anna", "f"),
    )
}

SUBJECT_PRONOUNS = {
    "i": Pronoun("i", "je", 0, "m"),
    "he": Pronoun("he", "il", 1, "m"),
    "she": Pronoun("she", "elle", 1, "f"),
    "we": Pronoun("we", "nous", 2, "m"),
    "you": Pronoun("you", "vous", 3, "m"),
    "they": Pronoun("they", "ils", 4, "m"),
}
# Before the verb in French: je le vois.
OBJECT_PRONOUNS = {"him": "le", "her": "la", "them": "les"}

# English to the French forms for m, f, plural. "" is the bare plural.
DETERMINERS = {
    "the": ("le", "la", "les"),
    "a": ("un", "une", None),
    "": (None, None, "des"),
    "this": ("ce", "cette", None),
    "these": (None, None, "ces"),
    "my": ("mon", "ma", "mes"),
    "his": ("son", "sa", "ses"),
    "her": ("son", "sa", "ses"),
    "our": ("notre", "notre", "nos"),
    "their": ("leur", "leur", "leurs"),
    "two": (None, None, "deux"),
    "many": (None, None, "beaucoup"),
}

_EVERY = "person animal food text opening thing cover place"


def _adjective(line: str) -> Adjective:
    words, place, kinds = (part.strip() for part in line.split("|"))
    kinds = _EVERY if kinds == "every" else kinds
    return Adjective(*words.split(), place == "before", tuple(kinds.split()))  # pyright: ignore[reportCallIssue]


# English, m, m before a vowel, f, m plural, f plural | place | kinds.
ADJECTIVES = {
    line.split()[0]: _adjective(line)
    for line in """\
big grand grand grande grands grandes | before | every
small petit petit petite petits petites | before | every
beautiful beau bel belle beaux belles | before | every
old vieux vieil vieille vieux vieilles | before | every
red rouge rouge rouge rouges rouges | after | thing opening food
white blanc blanc blanche blancs blanches | after | thing opening animal
strange étrange étrange étrange étranges étranges | after | every
tired fatigué fatigué fatiguée fatigués fatiguées | after | person animal
happy heureux heureux heureuse heureux heureuses | after | person
""".splitlines()
}


def _verb(line: str) -> Verb:
    english, forms, subjects, objects = (
        part.strip() for part in line.split("|")
    )
    base, third, *particle = english.split()
    return Verb(
        base,
        third,
        tuple(forms.split()),  # pyright: ignore[reportArgumentType]
        " ".join(particle),
        ANIMATE if subjects == "all" else (subjects,),
        tuple((_EVERY if objects == "every" else objects).split()),
        base in GENERIC,
    )


GENERIC = ("love",)

# English, third person, particle | je, il, nous, vous, ils | who | what.
TRANSITIVE = {
    line.split()[0]: _verb(line)
    for line in """\
love loves | aime aime aimons aimez aiment | all | every
see sees | vois voit voyons voyez voient | all | every
look looks for | cherche cherche cherchons cherchez cherchent | all | \
food text thing person animal place
eat eats | mange mange mangeons mangez mangent | all | food
buy buys | achète achète achetons achetez achètent | person | food text thing
know knows | connais connaît connaissons connaissez connaissent | person | \
person place
""".splitlines()
}

# Without an object.
VERBS = {
    line.split()[0]: _verb(line)
    for line in """\
sleep sleeps | dors dort dormons dormez dorment | all |
sing sings | chante chante chantons chantez chantent | person |
arrive arrives | arrive arrive arrivons arrivez arrivent | all |
""".splitlines()
}

GIVING = {
    line.split()[0]: _verb(line)
    for line in """\
give gives | donne donne donnons donnez donnent | person | food text thing
""".splitlines()
}

# Before a clause. Here *know* is savoir, before a noun it is connaître.
OPINIONS = {
    line.split()[0]: _verb(line)
    for line in """\
think thinks | pense pense pensons pensez pensent | person |
know knows | sais sait savons savez savent | person |
""".splitlines()
}

COPULA = ("suis", "est", "sommes", "êtes", "sont")

ADVERBS = {"often": "souvent", "always": "toujours"}

PREPOSITIONS = (
    Preposition(("in",), 0, ("dans",), ("place",)),
    Preposition(("in", "front", "of"), 1, ("devant",), ("place", "cover")),
    Preposition(("under",), 0, ("sous",), ("cover",)),
    Preposition(("near",), 0, ("près", "de"), ("place", "cover")),
    Preposition(("with",), 0, ("avec",), ANIMATE),
)

# English words to French words, each with the English word it renders.
TIMES = (
    (("today",), (("aujourd'hui", 0),)),
    (("every", "day"), (("tous", 0), ("les", None), ("jours", 1))),
)

CONJUNCTIONS = {
    "and": ("et",),
    "but": ("mais",),
    "because": ("parce", "que"),
    "when": ("quand",),
    "if": ("si",),
}
