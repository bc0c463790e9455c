// The gateway's own sentences in Norwegian (bokmål), by what they are in English; a name in braces stands for anything.
// A test holds them against the gateway's tables. What is not here stays English.

export const nb = {
  "the handset is lifted": "røret er løftet",
  "the handset is on its hook": "røret ligger på",
  "the phone rings": "telefonen ringer",
  "the phone holds a call": "telefonen har en samtale på vent",
  "the phone is on hold": "telefonen har en samtale på vent",
  "the headset is in a call": "hodesettet er i samtale",
  "the headset is in no call": "hodesettet er ikke i samtale",
  "the headset rings": "hodesettet ringer",
  "the headset lies in its cradle": "hodesettet står i holderen",
  "the phone system rings it": "telefonsystemet ringer den",
  "the phone system says: on hold": "telefonsystemet sier: på vent",
  "the phone system says: in a call": "telefonsystemet sier: i samtale",
  "paused at the phone system": "pauset i telefonsystemet",
  "the phone system cannot reach its phone": "telefonsystemet når ikke telefonen",
  "its sensors have told nothing yet": "sensorene har ikke fortalt noe ennå",
  "its phone has told nothing yet": "telefonen har ikke fortalt noe ennå",
  "no board reads it, and the phone system says nothing about it":
    "ingen kort leser den, og telefonsystemet sier ingenting om den",
  "handset down, nobody rings": "røret ligger på, ingen ringer",
  "nothing says otherwise": "ingenting tyder på noe annet",
  "no word from board {board} about this desk yet": "kortet {board} har ikke sagt noe om denne plassen ennå",
  "no word from board {board} yet": "kortet {board} har ikke sagt noe ennå",
  "board {board} is not told yet what it reads here": "kortet {board} har ikke fått vite ennå hva det leser her",
  "board {board} is not told yet what it draws here": "kortet {board} har ikke fått vite ennå hva det tegner her",
  "board {board} is cut off or without power, says the broker":
    "kortet {board} er avskåret eller uten strøm, sier brokeren",
  "board {board} has been silent for {n} s or more": "kortet {board} har vært stille i {n} s eller mer",
  "board {board} floods: `callfloor board revoke {same}` shuts it out":
    "kortet {board} sier altfor mye: `callfloor board revoke {same}` stenger det ute",
  "nobody is logged in at this desk": "ingen er logget inn på denne plassen",
  "more than one is logged in at this desk, or at two desks: who sits here is not known":
    "mer enn én er logget inn på denne plassen, eller én på to plasser: hvem som sitter her, er ukjent",
  "the phone system is away: who sits here is not known":
    "telefonsystemet er borte: hvem som sitter her, er ukjent",
  "the phone's line is dead: unplugged?": "telefonlinjen er død: er den koblet fra?",
  "the hook contact chatters: look at its wiring": "gaffelkontakten skravler: se på ledningene",
  "the phone reports faster than it should": "telefonen melder raskere enn den skal",
  "the phone says what cannot be": "telefonen sier det som ikke kan være",
  "board {board} may not read the phone: its log says what to run there":
    "kortet {board} får ikke lese telefonen: loggen der sier hva som må kjøres",
  "reading the phone fails: the log of board {board} says why":
    "telefonen kan ikke leses: loggen på kortet {board} sier hvorfor",
  "its phone is lifted, or in a call": "telefonen er løftet, eller i samtale",
  "its phone says: lifted, or in a call": "telefonen sier: løftet, eller i samtale",
  "its phone says: on its hook, no call": "telefonen sier: røret ligger på, ingen samtale",
  "the phone has said nothing since the gateway started": "telefonen har ikke sagt noe siden gatewayen startet",
  "the phone has said nothing for {time}: its last word was '{word}'":
    "telefonen har ikke sagt noe på {time}: det siste var «{word}»",
  "the phone used to poll, and has not for {time}: is it plugged in?":
    "telefonen pleide å melde seg, og har ikke gjort det på {time}: er den koblet til?",
  "the phone calls the gateway without end: look at its action URLs":
    "telefonen kaller opp gatewayen uten stans: se på dens action-URL-er",
  "the phone sends what cannot be read: put its action URLs in anew":
    "telefonen sender noe som ikke kan leses: legg inn dens action-URL-er på nytt",
  "no headset answers: unplugged?": "ikke noe hodesett svarer: er det koblet fra?",
  "the headset's contact chatters: look at its wiring": "hodesettets kontakt skravler: se på ledningene",
  "the headset reports faster than it should: plug it in anew":
    "hodesettet melder raskere enn det skal: koble det til på nytt",
  "the headset's descriptor cannot be true: it is not read":
    "hodesettets beskrivelse kan ikke stemme: det leses ikke",
  "board {board} may not read the headset: run `callfloor udev` there":
    "kortet {board} får ikke lese hodesettet: kjør `callfloor udev` der",
  "reading the headset fails: plug it in anew": "hodesettet kan ikke leses: koble det til på nytt",
  "no call, ready for one": "ingen samtale, klar for en",
  "no call, paused": "ingen samtale, pauset",
  "a call rings there": "en samtale ringer der",
  "in a call": "i samtale",
  "a call is on hold": "en samtale står på vent",
  "its phone cannot be reached": "telefonen kan ikke nås",
  "nothing is asked of it here": "blir ikke spurt om denne plassen",
  "it cannot show what it should: {why}": "den kan ikke vise det den skal: {why}",
  "its board is there, and has not said what the wall shows":
    "kortet er der, men har ikke sagt hva tavlen viser",
  "the wall has not said yet what it shows": "tavlen har ikke sagt hva den viser ennå",
  "the wall shows another scene than it should": "tavlen viser et annet bilde enn den skal",
  "the wall waits for a beat to prove its figures": "tavlen venter på et livstegn som bekrefter tallene",
  "the figures on the wall stand still": "tallene på tavlen står stille",
  "the wall does not show the message it should, or one that is over":
    "tavlen viser ikke meldingen den skal, eller en som er over",
  "the wall is off and should be on": "tavlen er av og skal være på",
  "the wall is on and should be off": "tavlen er på og skal være av",
  "the wall is not as bright as it should be": "tavlen lyser ikke så sterkt som den skal",
  "browsers that show it: {n}": "nettlesere som viser den: {n}",
  "no browser shows it": "ingen nettleser viser den",
  "look at the board's power and its network": "se på kortets strøm og nettverk",
  "take the board's power away for a moment; does that not help, read its log":
    "ta strømmen av kortet et øyeblikk; hjelper ikke det, les loggen der",
  "does it not know this kind of scene, update its board; else look at its entry in the site file":
    "kjenner den ikke slike bilder, oppdater kortet; ellers se på hva anleggsfilen sier om tavlen",
  "start the gateway again, it sends the scene anew; does that not help, somebody else writes to its topic":
    "start gatewayen på nytt, så sender den bildet igjen; hjelper ikke det, skriver noen andre til tavlens emne",
  "its board is there but hears no beat: look at its network and at the broker's rules for it":
    "kortet er der, men hører ingen livstegn: se på nettverket og på brokerens regler for det",
  "take the board's power away for a moment; does that not help, look at the broker's rules for it":
    "ta strømmen av kortet et øyeblikk; hjelper ikke det, se på brokerens regler for det",
  "send the message again, or take it back; does that not help, take the board's power away for a moment":
    "send meldingen igjen, eller ta den tilbake; hjelper ikke det, ta strømmen av kortet et øyeblikk",
  "take the board's power away for a moment; does that not help, somebody else writes to its topic":
    "ta strømmen av kortet et øyeblikk; hjelper ikke det, skriver noen andre til tavlens emne",
  "look at its light sensor, if it has one; does that not help, take the board's power away for a moment":
    "se på lyssensoren, om den har en; hjelper ikke det, ta strømmen av kortet et øyeblikk",
  "nothing has been heard of it yet": "det har ikke sagt noe ennå",
  "the MQTT broker at {where} is away: {why}": "MQTT-brokeren på {where} er borte: {why}",
  "{who} cannot be reached ({why}): is it running, is AMI enabled there?":
    "{who} kan ikke nås ({why}): kjører det, er AMI slått på der?",
  "{who} closed the connection: is it restarting?": "{who} lukket forbindelsen: starter det på nytt?",
  "{who} has been silent for {n} s: is the network up?": "{who} har vært stille i {n} s: er nettverket oppe?",
  "'{who}' has said nothing so far: is it running, does its token fit?":
    "«{who}» har ikke sagt noe ennå: kjører den, stemmer nøkkelen?",
  "'{who}' has said nothing for {n} s: is it running, does its token fit?":
    "«{who}» har ikke sagt noe på {n} s: kjører den, stemmer nøkkelen?",
  "{file}: another gateway writes in it; end that one":
    "{file}: en annen gateway skriver i den; avslutt den andre",
  "{file}: cannot be written ({why}); the disk is full: make room there":
    "{file}: kan ikke skrives ({why}); disken er full: lag plass der",
  "{file}: cannot be written ({why}); the disk does not do what it should: is it full, or failing? `dmesg` may tell":
    "{file}: kan ikke skrives ({why}); disken gjør ikke det den skal: er den full, eller i ferd med å svikte? `dmesg` kan si det",
  "this computer's clock says {now}, which cannot be: set it, or see `timedatectl`":
    "klokken på maskinen sier {now}, og det kan ikke stemme: still den, eller se `timedatectl`",
  "the clock says {now}, but totals are kept until {until}: set the clock; is it right now, move the file of totals away":
    "klokken sier {now}, men summer er lagret til {until}: still klokken; stemmer den nå, flytt filen med summene bort",
  "{who} has not set the clock yet: see `{ask}`; is the clock right all the same, write clock = \"trusted\" in [site]":
    "{who} har ikke stilt klokken ennå: se `{ask}`; stemmer klokken likevel, skriv clock = \"trusted\" i [site]",
  "it was set forward by {n} s while all ran, or this computer slept: totals of today may stand at the wrong hours":
    "den ble stilt {n} s fram mens alt gikk, eller maskinen sov: dagens summer kan stå på feil klokkeslett",
  "it was set back by {n} s while all ran, or this computer slept: totals of today may stand at the wrong hours":
    "den ble stilt {n} s tilbake mens alt gikk, eller maskinen sov: dagens summer kan stå på feil klokkeslett",
};
