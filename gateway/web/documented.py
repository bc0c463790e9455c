"""Refusals for OpenAPI: what an address may answer besides, told by the name of its shape.

The library would make a checker of each of them, which nobody asks: a third of the time that a gateway's start takes.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

SHAPES: dict[str, dict[str, Any]] = {}  # by name, as they stand in /openapi.json


def refusal(shape: type[BaseModel], description: str) -> dict[str, Any]:
    """One answer of `responses`, as JSON of that shape."""
    name = f"{shape.__module__.rpartition('.')[2].removesuffix('_http').capitalize()}{shape.__name__}"
    if name not in SHAPES:
        written = shape.model_json_schema(ref_template="#/components/schemas/{model}")
        SHAPES.update(written.pop("$defs", {}))
        SHAPES[name] = written
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
