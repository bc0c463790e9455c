// What does not fit at a desk, marked on the floor; the list of what is wrong is alarms.js.

import { markDesk } from "./floor.js";
import { fill, told, words } from "../words/words.js";

export function drawFinding(id, doc) {
  markDesk(id, doc?.kind ? wordsOf(doc) : null);
}

// A kind that this page does not know is told in the gateway's own words.
function wordsOf(finding) {
  const { what, todo } = words.finding[finding.kind] || { what: `${finding.desk} · ${finding.pbx}`, todo: finding.todo };
  return { what, todo, both: fill(words.both_sides, { desk: told(finding.desk), pbx: told(finding.pbx) }) };
}
