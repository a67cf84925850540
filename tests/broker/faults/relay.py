"""relay.py LISTEN_HOST:PORT TARGET_HOST:PORT: carries bytes both ways. In a test it makes a server slow (Relay.delay_s), or stands at
both ends of a network that is cut."""

import socket
import sys
import threading
import time


class Relay:
    def __init__(self, listen, target):
        self.target, self.delay_s, self.open = target, 0, set()
        self.listener = socket.create_server(listen)
        self.address = "%s:%d" % self.listener.getsockname()[:2]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
                there = socket.create_connection(self.target, 5)
            except OSError:
                if self.listener.fileno() < 0:
                    return
                here.close()
                continue
            there.settimeout(None)
            self.open |= {here, there}
            for one in (here, there):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source, sink):
        try:
            while data := source.recv(65536):
                time.sleep(self.delay_s)
                sink.sendall(data)
        except OSError:
            pass
        cut(source, sink)
        self.open -= {source, sink}

    def cut(self):
        """Whatever is on its way, either way, is lost."""
        cut(*list(self.open))

    def close(self):
        self.listener.close()


def cut(*sockets):
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def place(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


if __name__ == "__main__":
    for at in range(1, len(sys.argv), 2):
        Relay(place(sys.argv[at]), place(sys.argv[at + 1]))
    threading.Event().wait()
