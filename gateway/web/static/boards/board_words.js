// What is said of one board, in the reader's language: loaded with its details.

import { language } from "../words/words.js";

export const of = (await import(`../words/board_words_${language}.js`))[language];
