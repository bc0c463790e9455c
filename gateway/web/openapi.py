"""/openapi.json, made whole: who may ask, how they log in, what the gate refuses, an example of everything."""

from __future__ import annotations

import copy
import http
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.people import gate
from gateway.people.rights import RIGHTS, ROLES
from gateway.people.sessions import COOKIE, SAFE_COOKIE
from gateway.web import documented
from gateway.web.examples import ANSWERS, FIELDS, KINDS, PARAMETERS

Json = dict[str, Any]

JSON, PLAIN = "application/json", "text/plain"
EVENTS = "text/event-stream"
AN_EVENT: Json = {
    "type": "object",
    "description": "Each event of a stream",
    "properties": {
        "event": {"type": "string"},
        "data": {"type": "string", "description": "JSON"},
        "id": {"type": "string"},
        "retry": {"type": "integer"},
    },
}
METHODS = ("get", "put", "post", "delete", "patch")
REFUSED = {"$ref": "#/components/schemas/Refused"}
ABOUT = """\
What a call floor is now, and what can be done with it. Programs send a token that an admin has made:
`Authorization: Bearer cf_…`. Browsers log in and send a cookie; what changes something is only done for a page of
ours (Origin, Sec-Fetch-Site).

What is refused says why: mostly `{"kind": one word, "words": a sentence}`. Every address can answer 405 to a method
that it has not, with `Allow`; 421 where the gateway is not known by the name in `Host`; 400 or 431 to what is no HTTP.
Texts are UTF-8, times of the API epoch seconds unless they say otherwise, and null is unknown, never 0.
"""
SCHEMES: Json = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of the page: People → Tokens"},
    "cookie": {
        "type": "apiKey", "in": "cookie", "name": COOKIE,
        "description": f"Of a browser that has logged in; by https its name is `{SAFE_COOKIE}`",
    },
}  # fmt: skip
REFUSED_SCHEMA: Json = {
    "title": "Refused",
    "description": "Why the gate does not let it through",
    "type": "object",
    "properties": {
        "kind": {"type": "string", "description": "one word, for programs"},
        "words": {"type": "string", "description": "what is the matter and what to try"},
        "wait_s": {"type": "integer", "description": "with 429: for how long to wait"},
    },
    "required": ["kind", "words"],
}


def describe(page: FastAPI, gated: bool, ids: Mapping[str, list[str]] | None = None) -> None:
    """Has the page describe itself. `gated`: behind a gate; `ids` are the walls, boards and queues there are."""

    def described() -> Json:
        if page.openapi_schema is None:
            page.openapi_schema = document(page, gated, ids or {})
        return page.openapi_schema

    page.openapi = described  # type: ignore[method-assign]


def document(page: FastAPI, gated: bool, ids: Mapping[str, list[str]]) -> Json:
    """The whole document."""
    told = get_openapi(
        title=page.title, version=page.version, summary=page.summary, description=ABOUT, routes=page.routes
    )
    parts = told.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas["Refused"] = REFUSED_SCHEMA
    schemas.update(copy.deepcopy(documented.SHAPES))
    for path, method, operation in operations(told):
        _say_422(operation, schemas)
        if gated:
            _behind_the_gate(operation, gate.TABLE[method, path], method, path)
        _no_body(operation)
        _examples(operation, method, path, schemas, ids)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    if gated:
        parts["securitySchemes"] = {**parts.get("securitySchemes", {}), **SCHEMES}
    return told


