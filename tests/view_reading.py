"""What a view comes to call, read from its source."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

from test_access_matrix import EXPECTED, api_operations, urls


@functools.cache
def _read(function: types.FunctionType) -> tuple[str, frozenset[types.FunctionType]]:
    """Return a function's source, and those of our functions that it names."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    named: list[Any] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            named.append(function.__globals__.get(node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = function.__globals__.get(node.value.id)
            if isinstance(module, types.ModuleType):
                named.append(getattr(module, node.attr, None))
    ours = {
        inspect.unwrap(one)
        for one in named
        if isinstance(one, types.FunctionType) and one.__module__.startswith("guyub.")
    }
    return ast.unparse(tree), frozenset(ours)


def sources(view: Callable[..., Any], follows: Callable[[str], bool]) -> Iterator[str]:
    """Yield the source of a view and of what it comes to call in modules that ``follows`` takes."""
    seen, todo = set(), [inspect.unwrap(view)]
    while todo:
        function = todo.pop()
        if function in seen or not isinstance(function, types.FunctionType):
            continue
        seen.add(function)
        source, more = _read(function)
        yield source
        todo += [one for one in more if follows(one.__module__)]


def addresses(holds: Callable[[Callable[..., Any]], bool]) -> set[str]:
    """Return the names of our URLs for one of whose views ``holds`` is true."""
    operations = api_operations()
    return {
        url.name
        for url in urls()
        if url.name in EXPECTED and any(map(holds, operations.get(url.name, [url.view])))
    }
