// Det som sägs om ett kort, på svenska.

export const sv = {
  kind: "Typ", firmware: "Fast program", python: "Tolk", up: "Uppe i", restart: "Startat av", heap: "Ledigt minne",
  wifi: "Wi-Fi", reconnects: "Återansluten", lag: "Längsta uppehåll", reads: "Ingångar", dropped: "Förlorade avläsningar",
  heard: "Senast hört", heard_ago: "för {span} sedan", heard_never: "inte sedan gatewayen startade",
  up_since: "{span}, sedan {at}",
  dbm: "{n} dBm", ms: "{n} ms", wired: "inget: kabel, eller inte berättat",
  reads_every: "läses var {every}:e ms, det tar {takes} µs",
  firmware_is: {
    true: "{hash}, det som den här gatewayen har", false: "{hash}, ett annat än den här gatewayen har", null: "{hash}",
  },
  // Varför det startade, som firmware/start.py säger det.
  restarts: {
    pwron: "strömmen", wdt: "vakthunden: det hängde sig", soft: "programmet", hard: "återställning", deepsleep: "dvalan",
    started: "den som kör det",
  },
  desks: "Platser", walls: "Tavlor", nothing: "Anläggningsfilen har ingen plats och ingen tavla på det.",
  wire: {
    hook: "klyka", ring: "ringledning", line: "linje", lamp: "headsetets lampa", dock: "headsetets hållare",
    usb: "headset på USB",
  },
  lost_todo: "Se på strömmen och nätverket. Det kortet senast sade om sig självt visas inte: det kanske inte stämmer längre.",
  floods_todo: "Det säger så mycket att ingen lyssnar på det: starta om det. Fortsätter det, eller är det inte det här kortet som säger det, så stäng det ute.",
  // Efter orden i gateway/board_health.py.
  wrong: {
    "other-board": {
      what: "Det säger att det är ett {is}, och anläggningsfilen säger {should}.",
      todo: "Skriv i anläggningsfilen vad det är, eller koppla in det rätta: callfloor board flash {board}",
    },
    untold: {
      what: "Det går efter en äldre anläggningsfil.",
      todo: "Det läser och ritar det som gällde före ändringen: callfloor board provision {board}",
    },
    behind: {
      what: "Dess fasta program är ett annat än det som den här gatewayen har.",
      todo: "Det fungerar som förut; vid nästa besök: callfloor board provision {board}",
    },
    hung: {
      what: "Det hängde sig, och vakthunden startade om det.",
      todo: "En gång är otur. Kommer det igen: callfloor board watch {board}, och se på strömförsörjningen.",
    },
    "low-heap": { what: "Det har {heap} minne kvar.", todo: "Ge några av platserna eller tavlorna till ett annat kort." },
    "weak-wifi": {
      what: "Det hör Wi-Fi svagt: {dbm} dBm.",
      todo: "Flytta det eller accesspunkten, eller ta ett kort med kabel.",
    },
    "held-up": {
      what: "Det hölls upp i {ms} ms.",
      todo: "Ringningar och pålagda lurar kan missas under tiden. Håller det i sig: callfloor board watch {board}",
    },
  },
  identify: "Visa var",
  identify_title: "Lampan blinkar och tavlorna visar provbilden, i 15 s",
  restart_do: "Starta om …",
  restart_sure: "Starta om {board}? Det börjar som om strömmen bröts: i några sekunder är platserna förlorade och tavlorna mörka.",
  restart_yes: "Starta om det",
  asked: "{board} tillfrågas …",
  done: {
    identify: "{board}: lampan blinkar och tavlorna visar provbilden, i 15 s.",
    restart: "{board} börjar om.",
  },
  not_done: "{board} gjorde det inte: {words}",
  // Kortens svar, som i firmware/commands.py.
  answers: {
    "this board is a program: start it again where it runs": "det här kortet är ett program: starta om det där det kör",
    "this board reads no pins": "det här kortet läser inga stift",
  },
  // Efter orden i gateway/web/boards_http.py.
  refused: {
    lost: "{board} svarar inte: det är borta, eller så är brokern det.",
    gone: "{board} står inte i anläggningsfilen längre: ladda om sidan.",
    often: "För mycket på en gång: försök igen om en stund.",
    busy: "Någon annan provar ledningarna till {board} just nu: vänta tills det är över.",
    wires: "Inget stift på {board} läser något där.",
    refused: "{board} kan inte berätta sina nivåer: {words}",
  },
  check: {
    open: "Prova ledningarna",
    title: "Ledningarna, direkt",
    how: "Stå vid en plats: lyft luren och lägg på den, låt någon ringa, ta ut headsetet och sätt tillbaka det, ta ett samtal. Varje ledning visar här vad den gör.",
    desk: "Plats", all_desks: "alla vid det här kortet",
    asked: "Kortet tillfrågas om nivåerna …",
    begun: "Kortet berättar nivåerna. Prova något vid en plats.",
    again: "En gång till", left: "{n} s kvar",
    wire: "Ledning", pin: "Stift", level: "Nu", found: "Sett",
    made: "sluten", open_now: "öppen", unread: "kan inte läsas", volts: "{n} V", changes: "ändringar: {n}",
    others: "Rörde sig, och hör inte till någon ledning som provas här: {pins}.",
    nobodys: "inget i anläggningsfilen",
    inputs: "Vad kortet säger", says: "{desk}:", headset_unknown: "headsetet är okänt",
    end: {
      over: "Minuten är över.",
      lost: "Kortet berättar inget längre: har det förlorat strömmen eller nätverket?",
      taken: "Någon annan provar det här kortets ledningar nu.",
      stopped: "Gatewayen stannar.",
    },
  },
  why: {
    unplugged: "urkopplad", chatter: "den studsar", flood: "för mycket på en gång", rubbish: "kan inte förstås",
    forbidden: "får inte läsas", broken: "trasig",
  },
  // Efter mönstren i boards/bench/wiring.py.
  found: {
    ok: { what: "Som den ska vara.", todo: "" },
    changed: { what: "Den ändrar sig: ledningen finns där.", todo: "" },
    unseen: { what: "Inget ännu", todo: "" },
    "by-usb": { what: "Läses på USB: den har inga stift.", todo: "" },
    "not-read": {
      what: "Kortet läser inte {pin}: det går efter en annan anläggningsfil.",
      todo: "callfloor board provision, och prova igen.",
    },
    unread: { what: "{pin} kan inte läsas.", todo: "Se på omvandlaren eller kretsen bakom den." },
    chatters: {
      what: "Den sluter och bryter om och om igen: en lös kontakt.",
      todo: "Tryck på varje klämma på den här ledningen i tur och ordning, och se när det slutar.",
    },
    dead: {
      what: "Ingen linje: urkopplad, ingen ström på den isolerade sidan, eller så är ledningen bruten.",
      todo: "Mät linjen med ett mätinstrument, sedan de 3,3 V på den isolerade sidan.",
    },
    full: {
      what: "Så mycket som {pin} kan visa: TA BORT DEN HÄR LEDNINGEN NU.",
      todo: "Spänningsdelaren eller förstärkaren är fel: bygg om den, och mät innan den kopplas in.",
    },
    "not-said": {
      what: "Den ändrar sig som den ska, men kortet drar en annan slutsats.",
      todo: "Ge det mer tid; se sedan på den andra ledningen till samma telefon eller headset.",
    },
  },
};
