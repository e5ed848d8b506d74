"""Hours of fever of many patients at once are those of one minute at a time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import HOUR
from becalm.measures.fever import fever, rule
from becalm.vocabulary import load
from tests.records import ORIGIN
from tests.reference import fever as slow
from tests.spec.patients import patients

MINUTES = st.integers(-3 * 24 * 6, 2 * 24 * 6).map(lambda tens: 10 * tens)
TEMPERATURES = st.sampled_from(["36.8", "37.9", "38.0", "38.4", ">37.0", ">38.0", "<39.0", "40.1"])
BOUNDS = {">37.0": (37.0, 99.0), ">38.0": (38.01, 99.0), "<39.0": (0.0, 38.99)}


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.dictionaries(MINUTES, TEMPERATURES, max_size=8), min_size=1, max_size=3),
    st.integers(1, 47),
)
def test_fast_and_slow_count_the_same_minutes(
    people: list[dict[int, str]], end_of_records: int
) -> None:
    rows = [
        f"{minute / 60!r} | {who} | {text}"
        for who, mine in enumerate(people)
        for minute, text in sorted(mine.items())
    ]
    table = "\n".join(["hour | person | temperature", *rows]) if rows else ""
    given_ = patients(table, persons=len(people), end_of_records=end_of_records)
    found = list(fever(given_.cohort, given_.events, {}).rows())
    holds, end = load().variable("temperature").valid.us, ORIGIN + end_of_records * HOUR
    days = [0, *range(1, 2 + (end_of_records - 1) // 24)]
    assert [(row["person_id"], row["day"]) for row in found] == [
        (f"P{who + 1}", day) for who in range(len(people)) for day in days
    ]
    for row in found:
        mine = people[int(row["person_id"][1:]) - 1]
        draws = [
            (ORIGIN + minute * slow.MINUTE, *BOUNDS.get(text, (float(text.strip("<>")),) * 2))
            for minute, text in sorted(mine.items())
        ]
        start = ORIGIN + (row["day"] - 1) * slow.DAY
        expected = slow.day(draws, start, min(start + slow.DAY, end), holds, rule().at_least)
        told = {
            "febrile": round(60 * row["hours_febrile"]),
            "afebrile": round(60 * row["hours_afebrile"]),
            "unknown": round(60 * row["hours_unknown"]),
            "measurements": row["measurements"],
            "gap": round(60 * row["longest_gap_h"]),
        }
        assert told == expected
