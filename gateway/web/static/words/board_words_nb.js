// Det som sies om ett kort, på norsk bokmål.

export const nb = {
  kind: "Type", firmware: "Fastvare", python: "Tolk", up: "Oppe i", restart: "Startet av", heap: "Ledig minne",
  wifi: "Wi-Fi", reconnects: "Koblet til igjen", lag: "Lengste opphold", reads: "Innganger", dropped: "Tapte avlesninger",
  heard: "Sist hørt", heard_ago: "for {span} siden", heard_never: "ikke siden gatewayen startet",
  up_since: "{span}, siden {at}",
  dbm: "{n} dBm", ms: "{n} ms", wired: "ikke noe: kabel, eller ikke fortalt",
  reads_every: "leses hvert {every} ms, det tar {takes} µs",
  firmware_is: {
    true: "{hash}, den som denne gatewayen har", false: "{hash}, en annen enn denne gatewayen har", null: "{hash}",
  },
  // Hvorfor det startet, slik firmware/start.py sier det.
  restarts: {
    pwron: "strømmen", wdt: "vakthunden: det hang", soft: "programmet", hard: "tilbakestilling", deepsleep: "dvalen",
    started: "den som kjører det",
  },
  desks: "Plasser", walls: "Tavler", nothing: "Anleggsfilen har ingen plass og ingen tavle på det.",
  wire: {
    hook: "gaffel", ring: "ringelinje", line: "linje", lamp: "hodesettets lampe", dock: "hodesettets holder",
    usb: "hodesett på USB",
  },
  lost_todo: "Se på strømmen og nettverket. Det kortet sist sa om seg selv, vises ikke: det er kanskje ikke slik lenger.",
  floods_todo: "Det sier så mye at ingen hører på det: start det på nytt. Fortsetter det, eller er det ikke dette kortet som sier det, så steng det ute.",
  // Etter ordene i gateway/board_health.py.
  wrong: {
    "other-board": {
      what: "Det sier at det er et {is}, og anleggsfilen sier {should}.",
      todo: "Skriv i anleggsfilen hva det er, eller koble til det rette: callfloor board flash {board}",
    },
    untold: {
      what: "Det går etter en eldre anleggsfil.",
      todo: "Det leser og tegner det som gjaldt før endringen: callfloor board provision {board}",
    },
    behind: {
      what: "Fastvaren er en annen enn den denne gatewayen har.",
      todo: "Det virker som før; ved neste besøk: callfloor board provision {board}",
    },
    hung: {
      what: "Det hang, og vakthunden startet det på nytt.",
      todo: "Én gang er uflaks. Kommer det igjen: callfloor board watch {board}, og se på strømforsyningen.",
    },
    "low-heap": { what: "Det har {heap} minne igjen.", todo: "Gi noen av plassene eller tavlene til et annet kort." },
    "weak-wifi": {
      what: "Det hører Wi-Fi svakt: {dbm} dBm.",
      todo: "Flytt det eller aksesspunktet, eller bruk et kort med kabel.",
    },
    "held-up": {
      what: "Det ble holdt opp i {ms} ms.",
      todo: "Ringing og avlegging kan gå tapt så lenge. Blir det ved: callfloor board watch {board}",
    },
  },
  identify: "Vis hvor",
  identify_title: "Lyset blinker og tavlene viser prøvebildet, i 15 s",
  restart_do: "Start på nytt …",
  restart_sure: "Starte {board} på nytt? Det begynner som om strømmen ble tatt: i noen sekunder er plassene mistet og tavlene mørke.",
  restart_yes: "Start det på nytt",
  asked: "{board} blir spurt …",
  done: {
    identify: "{board}: lyset blinker og tavlene viser prøvebildet, i 15 s.",
    restart: "{board} begynner på nytt.",
  },
  not_done: "{board} gjorde det ikke: {words}",
  // Svar fra kort, som i firmware/commands.py.
  answers: {
    "this board is a program: start it again where it runs": "dette kortet er et program: start det på nytt der det kjører",
    "this board reads no pins": "dette kortet leser ingen pinner",
  },
  // Etter ordene i gateway/web/boards_http.py.
  refused: {
    lost: "{board} svarer ikke: det er borte, eller brokeren er det.",
    gone: "{board} står ikke i anleggsfilen lenger: last inn siden på nytt.",
    often: "For mye på én gang: prøv igjen om litt.",
    busy: "Noen andre prøver ledningene til {board} akkurat nå: vent til det er over.",
    wires: "Ingen pinne på {board} leser noe der.",
    refused: "{board} kan ikke fortelle nivåene sine: {words}",
  },
  check: {
    open: "Prøv ledningene",
    title: "Ledningene, direkte",
    how: "Stå ved en plass: løft røret og legg det på, få noen til å ringe, ta hodesettet ut og sett det tilbake, ta en samtale. Hver ledning viser her hva den gjør.",
    desk: "Plass", all_desks: "alle ved dette kortet",
    asked: "Kortet blir spurt om nivåene …",
    begun: "Kortet forteller nivåene. Prøv noe ved en plass.",
    again: "En gang til", left: "{n} s igjen",
    wire: "Ledning", pin: "Pinne", level: "Nå", found: "Sett",
    made: "sluttet", open_now: "åpen", unread: "kan ikke leses", volts: "{n} V", changes: "endringer: {n}",
    others: "Rørte seg, og hører ikke til noen ledning som prøves her: {pins}.",
    nobodys: "ikke noe i anleggsfilen",
    inputs: "Hva kortet sier", says: "{desk}:", headset_unknown: "hodesettet er ukjent",
    end: {
      over: "Minuttet er over.",
      lost: "Kortet forteller ikke noe lenger: har det mistet strømmen eller nettverket?",
      taken: "Noen andre prøver dette kortets ledninger nå.",
      stopped: "Gatewayen stopper.",
    },
  },
  why: {
    unplugged: "koblet fra", chatter: "den preller", flood: "for mye på én gang", rubbish: "kan ikke forstås",
    forbidden: "får ikke leses", broken: "i stykker",
  },
  // Etter mønstrene i boards/bench/wiring.py.
  found: {
    ok: { what: "Som den skal være.", todo: "" },
    changed: { what: "Den endrer seg: ledningen er der.", todo: "" },
    unseen: { what: "Ingenting ennå", todo: "" },
    "by-usb": { what: "Leses på USB: den har ingen pinner.", todo: "" },
    "not-read": {
      what: "Kortet leser ikke {pin}: det går etter en annen anleggsfil.",
      todo: "callfloor board provision, og prøv igjen.",
    },
    unread: { what: "{pin} kan ikke leses.", todo: "Se på omformeren eller brikken bak den." },
    chatters: {
      what: "Den slutter og bryter igjen og igjen: en løs kontakt.",
      todo: "Trykk på hver klemme på denne ledningen etter tur, og se når det gir seg.",
    },
    dead: {
      what: "Ingen linje: koblet fra, ingen strøm på den isolerte siden, eller ledningen er brutt.",
      todo: "Mål linjen med et måleinstrument, så de 3,3 V på den isolerte siden.",
    },
    full: {
      what: "Så mye som {pin} kan vise: TA AV DENNE LEDNINGEN NÅ.",
      todo: "Spenningsdeleren eller forsterkeren er feil: bygg den på nytt, og mål før den kobles til.",
    },
    "not-said": {
      what: "Den endrer seg som den skal, men kortet slutter noe annet.",
      todo: "Gi det mer tid; se så på den andre ledningen til samme telefon eller hodesett.",
    },
  },
};
