// Integritetssidans ord på svenska. Det som står inom klamrar kommer från inställningarna som gäller här.

export const sv = {
  title: "Det här läses av, och det här sparas",
  sub: "{site} · {date} · ifyllt från inställningarna som gäller i dag",
  print: "Skriv ut",
  hint: "Det du skriver på de tomma raderna kommer bara på papperet: inget av det skickas eller sparas.",
  reading: "Inställningarna läses …",
  no_right: "Bara de som får se sidan ser den här. Fråga den som bjöd in dig.",
  none: "ingen",

  short: "I korthet",
  short_rows: [
    "Det är platser som läses av och räknas. Det finns ingen lista över personer, ingen rangordning och ingen jämförelse av människor.",
    "Vad en plats gör är känt medan den gör det. Ingen historik om det sparas, utom larmen från de senaste {alarms_h} timmarna. Det som sparas längre är summor för köer.",
    "Inget om dem som ringer: inte nummer, inte namn, inte ljud.",
    "Allt stannar på arbetsgivarens egna datorer.",
    "En plats är ingen person. Men den som vet vem som sitter var vet vems telefon som ringer: därför rör det som sägs om en plats den som sitter där, och reglerna för personuppgifter gäller.",
  ],

  sensed: "Vad som läses av",
  sensed_columns: ["Vad", "Platser", "Vad det berättar"],
  sense: {
    "phone-contact": ["Kontakt vid telefonens klyka", "om luren är lyft"],
    "phone-ring": ["Ringning på linjen", "om telefonen ringer"],
    "phone-line": ["Spänningen på telefonlinjen", "om den ringer, är lyft eller har ett samtal parkerat; inget ljud"],
    "headset-contact": ["Kontakt vid headsetets bas", "om headsetet är i ett samtal"],
    "headset-dock": ["Kontakt i headsetets hållare", "om headsetet står i hållaren"],
    "headset-usb": ["Headset i ett USB-uttag", "om det ringer, är i ett samtal eller är avstängt för tal; inget ljud"],
    "ip-phone": ["IP-telefon, enligt vad den själv säger", "om den ringer, är lyft, har ett samtal parkerat eller är avstängd för tal; inget ljud"],
  },
  bare: "Platser där inget läses av: {n} av {all}.",
  all_sensed: "Det finns {all} platser.",
  light_walls: "Tavlor som mäter hur ljust det är i rummet: {n}.",
  phone_system: "Telefonsystemet berättar för {queues} köer när någon ringer in, väntar, får svar och lägger på, och för {desks} platser om ett samtal ringer eller pågår där och om de är pausade. De uppringandes nummer och namnen på dem som arbetar här kastas där de kommer in.",
  no_phone_system: "Inget telefonsystem tillfrågas.",
  seating: {
    fixed: "Varje anknytning hör till en plats.",
    login: "Den som loggar in på en plats tar med sig anknytningen: så länge den är inloggad hör platsen och anknytningen ihop.",
  },
  sources: "Andra källor som berättar om sina egna köer, bara i siffror: {n}.",

  why: "Vad det är till för",
  why_rows: [
    "Att se hur många som väntar, hur länge, och hur många platser som kan ta ett samtal: på tavlorna och på sidan, så att de som ringer snart får svar.",
    "Att upptäcka vad som är trasigt eller glömt: ett kretskort som inte svarar, en lur bredvid klykan, ett headset i hållaren på en plats som fortfarande får samtal.",
    "Att av summorna för köerna veta hur många platser som behövs.",
  ],
  made: "Vad det blir till",
  made_rows: [
    "Varje plats har ett ord: ledig, ringer, talar, parkerad, borta, okänd eller förlorad, med skälet till det. Det gäller nu; det förra sparas inte.",
    "Tavlorna visar köer: hur många som väntar, längsta väntetid, hur många platser som är lediga. Ingen tavla visar en plats.",
    "Summorna räknar samtal och tider för varje kö: hur många som fick svar, hur fort, hur länge samtalen varade. De räknas inte för varje plats. Där bara en plats betjänar en kö är summorna ändå den platsens.",
  ],
  findings: "När en plats och telefonsystemet berättar olika saker säger sidan till, så länge det är så:",
  findings_none: "Platserna jämförs inte med telefonsystemet här.",
  finding: {
    "empty-desk-rings": "det ringer, och headsetet står i hållaren: efter {span}",
    "available-but-docked": "redo för samtal, och headsetet står i hållaren: efter {span}",
    "off-hook-no-call": "luren är lyft, och det finns inget samtal: efter {span}",
    "lifted-nothing-at-pbx": "någon talar, och telefonsystemet känner inte till något samtal: efter {span}",
    "call-nothing-lifted": "i ett samtal, och inget är lyft: efter {span}",
    "board-lost-under-busy-desk": "i ett samtal, och platsens kretskort svarar inte: efter {span}",
  },

  kept: "Hur länge det sparas",
  kept_columns: ["Vad", "Hur länge", "Var"],
  disk: "på gatewayens disk",
  memory: "i minnet; en omstart avslutar det",
  broker: "hos brokern, bara det senaste ordet",
  browser: "i webbläsaren",
  kept_rows: {
    now: ["Vad varje plats gör nu", "till nästa ändring", "broker"],
    waiting: ["Att ett samtal väntar, under ett nummer som inte pekar ut någon", "medan det väntar, högst {waiting_h} tim", "disk"],
    quarters: ["Summor för köer, kvart för kvart", "{quarters_days} dagar", "disk"],
    days: ["Summor för köer, dag för dag", "{days_days} dagar", "disk"],
    alarms: ["Larm som är över, med vem som tog hand om dem och vad de antecknade; de som gäller platser bara för dem som tar hand om larm", "{alarms_h} tim", "memory"],
    messages: ["Meddelanden på tavlor; inget om vem som skrev dem", "tills de är över, högst {message_h} tim", "disk"],
    accounts: ["Konton på den här sidan: användarnamn, roll, när de senast sågs", "tills de tas bort", "disk"],
    audit: ["Vem som loggade in och när, och vem som ändrade vad, med användarnamn; inte vad meddelanden sade", "{audit_days} dagar", "disk"],
    sessions: ["En inloggning", "{session_h} tim utan användning, högst {session_days} dagar", "browser"],
    known: ["Märket att någon har loggat in i den här webbläsaren", "{browser_days} dagar", "browser"],
    links: ["Inbjudningar", "{link_days} dagar", "disk"],
    tokens: ["Nycklar för maskiner och skärmar", "högst {token_days} dagar, och 30 till i listan", "disk"],
  },
  trace: "För att hitta ett fel kan en tekniker låta ett kretskort spela in vad dess kontakter gör, som en fil hos teknikern själv. Att det gjordes står i listan över vem som ändrade vad.",
  backups: "Kopior av disken, datorns logg och filer som någon sparar från sidan följer arbetsgivarens egna regler.",

  who: "Vem som ser det",
  who_columns: ["Roll", "Personer", "Enheter", "Ser och gör"],
  right: {
    walls: "det tavlorna visar", see: "sidan, dess siffror och historik", say: "skickar meddelanden till tavlor",
    tend: "tar hand om larm, och ser dem för platser som är över",
    bench: "sköter kretskorten, och ser direkt vad de läser på platserna", people: "vem som får göra vad, och listan över vem som ändrade vad",
  },
  who_none: "Alla som når den här sidan ser allt: den frågar ingen vem de är.",
  who_walls: "Alla i rummet läser tavlorna.",
  who_computer: "Den som sköter gatewayens dator kan läsa allt som finns på den.",

  where: "Vart det tar vägen",
  where_rows: [
    "Ingen annanstans. Gatewayen skickar inget till dem som har gjort den, till någon molntjänst eller till någon annan, och sidan hämtar inget utifrån.",
    "Det som arbetsgivarens egna program kan hämta står ovan, bland enheterna.",
  ],
  way: {
    page: ["Sidan kommer krypterad (https).", "Sidan kommer inte krypterad (http)."],
    broker: ["Kort och gateway talar krypterat (TLS).", "Kort och gateway talar okrypterat."],
    broker_away: "Vad varje plats gör nu finns också hos brokern, som är en annan dator: arbetsgivaren skriver nedan vems.",
    broker_here: "Det korten säger lämnar inte gatewayens dator okrypterat.",
    pbx: ["Förbindelsen till telefonsystemet är krypterad (TLS).", "Förbindelsen till telefonsystemet är inte krypterad."],
  },

  absent: "Vad som inte finns",
  absent_rows: [
    "de uppringandes nummer och namn, vad som sades, inspelningar",
    "namn på dem som arbetar här: bara användarnamn för dem som öppnar den här sidan",
    "summor för platser (utom där en plats ensam betjänar en kö), rangordningar, poäng, jämförelser; historik för en plats eller en person, utom larmen ovan",
    "kameror, mikrofoner, var någon är, vad en dators skärm eller tangentbord gör",
    "beslut om människor: här avgör ingen maskin något",
  ],

  duties: "Arbetsgivarens skyldigheter",
  duties_hint: "En lista att gå igenom, ingen juridisk rådgivning.",
  country: {
    both: {
      name: "I båda länderna: dataskyddsförordningen (GDPR)",
      rows: [
        ["Art. 5", "ett uttalat ändamål, inte fler uppgifter än det behöver, inte längre än det behöver dem; och att kunna visa det"],
        ["Art. 6", "en rättslig grund, nedskriven nedan"],
        ["Art. 13", "de som berörs ska få veta vem, varför, på vilken grund, hur länge, och vilka rättigheter de har; det här bladet är en del av det"],
        ["Art. 35", "att ta ställning till om en konsekvensbedömning (DPIA) behövs; Datatilsynet och IMY har var sin lista över när den gör det"],
      ],
    },
    no: {
      name: "Norge",
      rows: [
        ["Personopplysningsloven", "gör dataskyddsförordningen till norsk lag, med några egna regler"],
        ["Arbeidsmiljøloven § 9-1", "en kontrollåtgärd ska ha saklig grund i verksamheten och får inte vara en oproportionerlig belastning för dem som arbetar där"],
        ["Arbeidsmiljøloven § 9-2", "den ska diskuteras så tidigt som möjligt med de förtroendevalda, väsentliga ändringar också; de som berörs ska i förväg få veta ändamålet, vad det betyder i praktiken och hur länge det antas vara; och behovet ska utvärderas regelbundet tillsammans med de förtroendevalda"],
        ["Datatilsynet", "utövar tillsyn och tar emot klagomål: datatilsynet.no"],
      ],
    },
    se: {
      name: "Sverige",
      rows: [
        ["Dataskyddslagen (2018:218)", "kompletterar dataskyddsförordningen i Sverige"],
        ["MBL (1976:580) § 11", "medbestämmandelagen: innan en viktigare förändring beslutas, också av medlemmars arbete, ska arbetsgivaren på eget initiativ förhandla med de fackliga organisationer som den har kollektivavtal med"],
        ["MBL § 19", "de ska hållas fortlöpande underrättade om hur verksamheten utvecklas och om riktlinjerna för personalpolitiken"],
        ["IMY", "Integritetsskyddsmyndigheten utövar tillsyn och tar emot klagomål: imy.se"],
      ],
    },
  },

  rights: "Dina rättigheter",
  rights_rows: [
    "Du kan fråga vad som sparas om dig, få det rättat eller raderat, få användningen begränsad och invända mot den (GDPR art. 15 till 18 och 21); och, där grunden är ditt samtycke, ta tillbaka det. Fråga kontakten nedan.",
    "Du kan klaga hos tillsynsmyndigheten: {authorities}.",
  ],
  authority: { no: "Datatilsynet", se: "IMY" },
  joint: " eller ",

  blanks: "Fylls i av arbetsgivaren",
  blank: {
    employer: "Arbetsgivare (personuppgiftsansvarig)",
    contact: "Kontakt för frågor",
    officer: "Dataskyddsombud, om det finns ett",
    basis: "Rättslig grund (GDPR art. 6), och varför den håller",
    impact: "Konsekvensbedömning (DPIA): när, eller varför den inte behövs",
    discussed: "Diskuterat eller förhandlat med fackliga organisationer: när, med vem",
    broker: "Vems brokerns dator är",
    evaluated: "Utvärderas nästa gång: när",
    from: "Gäller från",
  },
};
