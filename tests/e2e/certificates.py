"""Certificates made on the spot, with the openssl command: an authority and what it signs."""

import pathlib
import subprocess


def openssl(*arguments, feed=None):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60, input=feed).stdout


class Authority:
    """Lives in a folder; its certificate is `NAME.pem` there."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.pem = self.folder / f"{name}.pem"
        self._key = self.folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj",
                f"/CN={name}", "-addext", "keyUsage=keyCertSign", "-keyout", self._key, "-out", self.pem)

    def sign(self, name, certificate, key, alternative="DNS:localhost,IP:127.0.0.1", days=3):
        """A certificate for localhost, and as a client's, under this name; with negative days it has expired."""
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"basicConstraints=CA:FALSE\nsubjectAltName={alternative}\n")
        request = openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                          "-keyout", key)
        openssl("x509", "-req", "-days", days, "-CA", self.pem, "-CAkey", self._key, "-CAcreateserial", "-extfile", extensions,
                "-out", certificate, feed=request)


def self_signed(name, certificate, key, alternative="DNS:localhost,IP:127.0.0.1"):
    """A certificate that vouches for itself."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj",
            f"/CN={name}", "-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName={alternative}",
            "-keyout", key, "-out", certificate)
