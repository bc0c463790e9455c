"""What is wrong with a broker's certificate, in words. Loaded when one was refused, forgotten again."""

from firmware.clock import forget

# What Mbed TLS and OpenSSL say of a certificate, in part, and what it means here. The worst first: one that is not the
# right broker's is not looked at for its date.
CERTIFICATE = (
    ("not correctly signed", "somebody else signed it: is [broker] ca_file of this broker? Then write board.json anew"),
    ("issuer", "somebody else signed it: is [broker] ca_file of this broker? Then write board.json anew"),
    ("self-signed", "somebody else signed it: is [broker] ca_file of this broker? Then write board.json anew"),
    ("does not match", "it is not for '{name}': [broker] boards_host has to be a name that stands in it"),
    ("not valid for", "it is not for '{name}': [broker] boards_host has to be a name that stands in it"),
    ("in the future", "it begins later than today: is this computer's clock right?"),
    ("not yet valid", "it begins later than today: is this computer's clock right?"),
    ("expired", "it has ended: renew it at the broker (`callfloor broker setup` where it is ours)"),
)


def look(said: str, tls: dict) -> str:
    """What is wrong with the broker's certificate. A board without a clock looks for a date that fits, here.

    After it this file is forgotten.
    """
    forget("tls_words")
    for part, words in CERTIFICATE:
        if part in said:
            if part in ("in the future", "expired"):
                from firmware import board_time

                moved = board_time.move(tls, said)
                forget("board_time")
                if moved:
                    return moved
            return words.replace("{name}", str(tls.get("name")))
    return " ".join(said.split())
