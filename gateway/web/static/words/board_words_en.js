// What is said of one board, in English.

export const en = {
  kind: "Kind", firmware: "Firmware", python: "Interpreter", up: "Up for", restart: "Started by", heap: "Heap free",
  wifi: "Wi-Fi", reconnects: "Reconnects", lag: "Held up, at most", reads: "Inputs", dropped: "Readings lost",
  heard: "Last heard", heard_ago: "{span} ago", heard_never: "not since the gateway started",
  up_since: "{span}, since {at}",
  dbm: "{n} dBm", ms: "{n} ms", wired: "none: a wire, or not told",
  reads_every: "read every {every} ms, which takes {takes} µs",
  firmware_is: {
    true: "{hash}, as this gateway brings it", false: "{hash}, another than this gateway brings", null: "{hash}",
  },
  // Why it started, as firmware/start.py says it.
  restarts: {
    pwron: "its power", wdt: "its watchdog: it hung", soft: "its program", hard: "its reset", deepsleep: "its sleep",
    started: "whoever runs it",
  },
  desks: "Desks", walls: "Walls", nothing: "The site file has no desk and no wall at it.",
  wire: {
    hook: "hook", ring: "ring line", line: "line", lamp: "headset’s indicator", dock: "headset’s cradle",
    usb: "headset at USB",
  },
  lost_todo: "Look at its power and its network. What it last said of itself is not shown: it may be so no more.",
  floods_todo: "It says so much that nobody listens to it: start it anew. If it floods again, or if this is not it, shut it out.",
  // By the kinds of gateway/board_health.py.
  wrong: {
    "other-board": {
      what: "It says that it is a {is}, and the site file says {should}.",
      todo: "Write in the site file what it is, or plug in the right one: callfloor board flash {board}",
    },
    untold: {
      what: "It goes by an older site file.",
      todo: "It reads and draws what it was told before the change: callfloor board provision {board}",
    },
    behind: {
      what: "Its firmware is another than this gateway brings.",
      todo: "It works on; with the next visit: callfloor board provision {board}",
    },
    hung: {
      what: "It hung, and its watchdog started it anew.",
      todo: "Once is bad luck. If it comes again: callfloor board watch {board}, and look at its supply.",
    },
    "low-heap": { what: "It has {heap} of memory left.", todo: "Give some of its desks or walls to another board." },
    "weak-wifi": {
      what: "It hears its Wi-Fi weakly: {dbm} dBm.",
      todo: "Move it or the access point, or take a board with a wire.",
    },
    "held-up": {
      what: "It was held up for {ms} ms.",
      todo: "Rings and hang-ups may be missed meanwhile. If it stays: callfloor board watch {board}",
    },
  },
  identify: "Identify",
  identify_title: "Its light blinks and its walls show the test picture, for 15 s",
  restart_do: "Restart …",
  restart_sure: "Restart {board}? It begins as if its power were cut: for some seconds its desks are lost, and its walls dark.",
  restart_yes: "Restart it",
  asked: "{board} is asked …",
  done: {
    identify: "{board}: its light blinks and its walls show the test picture, for 15 s.",
    restart: "{board} begins anew.",
  },
  not_done: "{board} did not do it: {words}",
  answers: {},
  // By the kinds of gateway/web/boards_http.py.
  refused: {
    lost: "{board} does not answer: it is away, or the broker is.",
    gone: "{board} is not in the site file any more: load this page again.",
    often: "Too much at once: try again in a moment.",
    busy: "Somebody else tries the wires of {board} just now: wait until that is over.",
    wires: "No pin of {board} reads anything there.",
    refused: "{board} cannot tell its levels: {words}",
  },
  check: {
    open: "Try the wiring",
    title: "The wiring, live",
    how: "Stand at a desk: lift the handset and put it down, have it rung, take the headset out and put it back, take a call. Each wire shows here what it does.",
    desk: "Desk", all_desks: "all at this board",
    asked: "The board is asked for its levels …",
    begun: "The board tells its levels. Try something at a desk.",
    again: "Once more", left: "{n} s left",
    wire: "Wire", pin: "Pin", level: "Now", found: "Seen",
    made: "made", open_now: "open", unread: "cannot be read", volts: "{n} V", changes: "changes: {n}",
    others: "Moved, and belongs to no wire that is tried here: {pins}.",
    nobodys: "nothing in the site file",
    inputs: "What the board says", says: "{desk}:", headset_unknown: "headset unknown",
    end: {
      over: "The minute is over.",
      lost: "The board tells nothing any more: has it lost its power or the network?",
      taken: "Somebody else tries this board’s wires now.",
      stopped: "The gateway stops.",
    },
  },
  why: {
    unplugged: "unplugged", chatter: "it chatters", flood: "too much at once", rubbish: "cannot be understood",
    forbidden: "may not be read", broken: "broken",
  },
  // By the patterns of boards/bench/wiring.py.
  found: {
    ok: { what: "As it should be.", todo: "" },
    changed: { what: "It changes: the wire is there.", todo: "" },
    unseen: { what: "Nothing yet", todo: "" },
    "by-usb": { what: "Read by USB: it has no pins.", todo: "" },
    "not-read": {
      what: "The board does not read {pin}: it goes by another site file.",
      todo: "callfloor board provision, then try again.",
    },
    unread: { what: "{pin} cannot be read.", todo: "Look at the converter or chip behind it." },
    chatters: {
      what: "It makes and breaks again and again: a loose contact.",
      todo: "Press each terminal of this wire in turn, and see when it stops.",
    },
    dead: {
      what: "No line: unplugged, no power on the isolated side, or this wire is open.",
      todo: "Measure the line with a meter, then the isolated side’s 3.3 V.",
    },
    full: {
      what: "As much as {pin} can show: TAKE THIS WIRE OFF NOW.",
      todo: "The divider or the amplifier is wrong: build it anew, and measure before it is joined.",
    },
    "not-said": {
      what: "It changes as it should, but the board concludes something else.",
      todo: "Give it more time; then look at the other wire of the same phone or headset.",
    },
  },
};
