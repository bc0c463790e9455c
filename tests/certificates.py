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


def authority(folder: Path, name: str, dates: tuple[str, str] | None = None) -> Path:
    """An authority of that name; returns its certificate. `dates`: as below."""
    if dates:
        openssl(folder, "req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.names").write_text("basicConstraints=critical,CA:TRUE\n")
        _dated(folder, name, None, dates)
        return folder / f"{name}.pem"
    to = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    openssl(folder, "req", "-x509", *CURVE, *to)
    return folder / f"{name}.pem"


def certificate(
    folder: Path, name: str, by: str, names: str, days: int = 2, dates: tuple[str, str] | None = None
) -> Path:
    """A certificate signed by an authority; `names`: as subjectAltName has them. Its key is beside it.

    `dates`: its first and last second, `20200101000000Z`, instead of so many days from now on.
    """
    openssl(folder, "req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    (folder / f"{name}.names").write_text(f"subjectAltName={names}\n")
    if dates:
        _dated(folder, name, by, dates)
        return folder / f"{name}.pem"
    signed = ("-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", str(days))
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem",
            "-extfile", f"{name}.names")  # fmt: skip
    return folder / f"{name}.pem"


def _dated(folder: Path, name: str, by: str | None, dates: tuple[str, str]) -> None:
    """Signs with dates of its own, which of openssl's commands only `ca` can do; by nobody: itself."""
    (folder / f"{name}.db").write_text("")
    (folder / f"{name}.conf").write_text(
        f"[ca]\ndefault_ca=us\n[us]\ndatabase={name}.db\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
        f"policy=any\nunique_subject=no\n[any]\ncommonName=supplied\n"
    )
    signer = ("-selfsign", "-keyfile", f"{name}.key") if by is None else ("-cert", f"{by}.pem", "-keyfile", f"{by}.key")
    openssl(folder, "ca", "-batch", "-notext", "-config", f"{name}.conf", "-in", f"{name}.csr", "-out", f"{name}.pem",
            *signer, "-startdate", dates[0], "-enddate", dates[1], "-extfile", f"{name}.names")  # fmt: skip
