// Personvernsidens ord på bokmål. Det som står i klammer, kommer fra innstillingene som gjelder her.

export const nb = {
  title: "Dette måles her, og dette blir lagret",
  sub: "{site} · {date} · fylt ut fra innstillingene som gjelder i dag",
  print: "Skriv ut",
  hint: "Det du skriver på de tomme linjene, kommer bare på papiret: ingenting av det sendes eller lagres.",
  reading: "Innstillingene leses …",
  no_right: "Bare de som har lov til å se siden, ser denne. Spør den som inviterte deg.",
  none: "ingen",

  short: "Kort sagt",
  short_rows: [
    "Det er plasser som måles og telles. Det finnes ingen liste over personer, ingen rangering og ingen sammenligning av folk.",
    "Hva en plass gjør, er kjent mens den gjør det. Det lagres ingen historikk om det, bortsett fra alarmene fra de siste {alarms_h} timene. Det som lagres lenger, er summer for køer.",
    "Ingenting om dem som ringer: ikke nummer, ikke navn, ikke lyd.",
    "Alt blir på arbeidsgiverens egne datamaskiner.",
    "En plass er ikke en person. Men den som vet hvem som sitter hvor, vet hvem sin telefon som ringer: derfor angår det som sies om en plass, den som sitter der, og reglene for personopplysninger gjelder.",
  ],

  sensed: "Hva som måles",
  sensed_columns: ["Hva", "Plasser", "Hva det forteller"],
  sense: {
    "phone-contact": ["Kontakt ved telefonens gaffel", "om røret er løftet"],
    "phone-ring": ["Ringing på linjen", "om telefonen ringer"],
    "phone-line": ["Spenningen på telefonlinjen", "om den ringer, er løftet eller har en samtale på vent; ingen lyd"],
    "headset-contact": ["Kontakt ved hodesettets base", "om hodesettet er i en samtale"],
    "headset-dock": ["Kontakt i hodesettets holder", "om hodesettet står i holderen"],
    "headset-usb": ["Hodesett i en USB-kontakt", "om det ringer, er i en samtale eller er dempet; ingen lyd"],
    "ip-phone": ["IP-telefon, etter det den selv sier", "om den ringer, er løftet, har en samtale på vent eller er dempet; ingen lyd"],
  },
  bare: "Plasser der ingenting måles: {n} av {all}.",
  all_sensed: "Det er {all} plasser.",
  light_walls: "Tavler som måler hvor lyst det er i rommet: {n}.",
  phone_system: "Telefonsystemet forteller for {queues} køer når noen ringer inn, venter, får svar og legger på, og for {desks} plasser om en samtale ringer eller pågår der, og om de er satt på pause. Innringernes numre og navnene på dem som arbeider her, kastes der de kommer inn.",
  no_phone_system: "Ikke noe telefonsystem blir spurt.",
  seating: {
    fixed: "Hvert internnummer hører til en plass.",
    login: "Den som logger inn på en plass, tar med seg internnummeret: så lenge det er logget inn, hører plassen og internnummeret sammen.",
  },
  sources: "Andre kilder som forteller om sine egne køer, bare i tall: {n}.",

  why: "Hva det er til for",
  why_rows: [
    "Å se hvor mange som venter, hvor lenge, og hvor mange plasser som kan ta en samtale: på tavlene og på siden, så de som ringer, får svar snart.",
    "Å finne ut hva som er i stykker eller ble glemt: et kretskort som ikke svarer, et rør ved siden av gaffelen, et hodesett i holderen på en plass som fortsatt får samtaler.",
    "Å vite av summene for køene hvor mange plasser som trengs.",
  ],
  made: "Hva det blir til",
  made_rows: [
    "Hver plass har ett ord: ledig, ringer, snakker, på vent, borte, ukjent eller mistet, med grunnen til det. Det gjelder nå; det forrige lagres ikke.",
    "Tavlene viser køer: hvor mange som venter, lengste ventetid, hvor mange plasser som er ledige. Ingen tavle viser en plass.",
    "Summene teller samtaler og tider for hver kø: hvor mange som fikk svar, hvor fort, hvor lenge samtalene varte. De telles ikke for hver plass. Der bare én plass betjener en kø, er summene likevel den plassens.",
  ],
  findings: "Når en plass og telefonsystemet forteller ulike ting, sier siden fra, så lenge det er slik:",
  findings_none: "Plassene holdes ikke opp mot telefonsystemet her.",
  finding: {
    "empty-desk-rings": "det ringer, og hodesettet står i holderen: etter {span}",
    "available-but-docked": "klar for samtaler, og hodesettet står i holderen: etter {span}",
    "off-hook-no-call": "røret er løftet, og det er ingen samtale: etter {span}",
    "lifted-nothing-at-pbx": "noen snakker, og telefonsystemet kjenner ingen samtale: etter {span}",
    "call-nothing-lifted": "i en samtale, og ingenting er løftet: etter {span}",
    "board-lost-under-busy-desk": "i en samtale, og plassens kretskort svarer ikke: etter {span}",
  },

  kept: "Hvor lenge det lagres",
  kept_columns: ["Hva", "Hvor lenge", "Hvor"],
  disk: "på gatewayens disk",
  memory: "i minnet; en omstart avslutter det",
  broker: "hos brokeren, bare det siste ordet",
  browser: "i nettleseren",
  kept_rows: {
    now: ["Hva hver plass gjør nå", "til neste endring", "broker"],
    waiting: ["At en samtale venter, under et nummer som ikke navngir noen", "mens den venter, høyst {waiting_h} t", "disk"],
    quarters: ["Summer for køer, kvarter for kvarter", "{quarters_days} dager", "disk"],
    days: ["Summer for køer, dag for dag", "{days_days} dager", "disk"],
    alarms: ["Alarmer som er over, med hvem som tok seg av dem og hva de noterte; de som gjelder plasser, bare for dem som tar seg av alarmer", "{alarms_h} t", "memory"],
    messages: ["Meldinger på tavler; ingenting om hvem som skrev dem", "til de er over, høyst {message_h} t", "disk"],
    accounts: ["Kontoer på denne siden: brukernavn, rolle, når sist sett", "til de fjernes", "disk"],
    audit: ["Hvem som logget inn og når, og hvem som endret hva, med brukernavn; ikke hva meldinger sa", "{audit_days} dager", "disk"],
    sessions: ["En innlogging", "{session_h} t uten bruk, høyst {session_days} dager", "browser"],
    known: ["Merket om at noen har logget inn i denne nettleseren", "{browser_days} dager", "browser"],
    links: ["Invitasjoner", "{link_days} dager", "disk"],
    tokens: ["Nøkler for maskiner og skjermer", "høyst {token_days} dager, og 30 til i listen", "disk"],
  },
  trace: "For å finne en feil kan en tekniker la et kretskort ta opp hva kontaktene gjør, som en fil hos teknikeren selv. At det ble gjort, står i listen over hvem som endret hva.",
  backups: "Kopier av disken, datamaskinens logg og filer som noen lagrer fra siden, følger arbeidsgiverens egne regler.",

  who: "Hvem som ser det",
  who_columns: ["Rolle", "Personer", "Enheter", "Ser og gjør"],
  right: {
    walls: "det tavlene viser", see: "siden, tallene og historikken", say: "sender meldinger til tavler",
    tend: "tar seg av alarmer, og ser dem for plasser som er over",
    bench: "tar seg av kretskortene, og ser direkte hva de leser på plassene", people: "hvem som har lov til hva, og listen over hvem som endret hva",
  },
  who_none: "Alle som når denne siden, ser alt: den spør ingen om hvem de er.",
  who_walls: "Alle i rommet leser tavlene.",
  who_computer: "Den som drifter gatewayens datamaskin, kan lese alt som er på den.",

  where: "Hvor det går",
  where_rows: [
    "Ingen andre steder. Gatewayen sender ingenting til dem som har laget den, til en skytjeneste eller til noen andre, og siden henter ingenting utenfra.",
    "Det arbeidsgiverens egne programmer kan hente, står over, blant enhetene.",
  ],
  way: {
    page: ["Siden kommer kryptert (https).", "Siden kommer ikke kryptert (http)."],
    broker: ["Kort og gateway snakker kryptert (TLS).", "Kort og gateway snakker ukryptert."],
    broker_away: "Hva hver plass gjør nå, ligger også hos brokeren, som er en annen datamaskin: arbeidsgiveren skriver nedenfor hvem sin.",
    broker_here: "Det kortene sier, forlater ikke gatewayens datamaskin ukryptert.",
    pbx: ["Forbindelsen til telefonsystemet er kryptert (TLS).", "Forbindelsen til telefonsystemet er ikke kryptert."],
  },

  absent: "Hva som ikke finnes",
  absent_rows: [
    "innringernes numre og navn, hva som ble sagt, opptak",
    "navn på dem som arbeider her: bare brukernavn for dem som åpner denne siden",
    "summer for plasser (unntatt der én plass alene betjener en kø), rangeringer, poeng, sammenligninger; historikk for en plass eller en person, bortsett fra alarmene ovenfor",
    "kameraer, mikrofoner, hvor noen er, hva en datamaskins skjerm eller tastatur gjør",
    "avgjørelser om folk: her avgjør ingen maskin noe",
  ],

  duties: "Arbeidsgiverens plikter",
  duties_hint: "En liste å gå gjennom, ikke juridisk rådgivning.",
  country: {
    both: {
      name: "I begge land: personvernforordningen (GDPR)",
      rows: [
        ["Art. 5", "et uttalt formål, ikke flere opplysninger enn det trenger, ikke lenger enn det trenger dem; og å kunne vise det"],
        ["Art. 6", "et behandlingsgrunnlag, skrevet ned nedenfor"],
        ["Art. 13", "de det gjelder, skal få vite hvem, hvorfor, på hvilket grunnlag, hvor lenge, og hvilke rettigheter de har; dette arket er en del av det"],
        ["Art. 35", "å ta stilling til om det trengs en vurdering av personvernkonsekvenser (DPIA); Datatilsynet og IMY har hver sin liste over når det trengs"],
      ],
    },
    no: {
      name: "Norge",
      rows: [
        ["Personopplysningsloven", "gjør personvernforordningen til norsk lov, med noen egne regler"],
        ["Arbeidsmiljøloven § 9-1", "et kontrolltiltak må ha saklig grunn i virksomhetens forhold, og må ikke være en uforholdsmessig belastning for dem som arbeider der"],
        ["Arbeidsmiljøloven § 9-2", "det skal drøftes så tidlig som mulig med de tillitsvalgte, og vesentlige endringer også; de det gjelder, skal på forhånd få vite formålet, hva det betyr i praksis og hvor lenge det antas å vare; og behovet skal evalueres jevnlig sammen med de tillitsvalgte"],
        ["Datatilsynet", "fører tilsyn og tar imot klager: datatilsynet.no"],
      ],
    },
    se: {
      name: "Sverige",
      rows: [
        ["Dataskyddslagen (2018:218)", "utfyller personvernforordningen (dataskyddsförordningen) i Sverige"],
        ["MBL (1976:580) § 11", "medbestemmelsesloven: før en viktigere endring avgjøres, også av medlemmers arbeid, skal arbeidsgiveren på eget initiativ forhandle med fagforeningene den har tariffavtale med"],
        ["MBL § 19", "disse skal holdes løpende orientert om hvordan virksomheten utvikler seg og om retningslinjene for personalpolitikken"],
        ["IMY", "Integritetsskyddsmyndigheten fører tilsyn og tar imot klager: imy.se"],
      ],
    },
  },

  rights: "Dine rettigheter",
  rights_rows: [
    "Du kan spørre om hva som er lagret om deg, få det rettet eller slettet, få bruken begrenset, og protestere mot den (GDPR art. 15 til 18 og 21); og, der grunnlaget er ditt samtykke, trekke det tilbake. Spør kontakten nedenfor.",
    "Du kan klage til tilsynsmyndigheten: {authorities}.",
  ],
  authority: { no: "Datatilsynet", se: "IMY" },
  joint: " eller ",

  blanks: "Fylles ut av arbeidsgiveren",
  blank: {
    employer: "Arbeidsgiver (behandlingsansvarlig)",
    contact: "Kontakt for spørsmål",
    officer: "Personvernombud, om det finnes et",
    basis: "Behandlingsgrunnlag (GDPR art. 6), og hvorfor det holder",
    impact: "Vurdering av personvernkonsekvenser (DPIA): når, eller hvorfor den ikke trengs",
    discussed: "Drøftet med tillitsvalgte eller fagforeninger: når, med hvem",
    broker: "Hvem brokerens datamaskin tilhører",
    evaluated: "Evalueres neste gang: når",
    from: "Gjelder fra",
  },
};
