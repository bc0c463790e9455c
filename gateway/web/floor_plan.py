"""The drawing of a floor that a site brings: read and cleaned.

What a browser gets is written anew from what is known here to draw and nothing else: no script, no link, nothing from
elsewhere, no style sheet. What only describes (Inkscape's own tables, titles) is left out in silence; what would act,
or would look otherwise without, is refused in words, with its line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import floorplan
from floorplan import Plan, SiteError, meant

# Bounds: the largest plan of a real house that was seen had 9000 elements in 2.1 MB.
FILE_BYTES = 4 * 2**20  # a scanned plan in it, too
ELEMENTS_MOST = 20_000
DRAWN_MOST = 100_000  # with all that is drawn once more by <use>
DEPTH_MOST = 40
IDS_SHOWN = 12  # desks named in one sentence

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"

GROUPS = {"svg", "g", "defs", "symbol", "clipPath", "mask", "pattern", "marker", "linearGradient", "radialGradient"}
SHAPES = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "use", "image", "stop"}
TEXTS = {"text", "tspan"}
KNOWN = GROUPS | SHAPES | TEXTS
NEVER_SEEN = {"defs", "symbol", "clipPath", "mask", "pattern", "marker"}  # a desk in there is nowhere
LEFT_OUT = {"title", "desc", "metadata", "filter", "view", "style"}  # the last only where nothing stands in it

# Why an element is refused, and what to do.
REFUSED = {
    "script": "a floor plan runs nothing: delete it",
    "foreignObject": "holds a piece of a web page; in Inkscape: Text > Convert to Text",
    "a": "is a link, and a floor plan has none; in Inkscape: right click on it, Remove Link",
    "animate": "moves, and a floor plan does not: delete it",
    "animateTransform": "moves, and a floor plan does not: delete it",
    "animateMotion": "moves, and a floor plan does not: delete it",
    "set": "moves, and a floor plan does not: delete it",
    "textPath": "is text on a path; in Inkscape: Path > Object to Path",
    "switch": "has several drawings in one; in Inkscape: Object > Ungroup, and delete all but one",
}
STYLE = (
    "is a style sheet: each object has to carry its own look; from Illustrator, export with Styling: Presentation "
    "Attributes; from elsewhere, open it in Inkscape and save it as Plain SVG"
)
ELSEWHERE = "takes something from elsewhere; what a floor plan shows stands in its own file"

# How things look: as an attribute, or in `style`, whose word counts more.
LOOK_WORDS = (
    "fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray "
    "stroke-dashoffset stroke-opacity opacity color display visibility font-family font-size font-weight font-style "
    "text-anchor dominant-baseline letter-spacing word-spacing writing-mode clip-path clip-rule mask marker-start "
    "marker-mid marker-end stop-color stop-opacity paint-order vector-effect overflow"
)
# Where things are, and how large.
PLACE_WORDS = (
    "x y width height rx ry cx cy r x1 y1 x2 y2 dx dy d points transform viewBox preserveAspectRatio offset rotate "
    "gradientUnits gradientTransform spreadMethod fx fy fr patternUnits patternContentUnits patternTransform "
    "clipPathUnits maskUnits maskContentUnits markerUnits markerWidth markerHeight orient refX refY textLength "
    "lengthAdjust"
)
LOOK, PLACE = frozenset(LOOK_WORDS.split()), frozenset(PLACE_WORDS.split())
HERE = re.compile(r"""url\(\s*(["']?)#([^\s"'()\\]{1,200})\1\s*\)""")
NO_CALLS = re.compile(r"[^\\<>&(]*")
CALLS = re.compile(r"(?:matrix|translate|scale|rotate|skewX|skewY|rgba?|hsla?)\([^\\<>&()]*\)")
PICTURE = re.compile(r"data:image/(?:png|jpe?g);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
LENGTH = re.compile(r"([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*(px|mm|cm|in|pt|pc|)", re.IGNORECASE)
PX = {"": 1.0, "px": 1.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "pt": 96 / 72, "pc": 16.0}


class FloorPlan(NamedTuple):
    """A cleaned drawing: elements of desks carry `data-desk`, the desk's id."""

    svg: bytes
    tag: str  # another one when it changes
    desks: frozenset[str]  # that are drawn on it
    strange: tuple[str, ...]  # ids written as a desk's, `desk-…`, of which there is none


class Element:
    """One element that is drawn."""

    __slots__ = ("line", "look", "name", "parts", "refers", "weight")

    def __init__(self, name: str, line: int) -> None:
        self.name, self.line = name, line
        self.look: dict[str, str] = {}
        self.parts: list[Element | str] = []
        self.refers: list[str] = []  # ids of what it draws once more
        self.weight = 0  # elements that are drawn for it


def clean(data: bytes, file: str, desks: Collection[str]) -> FloorPlan:
    """The drawing in `data`; `file` stands in errors, `desks` are the ids there are. Raises SiteError."""
    return _Reader(file, desks).read(data)


def read(path: Path, desks: Collection[str]) -> FloorPlan:
    """The drawing in a file. Raises SiteError."""
    try:
        text = floorplan.text_of(path, FILE_BYTES)
    except UnicodeDecodeError as error:
        raise SiteError(f"{path}: is not UTF-8 text; save it as Plain SVG") from error
    except OSError as error:
        raise SiteError(f"{path}: cannot be read ({error.strerror}); is [site] floor_plan right?") from error
    return clean(text.encode(), str(path), desks)


def check(plan: Plan) -> tuple[list[str], list[str]]:
    """(wrong, unwise): what is the matter with the floor plan that a site names, in words."""
    path = plan.site.floor_plan
    if path is None:
        return [], []
    names = {desk.id for desk in plan.desk}
    try:
        found = read(path, names)
    except SiteError as error:
        return str(error).splitlines(), []
    unwise = [f"{path}: {id}: there is no such desk{meant(id.removeprefix('desk-'), names)}" for id in found.strange]
    missing = [desk.id for desk in plan.desk if desk.id not in found.desks]
    if missing:
        more = f" and {len(missing) - IDS_SHOWN} more" if len(missing) > IDS_SHOWN else ""
        unwise.append(
            f"{path}: not on it, so below it on the page: {', '.join(missing[:IDS_SHOWN])}{more}; a desk is the object "
            f"whose id is desk-{missing[0]} or {missing[0]}"
        )
    return [], unwise


# Reading ------------------------------------------------------------------------------------------


class _Reader:
    """Reads one file."""

    def __init__(self, file: str, desks: Collection[str]) -> None:
        self._file = file
        self._ids = {id.casefold(): id for id in desks}
        self._open: list[Element] = []
        self._root: Element | None = None
        self._left_out = 0  # how deep in something that is left out
        self._sheet = False  # in <style>
        self._count = 0
        self._by_id: dict[str, Element] = {}
        self._desks: dict[str, tuple[int, Element]] = {}  # id → how surely it is meant, where
        self._strange: dict[str, None] = {}
        self._parser = expat.ParserCreate("utf-8", " ")  # what is read is text already, whatever it says it was

    def read(self, data: bytes) -> FloorPlan:
        if len(data) > FILE_BYTES:
            raise SiteError(f"{self._file}: is longer than {FILE_BYTES // 2**20} MiB; a smaller picture in it?")
        parser = self._parser
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = lambda *_: self._no("declares an entity; save it as Plain SVG")
        parser.SkippedEntityHandler = lambda name, _: self._no(f"&{name}; is no letter of XML; write the letter")
        parser.ProcessingInstructionHandler = self._instruction
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            words = expat.ErrorString(error.code)
            raise SiteError(f"{self._file}:{error.lineno}: is no SVG ({words}); save it as Plain SVG") from error
        root = self._root
        if root is None:
            raise SiteError(f"{self._file}: is no SVG; its first element is <svg>")
        self._frame(root)
        self._weigh()
        for id, (_, element) in self._desks.items():
            element.look["data-desk"] = id
        svg = "".join(_written(root, self._referred())).encode()
        tag = hashlib.blake2s(svg, digest_size=8).hexdigest()
        return FloorPlan(svg, tag, frozenset(self._desks), tuple(self._strange)[:IDS_SHOWN])

    def _no(self, words: str, line: int = 0) -> NoReturn:
        raise SiteError(f"{self._file}:{line or self._parser.CurrentLineNumber}: {words}")

    def _doctype(self, name: str, system: str | None, public: str | None, inside: int) -> None:
        if inside:
            self._no("declares entities or the like at its beginning; save it as Plain SVG")

    def _instruction(self, target: str, data: str) -> None:
        if target.lower() == "xml-stylesheet":
            self._no("asks for a style sheet; each object has to carry its own look")

    # Its parts

    def _start(self, full: str, pairs: list[str]) -> None:
        self._count += 1
        if self._count > ELEMENTS_MOST:
            self._no(f"more than {ELEMENTS_MOST} objects; leave out furniture and dimensions, or simplify")
        space, _, name = full.rpartition(" ")
        if self._left_out:
            self._left_out += 1
            if name == "script":
                self._no(f"<script> {REFUSED['script']}")
            return
        if self._root is None and (space, name) != (SVG, "svg"):
            self._no(f'<{name}> is no SVG; its first element is <svg xmlns="{SVG}">')
        if space != SVG or name in LEFT_OUT or name.startswith("fe"):
            self._left_out, self._sheet = 1, name == "style"
            if name == "script":
                self._no(f"<script> {REFUSED['script']}")
            return
        if name not in KNOWN:
            self._no(f"<{name[:40]}> {REFUSED.get(name, 'is not known here; in Inkscape: Path > Object to Path')}")
        if len(self._open) >= DEPTH_MOST:
            self._no(f"groups lie in each other more than {DEPTH_MOST} deep; in Inkscape: Object > Ungroup")
        element = Element(name, self._parser.CurrentLineNumber)
        self._look(element, dict(zip(pairs[::2], pairs[1::2], strict=True)))
        if self._open:
            self._open[-1].parts.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        if self._left_out:
            self._left_out -= 1
            self._sheet = self._sheet and self._left_out > 0
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        if self._sheet and text.strip():
            self._no(f"<style> {STYLE}")
        if not self._left_out and self._open and self._open[-1].name in TEXTS:
            self._open[-1].parts.append(text)

    def _look(self, element: Element, told: dict[str, str]) -> None:
        """Its attributes, as far as they are known; those of `style` in place of others."""
        for full, value in told.items():
            space, _, name = full.rpartition(" ")
            if not space and name.lower().startswith("on"):
                self._no(f"{name[:40]}: {REFUSED['script']}")
            if name == "href" and space in ("", XLINK):
                self._href(element, value.strip())
            elif not space and name in LOOK | PLACE:
                self._put(element, name, value)
        for part in told.get("style", "").split(";"):
            name, _, value = part.partition(":")
            if name.strip() in LOOK:
                self._put(element, name.strip(), value.partition("!")[0])
            else:
                self._safe(name.strip(), value, element)  # left out, but told where it is of elsewhere
        self._name(element, told)

    def _put(self, element: Element, name: str, value: str) -> None:
        value = " ".join(value.split())
        if self._safe(name, value, element):
            element.look[name] = value

    def _safe(self, name: str, value: str, element: Element) -> bool:
        """Whether it may be written so: no function but those that are known, nothing from elsewhere."""
        for found in HERE.finditer(value):
            element.refers.append(found[2])
        rest = CALLS.sub("", HERE.sub("", value))
        if NO_CALLS.fullmatch(rest):
            return True
        if name in LOOK | PLACE or "url" in rest.lower():
            words = ELSEWHERE if "url" in rest.lower() else "cannot be written like this"
            self._no(f"{name[:40]}: {words}; in Inkscape: save it as Plain SVG")
        return False

    def _href(self, element: Element, value: str) -> None:
        if value.startswith("#") and element.name != "image":
            element.refers.append(value[1:])
            element.look["href"] = value
        elif element.name == "image" and PICTURE.fullmatch(value):
            element.look["href"] = "".join(value.split())
        elif element.name == "image":
            self._no("<image> is not in this file, or neither PNG nor JPEG; in Inkscape: Extensions > Images > Embed")
        else:
            self._no(f"href: {ELSEWHERE}")

    def _name(self, element: Element, told: dict[str, str]) -> None:
        """Its id, and which desk it is."""
        id = told.get("id", "")
        if id and id not in self._by_id:
            self._by_id[id] = element
            element.look["id"] = id
        if any(parent.name in NEVER_SEEN for parent in self._open):
            return
        for sure, name in enumerate((told.get(f"{INKSCAPE} label", ""), id)):
            plain = name.strip().casefold()
            bare = plain.removeprefix("desk-")
            desk = self._ids.get(plain) if plain in self._ids else self._ids.get(bare)
            surely = 2 * sure + (plain != bare)
            if desk and surely > self._desks.get(desk, (-1, element))[0]:
                self._desks[desk] = (surely, element)
            elif plain != bare and not desk and bare:
                self._strange[plain[:40]] = None

    # The whole

    def _frame(self, root: Element) -> None:
        """How large it is: by viewBox, or by width and height."""
        box = root.look.get("viewBox", "")
        if box:
            numbers = re.split(r"[\s,]+", box.strip())
            try:
                left, top, wide, high = (float(number) for number in numbers)
            except ValueError:
                self._no("viewBox: is four numbers: 0 0 1200 800", root.line)
                return
        else:
            sizes = [LENGTH.fullmatch(root.look.get(key, "").strip()) for key in ("width", "height")]
            if not (sizes[0] and sizes[1]):
                self._no('<svg> does not say how large it is: viewBox="0 0 1200 800"', root.line)
                return
            left = top = 0.0
            wide, high = (float(size[1]) * PX[size[2].lower()] for size in sizes if size)
        if not (0.001 < wide < 1e7 and 0.001 < high < 1e7 and abs(left) < 1e7 and abs(top) < 1e7):
            self._no("<svg> is of no size that could be drawn: look at its viewBox", root.line)
        if not 1 / 20 < wide / high < 20:
            self._no("<svg> is more than twenty times as long as wide: fit the page to the drawing", root.line)
        kept = {key: value for key, value in root.look.items() if key in LOOK}
        root.look = {
            "xmlns": SVG, "viewBox": f"{left:g} {top:g} {wide:g} {high:g}", "width": f"{wide:g}", "height": f"{high:g}",
            "font-family": "sans-serif", **kept,
        }  # fmt: skip

    def _weigh(self) -> None:
        """Refuses what is small as a file and endless as a picture: what draws itself, or others over and over."""
        assert self._root
        state: dict[int, bool] = {}  # element → done; there already and not done: it is in itself
        stack: list[tuple[Element, bool]] = [(self._root, False)]
        while stack:
            element, back = stack.pop()
            its = [part for part in element.parts if isinstance(part, Element)]
            its += [self._by_id[id] for id in element.refers if id in self._by_id]
            if back:
                element.weight = 1 + sum(part.weight for part in its)
                state[id(element)] = True
                if element.weight > DRAWN_MOST:
                    self._no(f"<{element.name}> draws more than {DRAWN_MOST} objects: fewer clones", element.line)
            elif id(element) in state:
                if not state[id(element)]:
                    self._no(f"<{element.name}> draws itself: delete it", element.line)
            else:
                state[id(element)] = False
                stack.append((element, True))
                stack += [(part, False) for part in its if not state.get(id(part))]

    def _referred(self) -> set[str]:
        """Ids that something goes by; others need not be known to a browser."""
        found: set[str] = set()
        stack = [self._root]
        while stack:
            element = stack.pop()
            if element:
                found.update(element.refers)
                stack += [part for part in element.parts if isinstance(part, Element)]
        return found


def _written(element: Element, referred: set[str]) -> Iterator[str]:
    """The element as SVG."""
    look = "".join(
        f" {name}={quoteattr(value)}"
        for name, value in element.look.items()
        if name != "id" or value in referred
    )  # fmt: skip
    if not element.parts:
        yield f"<{element.name}{look}/>"
        return
    yield f"<{element.name}{look}>"
    for part in element.parts:
        if isinstance(part, str):
            yield escape(part)
        else:
            yield from _written(part, referred)
    yield f"</{element.name}>"
