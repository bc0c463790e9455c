// The privacy page's words in English. What is in braces comes from the settings that hold here.

export const en = {
  title: "What is sensed here, and what is kept",
  sub: "{site} · {date} · filled from the settings that hold today",
  print: "Print",
  hint: "What you write into the blank lines stands on paper only: nothing of it is sent or kept.",
  reading: "The settings are read …",
  no_right: "Only those who may see the page see this one. Ask whoever invited you.",
  none: "none",

  short: "In short",
  short_rows: [
    "Desks are sensed, and counted. There is no list of persons, no ranking and no comparison of people.",
    "What a desk does is known while it does it. No history of it is kept, but for the alarms of the last {alarms_h} hours. What is kept for longer are totals of queues.",
    "Nothing of callers: no number, no name, no sound.",
    "It stays on the employer’s own computers.",
    "A desk is not a person. But whoever knows who sits where knows whose telephone rings: so what is said of a desk concerns whoever sits there, and the rules for personal data hold.",
  ],

  sensed: "What is sensed",
  sensed_columns: ["What", "Desks", "What it tells"],
  sense: {
    "phone-contact": ["Contact at the telephone’s hook", "whether the handset is lifted"],
    "phone-ring": ["Ringing of the line", "whether the telephone rings"],
    "phone-line": ["Voltage of the telephone line", "whether it rings, is lifted, or has a call on hold; no sound"],
    "headset-contact": ["Contact at the headset’s base", "whether the headset is in a call"],
    "headset-dock": ["Contact in the headset’s cradle", "whether the headset lies in its cradle"],
    "headset-usb": ["Headset at a USB socket", "whether it rings, is in a call, or is muted; no sound"],
    "ip-phone": ["IP telephone, by its own word", "whether it rings, is lifted, has a call on hold, or is muted; no sound"],
  },
  bare: "Desks at which nothing is sensed: {n} of {all}.",
  all_sensed: "There are {all} desks.",
  light_walls: "Walls that sense how bright the room is: {n}.",
  phone_system: "The phone system tells of {queues} queues when callers come, wait, are connected and leave, and of {desks} desks whether a call rings or is under way there, and whether they are paused. Callers’ numbers and the names of who works here are thrown away where they arrive.",
  no_phone_system: "No phone system is asked.",
  seating: {
    fixed: "Each extension belongs to a desk.",
    login: "Whoever logs in at a desk brings the extension along: while it is logged in, the desk and the extension belong together.",
  },
  sources: "Other sources that tell of queues of their own, in numbers alone: {n}.",

  why: "What it is for",
  why_rows: [
    "To see how many wait, for how long, and how many desks can take a call: on the walls and on the page, so that callers are answered soon.",
    "To find out what is broken, or was forgotten: a lost board, a handset beside its hook, a headset in its cradle at a desk that still gets calls.",
    "To know from the totals of the queues how many desks are needed.",
  ],
  made: "What is made of it",
  made_rows: [
    "Each desk has one word: free, ringing, talking, held, away, unknown or lost, with its reason. It is for now; the one before is not kept.",
    "Walls show queues: how many wait, the longest wait, how many desks are free. No wall shows a desk.",
    "Totals count calls and times by queue: how many were answered, how soon, how long calls lasted. They are not counted by desk. Where one desk alone serves a queue, its totals are that desk’s all the same.",
  ],
  findings: "Where a desk and the phone system tell different stories, the page says so, for as long as they do:",
  findings_none: "Desks are not held against the phone system here.",
  finding: {
    "empty-desk-rings": "a call rings, and the headset lies in its cradle: after {span}",
    "available-but-docked": "ready for calls, and the headset lies in its cradle: after {span}",
    "off-hook-no-call": "the handset is lifted, and there is no call: after {span}",
    "lifted-nothing-at-pbx": "somebody talks, and the phone system knows of no call: after {span}",
    "call-nothing-lifted": "in a call, and nothing is lifted: after {span}",
    "board-lost-under-busy-desk": "in a call, and the desk’s board is lost: after {span}",
  },

  kept: "How long it is kept",
  kept_columns: ["What", "For how long", "Where"],
  disk: "on the gateway’s disk",
  memory: "in memory; a restart ends it",
  broker: "at the broker, the last word alone",
  browser: "in the browser",
  kept_rows: {
    now: ["What each desk does now", "until the next change", "broker"],
    waiting: ["That a call waits, under a number that names nobody", "while it waits, {waiting_h} h at most", "disk"],
    quarters: ["Totals of queues by quarter of an hour", "{quarters_days} days", "disk"],
    days: ["Totals of queues by day", "{days_days} days", "disk"],
    alarms: ["Alarms that ended, with who saw to them and their note; those at desks for who sees to alarms alone", "{alarms_h} h", "memory"],
    messages: ["Messages on walls; nothing of who wrote them", "until they end, {message_h} h at most", "disk"],
    accounts: ["Accounts of this page: login name, role, when last seen", "until they are removed", "disk"],
    audit: ["Who logged in and when, and who changed what, by login name; not what messages said", "{audit_days} days", "disk"],
    sessions: ["A login", "{session_h} h without being seen, {session_days} days at most", "browser"],
    known: ["The mark that somebody has logged in in this browser", "{browser_days} days", "browser"],
    links: ["Invitations", "{link_days} days", "disk"],
    tokens: ["Tokens of machines and screens", "{token_days} days at most, and 30 more in the list", "disk"],
  },
  trace: "To find a fault, a technician can have a board record what its contacts do, as a file of the technician’s own. That this was done stands in the list of who changed what.",
  backups: "Copies of the disk, the log of the computer, and files that somebody saves from the page follow the employer’s own rules.",

  who: "Who sees it",
  who_columns: ["Role", "People", "Devices", "Sees and does"],
  right: {
    walls: "what walls show", see: "the page, its figures and its history", say: "sends messages to walls",
    tend: "sees to alarms, and sees those at desks that are over",
    bench: "looks after boards, and sees live what they read at desks", people: "who may do what, and the list of who changed what",
  },
  who_none: "Whoever reaches this page sees all of it: it asks nobody who they are.",
  who_walls: "Whoever is in the room reads the walls.",
  who_computer: "Whoever looks after the gateway’s computer can read all that is on it.",

  where: "Where it goes",
  where_rows: [
    "Nowhere else. The gateway sends nothing to its makers, to a cloud or to anybody else, and the page loads nothing from elsewhere.",
    "What the employer’s own programs may fetch stands above, among the devices.",
  ],
  way: {
    page: ["The page comes encrypted (https).", "The page does not come encrypted (http)."],
    broker: ["Boards and the gateway talk encrypted (TLS).", "Boards and the gateway talk unencrypted."],
    broker_away: "What each desk does now also lies at the broker, which is another computer: the employer says whose, below.",
    broker_here: "What boards say does not leave the gateway’s computer unencrypted.",
    pbx: ["The link to the phone system is encrypted (TLS).", "The link to the phone system is not encrypted."],
  },

  absent: "What is not there",
  absent_rows: [
    "callers’ numbers and names, what was said, recordings",
    "names of those who work here: only login names of those who open this page",
    "totals by desk (but where one desk alone serves a queue), rankings, scores, comparisons; a history of a desk or of a person, but for the alarms above",
    "cameras, microphones, where anybody is, what a computer’s screen or keyboard does",
    "decisions about people: nothing is decided here by a machine",
  ],

  duties: "The employer’s duties",
  duties_hint: "A list to go through, not legal advice.",
  country: {
    both: {
      name: "In both countries: the GDPR",
      rows: [
        ["Art. 5", "a stated purpose, no more data than it needs, no longer than it needs them; and to be able to show it"],
        ["Art. 6", "a legal basis, written down below"],
        ["Art. 13", "those concerned must be told who, why, on which basis, for how long, and of their rights; this sheet is a part of that"],
        ["Art. 35", "to consider whether an assessment of the consequences (DPIA) is needed; Datatilsynet and IMY each have a list of when it is"],
      ],
    },
    no: {
      name: "Norway",
      rows: [
        ["Personopplysningsloven", "makes the GDPR law in Norway, with some rules of its own"],
        ["Arbeidsmiljøloven § 9-1", "a control measure must have an objective reason in the undertaking, and must be no disproportionate strain on those who work there"],
        ["Arbeidsmiljøloven § 9-2", "it must be discussed with the elected representatives as early as possible, substantial changes too; those concerned must be told beforehand of its purpose, of what it means in practice and of how long it is likely to last; and the need for it must be evaluated regularly, together with the representatives"],
        ["Datatilsynet", "supervises, and takes complaints: datatilsynet.no"],
      ],
    },
    se: {
      name: "Sweden",
      rows: [
        ["Dataskyddslagen (2018:218)", "completes the GDPR (dataskyddsförordningen) in Sweden"],
        ["MBL (1976:580) § 11", "before a major change is decided, or one of the work of members, the employer must negotiate on its own initiative with the unions that it has collective agreements with"],
        ["MBL § 19", "these unions must be kept informed of how the business develops and of the guidelines of staff policy"],
        ["IMY", "Integritetsskyddsmyndigheten supervises, and takes complaints: imy.se"],
      ],
    },
  },

  rights: "Your rights",
  rights_rows: [
    "You may ask what is kept of you, have it corrected or deleted, have its use restricted, and object to it (GDPR art. 15 to 18 and 21); and, where the basis is your consent, take it back. Ask the contact below.",
    "You may complain to the authority: {authorities}.",
  ],
  authority: { no: "Datatilsynet", se: "IMY" },
  joint: " or ",

  blanks: "Filled in by the employer",
  blank: {
    employer: "Employer (controller)",
    contact: "Contact for questions",
    officer: "Data protection officer, if there is one",
    basis: "Legal basis (GDPR art. 6), and why it holds",
    impact: "Assessment of the consequences (DPIA): when, or why none is needed",
    discussed: "Discussed with the representatives or unions: when, with whom",
    broker: "Whose the broker’s computer is",
    evaluated: "To be evaluated next: when",
    from: "Holds from",
  },
};
