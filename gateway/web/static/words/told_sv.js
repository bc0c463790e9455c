// The gateway's own sentences in Swedish, by what they are in English; a name in braces stands for anything.
// A test holds them against the gateway's tables. What is not here stays English.

export const sv = {
  "the handset is lifted": "luren är lyft",
  "the handset is on its hook": "luren ligger på",
  "the phone rings": "telefonen ringer",
  "the phone holds a call": "telefonen har ett parkerat samtal",
  "the phone is on hold": "telefonen har ett parkerat samtal",
  "the headset is in a call": "headsetet är i samtal",
  "the headset is in no call": "headsetet är inte i samtal",
  "the headset rings": "headsetet ringer",
  "the headset lies in its cradle": "headsetet står i hållaren",
  "the phone system rings it": "telefonsystemet ringer den",
  "the phone system says: on hold": "telefonsystemet säger: parkerat",
  "the phone system says: in a call": "telefonsystemet säger: i samtal",
  "paused at the phone system": "pausad i telefonsystemet",
  "the phone system cannot reach its phone": "telefonsystemet når inte telefonen",
  "its sensors have told nothing yet": "sensorerna har inte berättat något ännu",
  "its phone has told nothing yet": "telefonen har inte berättat något ännu",
  "no board reads it, and the phone system says nothing about it":
    "inget kort läser den, och telefonsystemet säger ingenting om den",
  "handset down, nobody rings": "luren ligger på, ingen ringer",
  "nothing says otherwise": "inget tyder på annat",
  "no word from board {board} about this desk yet": "kortet {board} har inte sagt något om den här platsen ännu",
  "no word from board {board} yet": "kortet {board} har inte sagt något ännu",
  "board {board} is not told yet what it reads here": "kortet {board} har inte fått veta ännu vad det läser här",
  "board {board} is not told yet what it draws here": "kortet {board} har inte fått veta ännu vad det ritar här",
  "board {board} is cut off or without power, says the broker":
    "kortet {board} är avskuret eller utan ström, säger brokern",
  "board {board} has been silent for {n} s or more": "kortet {board} har varit tyst i {n} s eller mer",
  "board {board} floods: `callfloor board revoke {same}` shuts it out":
    "kortet {board} säger alldeles för mycket: `callfloor board revoke {same}` stänger det ute",
  "nobody is logged in at this desk": "ingen är inloggad på den här platsen",
  "more than one is logged in at this desk, or at two desks: who sits here is not known":
    "fler än en är inloggade på den här platsen, eller en på två platser: vem som sitter här är okänt",
  "the phone system is away: who sits here is not known":
    "telefonsystemet är borta: vem som sitter här är okänt",
  "the phone's line is dead: unplugged?": "telefonlinjen är död: är den urkopplad?",
  "the hook contact chatters: look at its wiring": "klykkontakten glappar: se på ledningarna",
  "the phone reports faster than it should": "telefonen rapporterar fortare än den ska",
  "the phone says what cannot be": "telefonen säger det som inte kan vara",
  "board {board} may not read the phone: its log says what to run there":
    "kortet {board} får inte läsa telefonen: loggen där säger vad som ska köras",
  "reading the phone fails: the log of board {board} says why":
    "telefonen kan inte läsas: loggen på kortet {board} säger varför",
  "its phone is lifted, or in a call": "telefonen är lyft, eller i samtal",
  "its phone says: lifted, or in a call": "telefonen säger: lyft, eller i samtal",
  "its phone says: on its hook, no call": "telefonen säger: luren ligger på, inget samtal",
  "the phone has said nothing since the gateway started": "telefonen har inte sagt något sedan gatewayen startade",
  "the phone has said nothing for {time}: its last word was '{word}'":
    "telefonen har inte sagt något på {time}: det sista var ”{word}”",
  "the phone used to poll, and has not for {time}: is it plugged in?":
    "telefonen brukade höra av sig, och har inte gjort det på {time}: är den inkopplad?",
  "the phone calls the gateway without end: look at its action URLs":
    "telefonen anropar gatewayen utan uppehåll: se på dess action-URL:er",
  "the phone sends what cannot be read: put its action URLs in anew":
    "telefonen skickar något som inte kan läsas: lägg in dess action-URL:er på nytt",
  "no headset answers: unplugged?": "inget headset svarar: är det urkopplat?",
  "the headset's contact chatters: look at its wiring": "headsetets kontakt glappar: se på ledningarna",
  "the headset reports faster than it should: plug it in anew":
    "headsetet rapporterar fortare än det ska: koppla in det på nytt",
  "the headset's descriptor cannot be true: it is not read":
    "headsetets beskrivning kan inte stämma: det läses inte",
  "board {board} may not read the headset: run `callfloor udev` there":
    "kortet {board} får inte läsa headsetet: kör `callfloor udev` där",
  "reading the headset fails: plug it in anew": "headsetet kan inte läsas: koppla in det på nytt",
  "no call, ready for one": "inget samtal, redo för ett",
  "no call, paused": "inget samtal, pausad",
  "a call rings there": "ett samtal ringer där",
  "in a call": "i samtal",
  "a call is on hold": "ett samtal är parkerat",
  "its phone cannot be reached": "telefonen kan inte nås",
  "nothing is asked of it here": "tillfrågas inte om den här platsen",
  "it cannot show what it should: {why}": "den kan inte visa det den ska: {why}",
  "its board is there, and has not said what the wall shows":
    "kortet är där, men har inte sagt vad tavlan visar",
  "the wall has not said yet what it shows": "tavlan har inte sagt vad den visar ännu",
  "the wall shows another scene than it should": "tavlan visar en annan bild än den ska",
  "the wall waits for a beat to prove its figures":
    "tavlan väntar på ett livstecken som bekräftar siffrorna",
  "the figures on the wall stand still": "siffrorna på tavlan står stilla",
  "the wall does not show the message it should, or one that is over":
    "tavlan visar inte meddelandet den ska, eller ett som är över",
  "the wall is off and should be on": "tavlan är av och ska vara på",
  "the wall is on and should be off": "tavlan är på och ska vara av",
  "the wall is not as bright as it should be": "tavlan lyser inte så starkt som den ska",
  "browsers that show it: {n}": "webbläsare som visar den: {n}",
  "no browser shows it": "ingen webbläsare visar den",
  "look at the board's power and its network": "se på kortets ström och nätverk",
  "take the board's power away for a moment; does that not help, read its log":
    "ta strömmen från kortet ett ögonblick; hjälper inte det, läs loggen där",
  "does it not know this kind of scene, update its board; else look at its entry in the site file":
    "känner den inte sådana bilder, uppdatera kortet; se annars på vad anläggningsfilen säger om tavlan",
  "start the gateway again, it sends the scene anew; does that not help, somebody else writes to its topic":
    "starta om gatewayen, så skickar den bilden igen; hjälper inte det, skriver någon annan till tavlans ämne",
  "its board is there but hears no beat: look at its network and at the broker's rules for it":
    "kortet är där, men hör inga livstecken: se på nätverket och på brokerns regler för det",
  "take the board's power away for a moment; does that not help, look at the broker's rules for it":
    "ta strömmen från kortet ett ögonblick; hjälper inte det, se på brokerns regler för det",
  "send the message again, or take it back; does that not help, take the board's power away for a moment":
    "skicka meddelandet igen, eller ta tillbaka det; hjälper inte det, ta strömmen från kortet ett ögonblick",
  "take the board's power away for a moment; does that not help, somebody else writes to its topic":
    "ta strömmen från kortet ett ögonblick; hjälper inte det, skriver någon annan till tavlans ämne",
  "look at its light sensor, if it has one; does that not help, take the board's power away for a moment":
    "se på ljussensorn, om den har en; hjälper inte det, ta strömmen från kortet ett ögonblick",
  "nothing has been heard of it yet": "det har inte sagt något ännu",
  "the MQTT broker at {where} is away: {why}": "MQTT-brokern på {where} är borta: {why}",
  "{who} cannot be reached ({why}): is it running, is AMI enabled there?":
    "{who} kan inte nås ({why}): kör det, är AMI påslaget där?",
  "{who} closed the connection: is it restarting?": "{who} stängde förbindelsen: startar det om?",
  "{who} has been silent for {n} s: is the network up?": "{who} har varit tyst i {n} s: är nätverket uppe?",
  "'{who}' has said nothing so far: is it running, does its token fit?":
    "”{who}” har inte sagt något ännu: kör den, stämmer nyckeln?",
  "'{who}' has said nothing for {n} s: is it running, does its token fit?":
    "”{who}” har inte sagt något på {n} s: kör den, stämmer nyckeln?",
  "{file}: another gateway writes in it; end that one":
    "{file}: en annan gateway skriver i den; avsluta den andra",
  "{file}: cannot be written ({why}); the disk is full: make room there":
    "{file}: kan inte skrivas ({why}); disken är full: gör plats där",
  "{file}: cannot be written ({why}); the disk does not do what it should: is it full, or failing? `dmesg` may tell":
    "{file}: kan inte skrivas ({why}); disken gör inte det den ska: är den full, eller håller den på att gå sönder? `dmesg` kan säga det",
  "this computer's clock says {now}, which cannot be: set it, or see `timedatectl`":
    "datorns klocka säger {now}, och det kan inte stämma: ställ den, eller se `timedatectl`",
  "the clock says {now}, but totals are kept until {until}: set the clock; is it right now, move the file of totals away":
    "klockan säger {now}, men summor är sparade till {until}: ställ klockan; stämmer den nu, flytta bort filen med summorna",
  "{who} has not set the clock yet: see `{ask}`; is the clock right all the same, write clock = \"trusted\" in [site]":
    "{who} har inte ställt klockan ännu: se `{ask}`; stämmer klockan ändå, skriv clock = \"trusted\" i [site]",
  "it was set forward by {n} s while all ran, or this computer slept: totals of today may stand at the wrong hours":
    "den ställdes {n} s fram medan allt gick, eller datorn sov: dagens summor kan stå på fel klockslag",
  "it was set back by {n} s while all ran, or this computer slept: totals of today may stand at the wrong hours":
    "den ställdes {n} s tillbaka medan allt gick, eller datorn sov: dagens summor kan stå på fel klockslag",
};
