"""A certificate authority of one's own and a server's certificate by it, made with openssl."""

import os
import subprocess


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class Certificates:
    """`ca`, `cert` and `key` are PEM files. The server's names are localhost and 127.0.0.1 unless said
    otherwise."""

    def __init__(self, folder, name="tls", subject_names="DNS:localhost,IP:127.0.0.1", days="30"):
        here = os.path.join(folder, name)
        os.mkdir(here)
        self.ca, self.cert, self.key = (os.path.join(here, f) for f in ("ca.pem", "cert.pem", "key.pem"))
        _openssl(
            here,
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            days,
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-subj",
            f"/CN=engram test authority {name}",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        )
        _openssl(
            here,
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "request.pem",
            "-subj",
            "/CN=engram test server",
        )
        with open(os.path.join(here, "extensions"), "w") as f:
            f.write(f"subjectAltName={subject_names}\nextendedKeyUsage=serverAuth\n")
        _openssl(
            here,
            "x509",
            "-req",
            "-in",
            "request.pem",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            "extensions",
            "-out",
            "cert.pem",
        )
