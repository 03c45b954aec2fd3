"""What a house's template may do: read what it is given, and no more, in bounds.

Jinja's sandbox keeps a template from attributes it has no business with. This adds a budget: a template that runs round
in circles, or makes texts without end, is an error of that letter and not the end of the process that writes letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.filters import do_format, do_join, do_replace
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pfflow.rendering.particulars import Particular

_OURS = frozenset({Particular, LoopContext})
"""Values whose names without an underscore are all there to be read; the sandbox would look at each anew."""

STEPS = 200_000
"""What writing one letter may take: a turn of a loop is one step, a call ten, a thousand characters one."""
_CALL = 10
LONGEST_TEXT = 5_000_000
"""Characters of a text, or items of a list, that a template may make."""
LARGEST_POWER = 64
WIDEST = 1_000
"""Columns that a format or a justified text may have."""

_UNKNOWN_WIDTH = re.compile(r"%[^a-zA-Z%]*(\d{4,}|\*)|\{[^{}]*(\d{4,}|\{)")
_LEFT_OUT = ("batch", "center", "indent", "pprint", "random", "slice", "tojson", "xmlattr")
"""Filters of Jinja's whose widths have no bound, or that give another letter every time; no letter needs them."""
_JUSTIFYING = frozenset({"center", "expandtabs", "ljust", "rjust", "zfill"})
_MULTIPLYING = frozenset({"join", "replace", "translate"})


@dataclass(slots=True)
class Budget:
    """How many steps are left."""

    steps: int = STEPS

    def take(self, steps: int = 1) -> None:
        """Take steps. Raises SecurityError where not so many are left."""
        self.steps -= steps
        if self.steps < 0:
            raise SecurityError(f"it takes more than {STEPS} steps")


_BUDGET: ContextVar[Budget] = ContextVar("budget")


@contextmanager
def in_bounds() -> Iterator[None]:
    """Render within one budget of steps."""
    token = _BUDGET.set(Budget())
    try:
        yield
    finally:
        _BUDGET.reset(token)


def _budget() -> Budget:
    """Give the budget of this rendering; what is rendered outside of any has one of its own for each step."""
    return _BUDGET.get(None) or Budget()


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox with bounds. A dot reads a mapping's key before its method: `details.items` is the list."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - Jinja's own options
        super().__init__(**options)
        self.filters.update(_counted=_counted, _short=_short, format=_format, join=_join, replace=_replace)
        for name in _LEFT_OUT:
            self.filters.pop(name)
        self.globals.pop("lipsum")
        self.globals["range"] = _range

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Give what every template may use: as it is, since no template has more of its own and a copy is slow."""
        return super().make_globals(d) if d else self.globals

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja's own signature
        """Give what a dot reads."""
        kind = type(obj)
        if (kind is dict or (kind not in _OURS and isinstance(obj, Mapping))) and attribute in obj:
            return obj[attribute]
        if kind in _OURS and attribute[:1] != "_" and hasattr(kind, attribute):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Jinja's own signature
        """Call something, if what comes of it has a bound."""
        _budget().take(_CALL)
        owner = getattr(called, "__self__", None)
        if isinstance(owner, str):
            _refuse_unbounded(owner, called.__name__, (*args, *kwargs.values()))
        return super().call(context, called, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:  # noqa: ANN401 - Jinja's own signature
        """Give what a text's format method may do, if its widths have a bound."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and _UNKNOWN_WIDTH.search(str(value.__self__)):
            raise SecurityError("a format is too wide")
        return wrapped

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - Jinja's own signature
        """Reckon, where the result has a bound."""
        match operator:
            case "**" if not (abs(left) < LONGEST_TEXT and abs(right) <= LARGEST_POWER):
                raise SecurityError("a power is too large")
            case "*":
                _refuse_long(_length(left) * right if _length(left) else 0)
                _refuse_long(_length(right) * left if _length(right) else 0)
            case "+":
                _refuse_long(_length(left) + _length(right))
            case "%" if isinstance(left, str) and _UNKNOWN_WIDTH.search(left):
                raise SecurityError("a format is too wide")
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Read a template so that every turn of a loop is counted, and every text put together is measured."""
        template = super()._parse(source, name, filename)
        for loop in template.find_all(nodes.For):
            loop.iter = _filtered("_counted", loop.iter)
        return _measured(template)


def _filtered(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=node.environment)


def _measured(template: nodes.Template) -> nodes.Template:
    """Give the template with what ``~`` and the replacing filters make measured as soon as it is made."""
    for parent in list(template.find_all(nodes.Node)):
        for field, value in list(parent.iter_fields()):
            if isinstance(value, nodes.Concat):
                setattr(parent, field, _filtered("_short", value))
            elif isinstance(value, list):
                value[:] = [_filtered("_short", one) if isinstance(one, nodes.Concat) else one for one in value]
    return template


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        _budget().take()
        yield value


def _short(text: Any) -> Any:  # noqa: ANN401 - what ~ gives, text or markup
    _refuse_long(len(text))
    return text


def _range(*bounds: int) -> range:
    wanted = range(*bounds)
    _budget().take(len(wanted))
    return wanted


def _format(text: str, *values: object, **named: object) -> str:
    if _UNKNOWN_WIDTH.search(str(text)):
        raise SecurityError("a format is too wide")
    formatted: str = do_format(text, *values, **named)
    return formatted


@pass_eval_context
def _join(evaluated: EvalContext, values: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    listed, length = [], 0
    for one in _counted(values):
        length += len(between) + (len(one) if isinstance(one, str) else 0)
        _refuse_long(length)
        listed.append(one)
    joined: str = do_join(evaluated, listed, between, attribute)
    return joined


@pass_eval_context
def _replace(evaluated: EvalContext, text: str, old: str, new: str, count: int | None = None) -> str:
    _refuse_long(len(str(text)) + (str(text).count(old) * len(new)))
    replaced: str = do_replace(evaluated, text, old, new, count)
    return replaced


def _length(value: object) -> int:
    return len(value) if isinstance(value, str | bytes | list | tuple) else 0


def _refuse_long(length: int) -> None:
    _budget().take(max(length, 0) // 1000)
    if length > LONGEST_TEXT:
        raise SecurityError(f"it makes a text of more than {LONGEST_TEXT} characters")


def _refuse_unbounded(owner: str, name: str, args: tuple[Any, ...]) -> None:
    if name in _JUSTIFYING and any(isinstance(one, int) and one > WIDEST for one in args):
        raise SecurityError(f"a text is to be more than {WIDEST} columns wide")
    if name in _MULTIPLYING:
        given = sum(len(one) for one in args if isinstance(one, str | list | tuple | Mapping))
        _refuse_long(len(owner) * max(given, 1))
