"""The page's tables of words, asked of a browser: of all languages at once, though a page itself loads but one."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

LANGUAGES = ("en", "nb", "sv")


def words_of(page: Page, kind: str = "words") -> dict[str, dict[str, Any]]:
    """By language, what words_{language}.js has; of kind "told" what told_{language}.js has, in no English."""
    languages = [language for language in LANGUAGES if kind == "words" or language != "en"]
    asked = """([kind, language]) => import(`/static/words/${kind}_${language}.js`).then((file) => file[language])"""
    return {language: page.evaluate(asked, [kind, language]) for language in languages}
