"""Certificates made on the spot, for what is to be spoken to over TLS."""

import subprocess

PASSWORD = "pa=ss,word"  # of the client's key; what has a meaning of its own in SCRAM


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def make_certificates(folder):
    """An authority, a server of 127.0.0.1, one of another name, a client whose key has a password, and an authority that signed nobody."""
    folder.mkdir(parents=True)
    for name in ("ca", "stranger"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".pem")
    for name, address in (("server", "IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.test"), ("client", "IP:127.0.0.1")):
        (folder / "names").write_text("subjectAltName=%s\n" % address)
        openssl(folder, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
        openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", name + ".pem")
    openssl(folder, "pkcs8", "-topk8", "-in", "client.key", "-passout", "pass:" + PASSWORD, "-out", "client.locked.key")
    (folder / "server.both.pem").write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())
