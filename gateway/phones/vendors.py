"""Makes of IP phones: what each calls its settings and events, which variables it has, and who says so.

Of all the variables a phone offers, its own MAC address is used and nothing else: who calls, and whom, is
never asked for. MEMORY stands where no document was at hand: check those on the phone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# What a phone may say, in our words.
EVENTS = {
    "off_hook": "the handset is lifted",
    "on_hook": "the handset is down: every call is over",
    "incoming": "it rings",
    "outgoing": "a number is dialled",
    "established": "a call is answered, here or there",
    "terminated": "a call has ended",
    "missed": "the ringing has ended, nobody answered",
    "hold": "the call is put on hold",
    "unhold": "it is taken back",
    "mute": "the microphone is off",
    "unmute": "it is on again",
    "idle": "the phone is no longer busy with anything",
    "started": "it has just started",
    "poll": "it says at intervals that it is there",
    "alive": "it is there: registered, forwarded, do not disturb. Says nothing about the handset",
}

# The same events by the names that the makes give them, letters only, so that an address
# somebody writes by hand with the words of the manual is understood as well.
_ALIASES = {
    "off_hook": "offhook offhooked",
    "on_hook": "onhook onhooked",
    "incoming": "incoming incomingcall incomingcalls ringing",
    "outgoing": "outgoing outgoingcall outgoingcalls",
    "established": "established callestablished establishedcall establishcall connected callconnected onconnected "
                   "answernewcall answernewincall answernewincoming answernewincomingcall "
                   "answered",
    "terminated": "terminated callterminated terminatedcall terminatecall disconnected calldisconnected "
                  "ondisconnected callover cancelcallout callcanceled remotecanceled callremotecanceled "
                  "callremotebusy remotebusy hangup",
    "missed": "missed missedcall missedcalls callmissed rejected rejectincomingcall forwardincomingcall",
    "hold": "hold callhold holdcall onhold held holding",
    "unhold": "unhold callunhold unholdcall unheld unholding resume resumed resumecall callresume callresumed",
    "mute": "mute muted mutecall callmute",
    "unmute": "unmute unmuted unmutecall callunmute",
    "idle": "idle busytoidle busy2idle",
    "started": "started startup setup setupcompleted setupfinished booted bootcompleted bootingcompleted",
    "poll": "poll",
    "alive": "alive registered registration registrationsucceeded registrationevent successfulregistration "
             "unregistered registrationdisabled registrationfailed registerfailed regfailed signoff logon logoff "
             "dnd dndon dndoff opendnd closednd dndenabled dnddisabled ipchanged idletobusy transfercall "
             "blindtransfer attendedtransfer transferfinished transferfailed transfer blindtransfercall "
             "attendedtransfercall blindtransferring attendedtransferring receivedattendedtransfer idle2busy ipchange "
             "alwaysfwdon alwaysfwdoff busyfwdon busyfwdoff noanswerfwdon noanswerfwdoff openalwaysfwd "
             "closealwaysfwd openbusyfwd closebusyfwd opennoanswerfwd closenoanswerfwd callforwardingon "
             "callforwardingoff redirectionon redirectionoff callwaitingon callwaitingoff headseton headsetoff "
             "syslogon syslogoff setupautopfinish peripheralinformation vpnip notify",
}  # fmt: skip
NAMES = {alias: event for event, aliases in _ALIASES.items() for alias in aliases.split()}


def event_of(name: str) -> str | None:
    """Our word for an event by anybody's name of it: `Off-Hook`, `offhook` and `off_hook` are one. None: no such."""
    return NAMES.get(re.sub(r"[\s_-]", "", name[:40]).lower())


def mac_of(text: str) -> str | None:
    """The twelve digits of a MAC address however it is written; None where it is none."""
    digits = re.sub(r"[\s:.-]", "", text[:40]).lower()
    return digits if re.fullmatch(r"[0-9a-f]{12}", digits) else None


class Setting(NamedTuple):
    """One place in a phone where an address, or for Poly a switch, is put."""

    event: str  # of EVENTS
    page: str  # its name on the phone's web page
    key: str  # its name in a configuration file; empty: not known to us
    source: str  # one of the documents below


class Vendor(NamedTuple):
    """One make of phones."""

    name: str
    page: str  # where on its web page the settings are
    mac: str  # its variable for its own MAC address; empty: it has none, the digits are written out
    offers: str  # the variables it has, for whoever wonders; only `mac` is used
    line: str  # how a setting is written in a configuration file, {key} and {value}
    longest: int  # so many characters fit into one setting; a phone may silently cut the rest
    settings: tuple[Setting, ...]
    notes: tuple[str, ...] = ()


