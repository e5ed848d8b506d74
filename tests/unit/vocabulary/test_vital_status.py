"""Words for dead and alive: a closed list in six languages; what is not in it says nothing."""

from __future__ import annotations

import pytest

from becalm.vocabulary import vital_status
from becalm.vocabulary.vital_status import shipped, status_of

PHRASES = [(word, each.means) for each in shipped().status for word in (*each.begins, *each.whole)]


@pytest.mark.parametrize(("word", "means"), PHRASES)
def test_every_listed_word_means_what_the_list_says(word: str, means: str) -> None:
    """In any capitals, and with a full stop."""
    assert {status_of(text) for text in (word, word.upper(), word.capitalize(), f" {word}.")} == {
        means
    }


def test_no_word_has_two_meanings() -> None:
    """In any language."""
    meanings: dict[str, set[str]] = {}
    for word, means in PHRASES:
        meanings.setdefault(word.casefold(), set()).add(means)
    assert not {word: found for word, found in meanings.items() if len(found) > 1}


@pytest.mark.parametrize(
    "text",
    ["expired", "Died at home", "died of sepsis", "death", "exitus", "†", "† 9.3.2020", "Exitus letalis",
     "verstorben am 9.3.", "gestorben", "tot", "décédée", "DECEDE", "mort subite", "fallecido", "muerto",
     "deceduto", "morto", "Deceased", "died, cause unknown", "died of unknown cause"],
)  # fmt: skip
def test_words_for_dead(text: str) -> None:
    """A text that begins with one may go on."""
    assert status_of(text) == "died"


@pytest.mark.parametrize(
    "text",
    ["alive", "Alive, well", "alive on anakinra", "living", "lebt", "lebt noch", "am Leben", "vivant",
     "en vie", "vivo", "con vida", "in vita", "survived", "discharged alive", "home", "discharged home"],
)  # fmt: skip
def test_words_for_alive(text: str) -> None:
    """Home, too: who went home was alive."""
    assert status_of(text) in vital_status.ALIVE


@pytest.mark.parametrize(
    "text", ["", "  ", "unknown", "lost to follow-up", "LTFU", "unbekannt", "?"]
)
def test_words_that_say_that_nobody_knows(text: str) -> None:
    """They are understood."""
    assert status_of(text) == "unknown"


def test_the_letter_d_may_be_discharged_or_died() -> None:
    """So it is neither."""
    assert status_of("D") == "died or alive"


@pytest.mark.parametrize(
    "text",
    ["not dead", "dead (no date)", "death?", "dead: no", "death not confirmed", "died - no", "no death", "never died",
     "dead or alive", "alive or dead", "alive until 3 March, then died", "alive until May", "lebt bis Mai",
     "alive, husband died", "alive?", "possibly alive", "presumed dead", "discharged", "hospice", "A",
     "0", "1", "gestrobed", "deathly ill", "undead", "stable", "died/alive", "alive †", "totally fine",
     "vit D", "well, then died"],
)  # fmt: skip
def test_what_is_not_certain_is_not_understood(text: str) -> None:
    """Negated, doubted, contradicted, misspelt, or simply not listed."""
    assert status_of(text) is None


def test_the_hint_lists_every_meaning() -> None:
    """With its English words."""
    hint = vital_status.known_words()
    for word in (
        "died: died, dead",
        "exitus letalis",
        "†",
        "alive: alive",
        "home: ",
        "unknown: unknown",
    ):
        assert word in hint


@pytest.mark.parametrize(
    ("word", "means"),
    [("Ja", "yes"), ("true", "yes"), ("Sí", "yes"), ("nein", "no"), ("FALSE", "no")],
)
def test_yes_and_no(word: str, means: str) -> None:
    """A workbook's tick is true or false."""
    from becalm.vocabulary import words

    assert vital_status.yes_or_no()[words(word)] == means
