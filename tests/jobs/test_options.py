"""What must not stand in an option, and the order options are shown in."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.options import are_labelled, arranged, arranged_pairs, arranged_response, catch_all_code
from schemas.questions import Matching, MultipleChoice, MultipleResponse, Pair

STEM = "Which layer routes packets?"


def order_of(*options: str, language: str = "en", stem: str = STEM) -> tuple[str, ...]:
    orders = {
        arranged(MultipleChoice(stem=stem, options=order, answer=0), language).options
        for order in permutations(options)
    }
    assert len(orders) == 1, "options come out in one order, whatever order they came in"
    return orders.pop()


@pytest.mark.parametrize(
    "options",
    [
        ("A) TCP", "B) UDP", "C) IP"),
        ("a. TCP", "b. UDP", "c. IP"),
        ("1. TCP", "2. UDP", "3. IP"),
        ("B. UDP", "A. TCP", "C. IP"),
        ("A: TCP", "B: UDP", "C: IP"),
        ("TCP", "(b) UDP", "IP"),
    ],
)
def test_labels_are_recognised(options: tuple[str, ...]) -> None:
    assert are_labelled(options)


@pytest.mark.parametrize(
    "options",
    [
        ("E. coli", "C. elegans", "D. melanogaster"),
        ("A. Einstein", "N. Bohr", "M. Curie"),
        ("3. May", "4. June", "5. July"),
        ("A", "B", "AB"),
        ("1.5", "2.5", "3.5"),
        ("A-flat", "B-flat", "C-flat"),
    ],
)
def test_what_only_looks_like_a_label_is_none(options: tuple[str, ...]) -> None:
    assert not are_labelled(options)


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("All of the above", "all_of_the_above"),
        ("all the above are correct", "all_of_the_above"),
        ("All of these answers", "all_of_the_above"),
        ("All answers are correct.", "all_of_the_above"),
        ("Alle der oben genannten", "all_of_the_above"),
        ("Alle genannten Antworten", "all_of_the_above"),
        ("Alle Antworten sind richtig", "all_of_the_above"),
        ("Kaikki edellä mainitut", "all_of_the_above"),
        ("Kaikki vaihtoehdot ovat oikein", "all_of_the_above"),
        ("None of the above", "none_of_the_above"),
        ("Neither of these", "none_of_the_above"),
        ("Keine der genannten", "none_of_the_above"),
        ("Keine davon", "none_of_the_above"),
        ("Ei mikään edellä mainituista", "none_of_the_above"),
        ("Alle de ovennevnte", "all_of_the_above"),
        ("Alle svarene er riktige", "all_of_the_above"),
        ("Ingen av disse", "none_of_the_above"),
        ("Ingen av alternativene ovenfor", "none_of_the_above"),
        ("Toutes les réponses ci-dessus", "all_of_the_above"),
        ("Toutes ces réponses sont correctes", "all_of_the_above"),
        ("Tout ce qui précède", "all_of_the_above"),
        ("Aucune des réponses ci-dessus", "none_of_the_above"),
        ("Aucune de ces réponses n\u2019est correcte", "none_of_the_above"),
        ("Todas las anteriores", "all_of_the_above"),
        ("Todas las respuestas son correctas.", "all_of_the_above"),
        ("Ninguna de las anteriores", "none_of_the_above"),
        ("Nada de lo anterior", "none_of_the_above"),
        ("Både A og B", "complex_k_type"),
        ("Bare B", "complex_k_type"),
        ("À la fois A et B", "complex_k_type"),
        ("A et C seulement", "complex_k_type"),
        ("Tanto A como B", "complex_k_type"),
        ("Solo C", "complex_k_type"),
        ("Both A and B", "complex_k_type"),
        ("A and C", "complex_k_type"),
        ("A, B and C only", "complex_k_type"),
        ("Only B", "complex_k_type"),
        ("I and III only", "complex_k_type"),
        ("Sowohl A als auch B", "complex_k_type"),
        ("Sekä A että B", None),
        ("sekä A ja B", "complex_k_type"),
    ],
)
def test_an_option_about_other_options_is_recognised(option: str, code: str | None) -> None:
    assert catch_all_code(option) == code


@pytest.mark.parametrize(
    "option",
    [
        "All of the layers above the network layer",
        "all of these proteins are enzymes",
        "None",
        "both TCP and UDP",
        "A AND B",
        "a and b",
        "1 and 2",
        "Alle Zellen",
        "Keine Zelle",
        "kaikki solut",
        "Vitamins A and D",
        "it stands above all the others",
        "Alle over 18 år",
        "Alle celler",
        "Ingen celler",
        "Alle svarene i en database",
        "toutes les réponses immunitaires",
        "tous les choix du roi",
        "aucune cellule",
        "vitamines A et D",
        "todas las respuestas inmunes",
        "ninguna célula",
        "todo lo vivo",
    ],
)
def test_an_option_that_stands_for_itself_is_left_alone(option: str) -> None:
    assert catch_all_code(option) is None


@pytest.mark.parametrize(
    ("options", "language"),
    [
        (("1", "2", "10", "20"), "en"),
        (("-5", "0", "5"), "en"),
        (("\u221220 °C", "\u22125 °C", "3 °C"), "en"),
        (("$1,000", "$2,500", "$10,000"), "en"),
        (("1.5 GHz", "2 GHz", "16 GHz"), "en"),
        (("0,5 %", "1,25 %", "10 %"), "fi"),
        (("999", "1.000", "10.000,5"), "de"),
        (("0,5", "0,75", "1,5"), "en"),
        (("80", "443", "8 080"), "fi-FI"),
        (("٣", "\u0665", "٩"), "ar"),
    ],
)
def test_numbers_ascend(options: tuple[str, ...], language: str) -> None:
    assert order_of(*options, language=language) == options


def test_numbers_of_different_units_are_drawn_like_words() -> None:
    seen = {order_of("1 kg", "20 g", "300 mg", stem=f"Question {n}?") for n in range(30)}
    assert len(seen) > 1


@pytest.mark.parametrize("options", [("1.2.3", "1.3", "2.0"), ("3/4", "1/2", "5/8"), ("10⁶", "10²", "10³")])
def test_what_is_no_plain_number_is_no_reason_to_sort(options: tuple[str, ...]) -> None:
    assert sorted(order_of(*options)) == sorted(options)


def test_the_key_is_found_at_every_position_about_equally_often() -> None:
    positions = Counter(
        arranged(
            MultipleChoice(stem=f"Question {n}?", options=("key", "first", "second", "third"), answer=0), "en"
        ).answer
        for n in range(1000)
    )
    assert all(200 < positions[position] < 300 for position in range(4))


def test_several_keys_are_followed_into_the_same_order() -> None:
    options = ("key", "other key", "wrong", "quite wrong")
    alone = arranged(MultipleChoice(stem=STEM, options=options, answer=0), "en")
    for turn in range(4):
        turned = (*options[turn:], *options[:turn])
        answers = (turned.index("other key"), turned.index("key"))
        several = arranged_response(MultipleResponse(stem=STEM, options=turned, answers=answers), "en")
        assert several.options == alone.options
        assert {several.options[index] for index in several.answers} == {"key", "other key"}
        assert list(several.answers) == sorted(several.answers)


def test_pairs_are_drawn_by_their_lefts_and_numbers_ascend() -> None:
    made = [Pair(left=str(year), right=f"in {year}") for year in (1905, 1882, 1966)]
    question = Matching(stem=STEM, pairs=tuple(made), extra_rights=("30", "4"))
    found = arranged_pairs(question, "en")
    assert [pair.left for pair in found.pairs] == ["1882", "1905", "1966"]
    assert all(pair.right == f"in {pair.left}" for pair in found.pairs)
    assert found.extra_rights == ("4", "30")


def test_the_first_pair_is_found_at_every_position() -> None:
    positions = Counter(
        [
            pair.left
            for pair in arranged_pairs(
                Matching(
                    stem=f"Question {n}?",
                    pairs=tuple(Pair(left=left, right=left.upper()) for left in ("first", "second", "third")),
                    extra_rights=(),
                ),
                "en",
            ).pairs
        ].index("first")
        for n in range(300)
    )
    assert all(60 < positions[position] < 140 for position in range(3))


@settings(max_examples=200, deadline=None)
@given(options=st.lists(st.text(max_size=12), min_size=3, max_size=6, unique=True), data=st.data())
def test_any_options_keep_their_key_and_come_out_in_one_order(options: list[str], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(options))
    for language in ("en", "de"):
        one = arranged(MultipleChoice(stem=STEM, options=tuple(options), answer=1), language)
        other = arranged(
            MultipleChoice(stem=STEM, options=tuple(shuffled), answer=shuffled.index(options[1])), language
        )
        assert one == other
        assert one.options[one.answer] == options[1]
        assert sorted(one.options) == sorted(options)


@settings(max_examples=200, deadline=None)
@given(options=st.lists(st.from_regex(r"-?[0-9.,  ]{1,9}%?", fullmatch=True), min_size=3, max_size=4, unique=True))
def test_anything_like_a_number_can_be_arranged(options: list[str]) -> None:
    question = MultipleChoice(stem=STEM, options=tuple(options), answer=0)
    assert sorted(arranged(question, "en").options) == sorted(options)
    assert sorted(arranged(question, "fi").options) == sorted(options)
