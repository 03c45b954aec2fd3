"""What a house's template cannot do: reach beyond what it is given, run without end, or fill the memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfflow.rendering.errors import RenderingError
from pfflow.rendering.letters import Renderer
from tests.unit.sample_letters import CONTACTS, make_notice

ESCAPES = {
    "a class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a class by subscript": "{{ ''['__class__'] }}",
    "a class by the attr filter": "{{ ''|attr('__class__') }}",
    "a class by map": "{{ ['']|map(attribute='__class__')|list }}",
    "a class by a format": "{{ '{0.__class__.__mro__}'.format('') }}",
    "a class by a format map": "{{ '{a.__class__}'.format_map({'a': ''}) }}",
    "a class by a format kept aside": "{% set f = '{0.__class__}'.format %}{{ f('') }}",
    "a format by the attr filter": "{{ ('{0.__class__}'|attr('format'))('') }}",
    "a format by map": "{{ (['{0.__class__}']|map('attr', 'format')|first)(1) }}",
    "the globals of a function": "{{ label.__globals__ }}",
    "the globals of a macro": "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "the code of a cycler": "{{ cycler.__init__.__globals__.os }}",
    "the environment of the template": "{{ self.__init__ }}{{ self._TemplateReference__context.environment }}",
    "an import of another module": "{% import 'os' as os %}{{ os.environ }}",
    "a file outside": "{% include '../../../../etc/passwd' %}",
    "a change of what was given": "{{ project.update({'ref': 'G2'}) }}",
    "a change of a list that was given": "{{ said.append(1) }}",
    "a generator's frame": "{{ ([1]|map('string')).gi_frame.f_globals }}",
}
ENDLESS = {
    "a range without bounds": "{% for i in range(1000000000) %}x{% endfor %}",
    "loops in loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "loops in loops over what is there": (
        "{% set l = range(900) %}{% for a in l %}{% for b in l %}{% for c in l %}x{% endfor %}{% endfor %}{% endfor %}"
    ),
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a macro that calls itself twice": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "a loop that calls itself": "{% for i in [[1]] * 3 recursive %}{{ loop([[1], [1]]) }}{% endfor %}",
    "a text times a number": "{{ 'x' * 10000000000 }}",
    "a list times a number": "{{ ([1] * 10000000000)|length }}",
    "a number times a text": "{{ 10000000000 * 'x' }}",
    "a text that doubles": "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s~n.s %}{% endfor %}",
    "a sum that doubles": "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s+n.s %}{% endfor %}",
    "a power": "{{ 10 ** 10 ** 10 }}",
    "a percent format": "{{ '%1000000000d' % 1 }}",
    "a percent format with a star": "{{ '%*d' % (1000000000, 1) }}",
    "a format filter": "{{ '%1000000000d'|format(1) }}",
    "a brace format": "{{ '{:1000000000}'.format(1) }}",
    "a brace format within one": "{{ '{:{w}}'.format(1, w=1000000000) }}",
    "a text put in the middle": "{{ 'x'.center(1000000000) }}",
    "a text moved right": "{{ 'x'.rjust(width=1000000000) }}",
    "noughts before a number": "{{ '1'.zfill(1000000000) }}",
    "tabs": "{{ '\t'.expandtabs(1000000000) }}",
    "a replacement": "{% set t = 'x' * 4000000 %}{{ t.replace('x', t) }}",
    "a replacing filter": "{% set t = 'x' * 4000000 %}{{ t|replace('x', t) }}",
    "a joining filter": "{% set t = 'x' * 4000000 %}{{ range(99999)|map('replace', 1, t)|join(t) }}",
    "filters without bounds": "{{ [1]|batch(1000000000, 'x')|list }}",
    "a lorem ipsum": "{{ lipsum(n=100000000) }}",
}


def house(folder: Path, words: str) -> Renderer:
    """Give the renderer of a house that writes its own words."""
    own = folder / "communication" / "reminder" / "en"
    own.mkdir(parents=True)
    (own / "words.txt").write_text(words, encoding="utf-8")
    return Renderer.of_house(folder)


@pytest.mark.parametrize("words", ESCAPES.values(), ids=ESCAPES)
def test_a_template_reaches_nothing_but_what_it_is_given(tmp_path: Path, words: str) -> None:
    try:
        text = house(tmp_path, words).letter(make_notice(), CONTACTS["en"]).text
    except RenderingError as error:
        assert "communication/reminder" in str(error)  # noqa: PT017 - either end is right, the next line says for which
        return
    assert not any(reached in text for reached in ("<class", "<built-in", "<function", "root:", "<frame", "object at"))


@pytest.mark.parametrize("words", ENDLESS.values(), ids=ENDLESS)
def test_a_template_that_would_not_end_is_an_error_of_that_letter(tmp_path: Path, words: str) -> None:
    with pytest.raises(RenderingError) as raised:
        house(tmp_path, words).letter(make_notice(), CONTACTS["en"])
    assert raised.value.template == "communication/reminder/en/words.txt"


def test_a_template_in_bounds_is_written_as_ever(tmp_path: Path) -> None:
    words = (
        "{% for n in range(3) %}{{ loop.index }}{{ ', ' if not loop.last }}{% else %}none{% endfor %}; "
        "{{ ['a', 'b']|join('+') }}; {{ 'aXb'|replace('X', '-') }}; {{ '%s of %s'|format(1, 2) }}; "
        "{{ 'x' * 3 }}; {{ 'a' ~ 1 ~ 'b' }}; {{ 2 ** 10 }}; {{ '%05.1f' % 2.5 }}; {{ '{:>4}'.format('z') }}"
    )
    text = house(tmp_path, words).letter(make_notice(), CONTACTS["en"]).text
    assert "1, 2, 3; a+b; a-b; 1 of 2; xxx; a1b; 1024; 002.5;    z" in text


def test_one_letter_that_used_up_its_steps_leaves_the_next_all_of_its_own(tmp_path: Path) -> None:
    renderer = house(tmp_path, "{% for i in range(50000) %}{% endfor %}done")
    for _ in range(12):
        assert "done" in renderer.letter(make_notice(), CONTACTS["en"]).text