MEMORY = "from memory, check on the phone"
YEALINK = "Yealink: Administrator's Guide for SIP-T2/T4/T5/CP920 IP Phones, 'Action URL'"
YEALINK_OLD = (
    "Yealink: Administrator's Guide for CP860, 'Action URL'; the key from published configuration files"
)
SNOM = (
    "Snom User Wiki: 'Features/Action URL', 'Web Interface/V8/Action URL Settings'; published settings files"
)
GRANDSTREAM = "Grandstream: GRP26xx Administration Guide, 'Action URL Parameters P-values'"
GRANDSTREAM_MORE = "Grandstream: ActionURL Module User Guide (the event); its P value from a published table"
FANVIL = (
    "Fanvil: Action URL and Active URI Specifications V0.0.5 (that there are such events); names " + MEMORY
)
MITEL = "Aastra/Mitel: SIP IP Phone Administrator Guide 41-001343-02, 'Action URI'; 6800 series guide, release 4.2.0"
POLY = "Polycom: Web Application for Polycom Phones, UC Software 5.0.0, 3725-49106-001, 'Telephony Notification Events'"


VENDORS: dict[str, Vendor] = {
    "yealink": Vendor(
        "Yealink", "Features > Action URL", "$mac",
        "$mac $ip $model $firmware $active_url $active_user $active_host $local $remote $display_local "
        "$display_remote $call_id",
        "{key} = {value}", 511,
        (
            Setting("started", "Setup Completed", "action_url.setup_completed", YEALINK_OLD),
            Setting("off_hook", "Off Hook", "action_url.off_hook", YEALINK),
            Setting("on_hook", "On Hook", "action_url.on_hook", YEALINK),
            Setting("incoming", "Incoming Call", "action_url.incoming_call", YEALINK),
            Setting("outgoing", "Outgoing Call", "action_url.outgoing_call", YEALINK),
            Setting("established", "Established", "action_url.call_established", YEALINK),
            Setting("terminated", "Terminated", "action_url.call_terminated", YEALINK),
            Setting("missed", "Missed Call", "action_url.missed_call", YEALINK_OLD),
            Setting("hold", "Hold", "action_url.hold", YEALINK_OLD),
            Setting("unhold", "UnHold", "action_url.unhold", YEALINK_OLD),
            Setting("mute", "Mute", "action_url.mute", YEALINK_OLD),
            Setting("unmute", "UnMute", "action_url.unmute", YEALINK_OLD),
            Setting("idle", "Busy To Idle", "action_url.busy_to_idle", YEALINK_OLD),
        ),
    ),
    "snom": Vendor(
        "Snom", "Setup > Advanced > Action URL Settings", "$mac",
        "$mac $phone_ip $local $remote $display_local $display_remote $active_url $active_user $active_host "
        "$call-id $csta_id $nr_ongoing_calls $cancel_reason, and any setting of the phone by its name",
        '<{key} perm="">{value}</{key}>', 255,
        (
            Setting("started", "Setup finished", "action_setup_url", SNOM),
            Setting("off_hook", "Off-hook", "action_offhook_url", SNOM),
            Setting("on_hook", "On-hook", "action_onhook_url", SNOM),
            Setting("incoming", "Incoming Call", "action_incoming_url", SNOM),
            Setting("outgoing", "Outgoing Call", "action_outgoing_url", SNOM),
            Setting("established", "On Connected", "action_connected_url", SNOM),
            Setting("terminated", "On Disconnected", "action_disconnected_url", SNOM),
            Setting("missed", "Missed Call", "action_missed_url", SNOM),
        ),
        ("It says nothing of hold and mute.",
         f"That 255 characters fit is {MEMORY}."),
    ),
    "grandstream": Vendor(
        "Grandstream", "Settings > Outbound Notification > Action URL", "$mac",
        "$mac $phone_ip $product $program_version $hardware_version $language $local $display_local $remote "
        "$display_remote $call-id $active_user $active_host $duration $calldirection",
        "<{key}>{value}</{key}>", 255,
        (
            Setting("started", "Setup Completed", "P8304", GRANDSTREAM),
            Setting("off_hook", "Off Hook", "P8308", GRANDSTREAM),
            Setting("on_hook", "On Hook", "P8309", GRANDSTREAM),
            Setting("incoming", "Incoming Call", "P8310", GRANDSTREAM),
            Setting("outgoing", "Outgoing Call", "P8311", GRANDSTREAM),
            Setting("missed", "Missed Call", "P8312", GRANDSTREAM_MORE),
            Setting("established", "Established Call", "P8313", GRANDSTREAM_MORE),
            Setting("terminated", "Terminated Call", "P8314", GRANDSTREAM_MORE),
            Setting("hold", "Hold Call", "P8324", GRANDSTREAM_MORE),
            Setting("unhold", "UnHold Call", "P8325", GRANDSTREAM_MORE),
        ),
        ("It says nothing of mute.",
         "Its guide writes addresses without http:// in front; where a phone does not come, try it without. "
         "Its guide's other form, TOKEN/event=off_hook&mac=$mac, is understood as well.",
         f"That 255 characters fit is {MEMORY}."),
    ),
    "fanvil": Vendor(
        "Fanvil", "Phone settings > Action", "$mac",
        "$mac $ip $model $firmware $active_url $active_user $active_host $local $remote $display_local "
        "$display_remote $call_id",
        "", 255,
        (
            Setting("started", "Setup Completed", "", FANVIL),
            Setting("off_hook", "Off Hooked", "", FANVIL),
            Setting("on_hook", "On Hooked", "", FANVIL),
            Setting("incoming", "Incoming Call", "", FANVIL),
            Setting("outgoing", "Outgoing Calls", "", FANVIL),
            Setting("established", "Call Established", "", FANVIL),
            Setting("terminated", "Call Terminated", "", FANVIL),
            Setting("missed", "Missed Calls", "", FANVIL),
            Setting("hold", "Call Hold", "", FANVIL),
            Setting("unhold", "Call Resume", "", FANVIL),
            Setting("mute", "Mute", "", FANVIL),
            Setting("unmute", "Unmute", "", FANVIL),
            Setting("idle", "Busy To Idle", "", FANVIL),
        ),
        ("Its names in a configuration file are not known to us: set one phone by hand, and export its file.",
         f"The variables and that 255 characters fit are {MEMORY}."),
    ),
    "mitel": Vendor(
        "Mitel (Aastra)", "Advanced Settings > Action URI", "",
        "$$LINESTATE$$ $$LOCALIP$$ $$SIPUSERNAME$$ $$SIPAUTHNAME$$ $$DISPLAYNAME$$ $$REMOTENUMBER$$ "
        "$$INCOMINGNAME$$ $$PROXYURL$$ $$CALLDURATION$$ $$CALLDIRECTION$$ $$REGISTRATIONSTATE$$ "
        "$$REGISTRATIONCODE$$; none for the MAC address",
        "{key}: {value}", 128,
        (
            Setting("started", "Startup", "action uri startup", MITEL),
            Setting("off_hook", "Offhook", "action uri offhook", MITEL),
            Setting("on_hook", "Onhook", "action uri onhook", MITEL),
            Setting("incoming", "Incoming Call", "action uri incoming", MITEL),
            Setting("outgoing", "Outgoing Call", "action uri outgoing", MITEL),
            Setting("established", "Connected", "action uri connected", MITEL),
            Setting("terminated", "Disconnected", "action uri disconnected", MITEL),
            Setting("poll", "Poll", "action uri poll", MITEL),
        ),
        ("It says nothing of hold and mute.",
         "Set the poll interval (action uri poll interval) to 300 seconds. A phone that has polled and stops is "
         "unknown after 15 minutes; leave Poll empty, and it is not asked for.",
         "A Mitel phone shows an error where it gets no XML: it gets some that does nothing."),
    ),
    "poly": Vendor(
        "Poly (Polycom)", "Settings > Applications > Telephony Event Notification", "",
        "none: it sends XML with PhoneIP, MACAddress and TimeStamp, and with the caller's name and number in the "
        "events of a call, whether wanted or not",
        '{key}="{value}"', 255,
        (
            Setting("", "URL", "apps.telNotification.URL", POLY),
            Setting("off_hook", "Off Hook", "apps.telNotification.offhookEvent", POLY),
            Setting("on_hook", "On Hook", "apps.telNotification.onhookEvent", POLY),
            Setting("incoming", "Call State Change", "apps.telNotification.callStateChangeEvent", POLY),
            Setting("alive", "Line Registration", "apps.telNotification.lineRegistrationEvent", POLY),
        ),
        ("Leave Incoming Call and Outgoing Call off: they add nothing but the caller.",
         "Call State Change carries the caller's name and number through your network; the gateway drops them "
         "unread. Without it the desk shows the handset only, and no ringing.",
         f"The page's names, and those of the keys beside published configuration files, are {MEMORY}.",
         "It says nothing of mute."),
    ),
}  # fmt: skip
