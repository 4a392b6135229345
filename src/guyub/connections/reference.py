"""The description of the HTTP API as a page for people, drawn from the description itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe


def sections(schema: Any) -> list[dict[str, Any]]:
    """Return the tags of a description, each with its operations as a page shows them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            shown = {
                "method": method.upper(),
                "path": path,
                "summary": operation["summary"],
                "description": paragraphs(operation.get("description", "")),
                "fields": list(_fields(operation, schema)),
                "answers": [str(status) for status in operation["responses"]],
            }
            found.setdefault(operation["tags"][0], []).append(shown)
    return [{**tag, "operations": found.get(tag["name"], [])} for tag in schema["tags"]]


def _fields(operation: dict[str, Any], schema: Any) -> Iterator[dict[str, Any]]:
    for one in operation.get("parameters", []):
        yield {
            "name": one["name"],
            "place": one["in"],
            "kind": _kind(one["schema"]),
            "required": one.get("required", False),
            "text": one.get("description") or one["schema"].get("description", ""),
        }
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = _followed(content["schema"], schema)
        for name, part in body.get("properties", {}).items():
            yield {
                "name": name,
                "place": "body",
                "kind": _kind(part),
                "required": name in body.get("required", []),
                "text": part.get("description", ""),
            }


def _followed(part: dict[str, Any], schema: Any) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    return dict(schema["components"]["schemas"].get(name, part))


def _kind(part: dict[str, Any]) -> str:
    """Name the type of a value in a word or two."""
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    if "anyOf" in part:
        return " | ".join(dict.fromkeys(_kind(one) for one in part["anyOf"]))
    if part.get("type") == "array":
        return f"{_kind(part.get('items', {}))}[]"
    return str(part.get("format") or part.get("type") or "")


def paragraphs(text: str) -> SafeString:
    """Draw the little Markdown of a description: paragraphs, strong, emphasis and code."""
    found = []
    for part in re.split(r"\n\s*\n", text.strip()):
        line = str(escape(" ".join(part.split())))
        line = re.sub(r"`([^`]+)`", r"<code>\1</code>", line)
        line = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", line)
        line = re.sub(r"(?<!\*)\*([^*]+)\*(?!\*)", r"<em>\1</em>", line)
        found.append((mark_safe(line),))  # noqa: S308 (escaped above)
    return format_html_join("", "<p>{}</p>", found)