def operations(told: Json) -> Iterator[tuple[str, str, Json]]:
    """(address, METHOD, operation) of a document."""
    for path, item in told["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method.upper(), item[method]


# What is refused -----------------------------------------------------------------


def _say_422(operation: Json, schemas: Json) -> None:
    """What cannot be asked is refused in words, or as the address refuses everything; not as the library would."""
    answer = operation["responses"].get("422", {})
    if answer.get("content", {}).get(JSON, {}).get("schema", {}).get("$ref", "").endswith("/HTTPValidationError"):
        if not any(_limited(parameter["schema"]) for parameter in operation.get("parameters", ())):
            del operation["responses"]["422"]
            return
        answer["description"] = "Asked otherwise than it can be"
        as_json = "people" in operation.get("tags", ())
        answer["content"] = {JSON: {"schema": REFUSED}} if as_json else {PLAIN: {"schema": {"type": "string"}}}


def _limited(schema: Json) -> bool:
    """Whether a text can be something else than what is asked for."""
    kinds = schema.get("anyOf", [schema])
    return any(kind.get("type") not in ("string", "null") or {"format", "enum", "maxLength", "pattern"} & kind.keys()
               for kind in kinds)  # fmt: skip


def _behind_the_gate(operation: Json, needs: gate.Needs, method: str, path: str) -> None:
    """Who may, and every refusal of the gate."""
    if needs == "own":
        operation["security"] = operation.get("security", [])
        return
    either: list[Json] = [{name: []} for name in SCHEMES]
    operation["security"] = [{}, *either] if needs == "anybody" else either
    operation["description"] = f"{operation.get('description', '')}\n\n{_who_may(needs)}".strip()
    changes = method not in gate.SAFE
    for status, kind, words in (
        gate.ENDED if needs == "anybody" else gate.LOGIN,
        *([(403, "right", "viewer is no role that may do this")] if needs not in ("anybody", "login") else []),
        *([gate.ORIGIN] if changes else []),
        *([gate.NO_SUCH] if "{" in path else []),
        gate.HOST,
        gate.OFTEN,
        gate.TROUBLE,
    ):
        _refuses(operation["responses"].setdefault(str(status), {}), status, kind, words)


def _who_may(needs: gate.Needs) -> str:
    if needs == "anybody":
        return "Anybody may."
    if needs == "login":
        return "Whoever is logged in may."
    roles = ", ".join(role for role, rights in ROLES.items() if needs in rights)
    return f"Right: `{needs}` ({RIGHTS[needs]}); {roles} have it."  # type: ignore[index]


def _refuses(answer: Json, status: int, kind: str, words: str) -> None:
    """One more reason for this status."""
    answer.setdefault("description", words[0].upper() + words[1:])
    content = answer.setdefault("content", {}).setdefault(JSON, {})
    schema = content.setdefault("schema", REFUSED)
    if schema == {}:
        content["schema"] = {"type": "object"}
    elif not _is_refusal(schema) and "anyOf" not in schema:
        content["schema"] = {"anyOf": [schema, REFUSED]}
    told: Json = {"kind": kind, "words": words}
    if status == http.HTTPStatus.TOO_MANY_REQUESTS:
        told["wait_s"] = gate.OFTEN_WAIT_S
        _header(answer, "Retry-After", "so many seconds", str(gate.OFTEN_WAIT_S), "^[0-9]+$")
    if status == http.HTTPStatus.UNAUTHORIZED:
        _header(answer, "WWW-Authenticate", "how to log in", 'Bearer realm="callfloor"', "^Bearer ")
    content.setdefault("examples", {})[kind] = {"value": told}


def _header(answer: Json, name: str, words: str, example: str, pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    answer.setdefault("headers", {})[name] = {"description": words, "schema": schema, "example": example}


def _is_refusal(schema: Json) -> bool:
    return str(schema.get("$ref", "")).endswith(("Refused", "Refusal", "NotDone", "Trouble"))


def _no_body(operation: Json) -> None:
    """An answer without a body has no kind of it; a refusal in plain words is a text."""
    for answer in operation["responses"].values():
        for kind, content in answer.get("content", {}).items():
            if kind == EVENTS:
                content["schema"] = AN_EVENT
            elif not content.get("schema") and kind.startswith("text/"):
                content["schema"] = {"type": "string"}
            elif not content.get("schema") and kind.startswith("image/"):
                content["schema"] = {"type": "string", "format": "binary"}


# Examples ------------------------------------------------------------------------


def _examples(operation: Json, method: str, path: str, schemas: Json, ids: Mapping[str, list[str]]) -> None:
    known = ANSWERS.get((method, path), {})
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        if name in ids and parameter["in"] == "path" and ids[name]:
            parameter["example"] = ids[name][0]
        elif name.lower() in PARAMETERS and not {"example", "examples"} & parameter.keys():
            parameter["example"] = PARAMETERS[name.lower()]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        walls = content["schema"].get("properties", {}).get("walls", {}).get("items")
        if walls and ids.get("wall"):
            walls["enum"] = ids["wall"]
            known = {**known, "body": {**known["body"], "walls": ids["wall"][:1]}} if "body" in known else known
        if not {"example", "examples"} & content.keys():
            content["example"] = known.get("body", example_of(content["schema"], schemas))
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            _answer(content, kind, int(status), known, schemas, answer["description"])


def _answer(content: Json, kind: str, status: int, known: Mapping[str | int, Any], schemas: Json, words: str) -> None:
    """The example of one answer: as the table says, else one of each refusal, else as its model says."""
    told = content.get("examples", {})
    if "example" in content:
        if told:  # only one of the two may be there
            content["examples"] = {"answer": {"value": content.pop("example")}, **told}
    elif kind == JSON and isinstance(known.get(status), dict):
        content["examples"] = {"answer": {"value": known[status]}, **told}
    elif kind == JSON and status >= 400 and not told:
        one = example_of(content["schema"], schemas)
        can_be = _part(content["schema"], schemas).get("properties", {}).get("kind", {}).get("enum")
        kinds = _kinds(words, status)
        kinds = [word for word in [*kinds, *_SAME.get(kinds[0], ())] if word in can_be][:1] if can_be else kinds
        content["examples"] = {word: {"value": {**one, "kind": word}} for word in kinds or can_be[:1]}
    elif told:
        return
    elif status in known:
        content["example"] = known[status]
    elif kind.startswith("text/"):
        content["example"] = words
    elif not kind.startswith("image/"):
        content["example"] = example_of(content["schema"], schemas)


def _kinds(words: str, status: int) -> list[str]:
    """The words that a refusal can be: its description names them, or there is one for the status."""
    named = words.split(" or ")
    return named if {*named} <= {*KINDS.values(), *_ONE_WORDS} else [KINDS[status]]


def _part(schema: Json, schemas: Json) -> Json:
    """What a reference leads to."""
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


_SAME = {"late": ("slow",), "body": ("note",)}  # words of some addresses for what others call the first
_ONE_WORDS = ("wrong", "right", "taken", "last", "name", "password", "role", "days", "slow", "asked", "trouble")


def example_of(schema: Json, schemas: Json, name: str = "") -> Any:
    """An example that fits a schema: of what it says itself, else by the name of the field."""
    schema = _part(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    for key in ("example", "const", "default"):
        if key in schema and schema[key] is not None:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if name in FIELDS and _TYPES.get(schema.get("type", ""), object) in (type(FIELDS[name]), object):
        return FIELDS[name]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return example_of(schema[key][0], schemas, name)
    return _MAKE.get(schema.get("type", "object"), _an_object)(schema, schemas, name)


def _an_object(schema: Json, schemas: Json, _: str) -> Any:
    return {name: example_of(part, schemas, name) for name, part in schema.get("properties", {}).items()}


def _a_list(schema: Json, schemas: Json, name: str) -> Any:
    if "prefixItems" in schema:
        return [example_of(part, schemas, name) for part in schema["prefixItems"]]
    return [example_of(schema["items"], schemas, name)] if schema.get("items") else []


_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": float, "boolean": bool}
_MAKE: dict[str, Callable[[Json, Json, str], Any]] = {
    "object": _an_object,
    "array": _a_list,
    "string": lambda schema, _, name: name,
    "integer": lambda schema, *_: schema.get("minimum", 0),
    "number": lambda schema, *_: float(schema.get("minimum", 0)),
    "boolean": lambda *_: True,
    "null": lambda *_: None,
}
