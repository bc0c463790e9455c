"""Certificates for tests, made by openssl: an authority, and what it signs.

authority(folder, "ca")                             # ca.pem, ca.key
certificate(folder, "pbx", "ca", "DNS:pbx.test")    # pbx.pem, pbx.key, signed by ca
"""

from __future__ import annotations

import subprocess
from pathlib import Path

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(folder: Path, *args: str) -> None:
    """One command of openssl, in a folder."""
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> Path:
    """An authority of that name; returns its certificate."""
    to = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    openssl(folder, "req", "-x509", *CURVE, *to)
    return folder / f"{name}.pem"


def certificate(folder: Path, name: str, by: str, names: str, days: int = 2) -> Path:
    """A certificate signed by an authority; `names`: as subjectAltName has them. Its key is beside it."""
    openssl(folder, "req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    (folder / f"{name}.names").write_text(f"subjectAltName={names}\n")
    signed = ("-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", str(days))
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem",
            "-extfile", f"{name}.names")  # fmt: skip
    return folder / f"{name}.pem"
