"""Who we are at the site's broker, and that it is the broker it should be: for every client of ours on a computer."""

from __future__ import annotations

import ssl

import paho.mqtt.client as paho

import floorplan
from floorplan import Broker, SiteError


def log_in(client: paho.Client, broker: Broker) -> None:
    """Gives a client, before it connects, the name and password of the site file, and TLS where the broker has it.

    The secret is read anew each time: a connection after a change of password uses the new one. Raises SiteError.
    """
    client.username_pw_set(broker.user, floorplan.secret(broker.secret_file))
    if broker.tls:
        client.tls_set_context(context(broker))


def context(broker: Broker) -> ssl.SSLContext:
    """TLS 1.2 or newer; the certificate must be signed by `ca_file` and be for the name we connect to.

    Raises SiteError.
    """
    told = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    told.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        told.load_verify_locations(cadata=floorplan.certificates(broker.ca_file))
    except ssl.SSLError as error:
        raise SiteError(f"{broker.ca_file}: is no certificate in PEM ({error.reason or error})") from error
    return told
