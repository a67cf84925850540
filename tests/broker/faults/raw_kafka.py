"""Just enough of Kafka's protocol to leave a transaction hanging: records of a producer in a partition that its coordinator was never told
of get no marker when it ends. It is what a broker makes by itself when it is killed in the wrong millisecond; here it is made to order.
Needs transaction.partition.verification.enable=false at the broker."""

import socket
import struct
import time

INIT_PRODUCER, PRODUCE, FIND_COORDINATOR, ADD_PARTITIONS, END_TRANSACTION = 22, 0, 10, 24, 26
WAIT_FOR = (3, 6, 14, 15, 16, 51)  # topic not known yet, not its leader, loading, not available, not the coordinator, concurrent transactions


def text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def varint(value):
    value, out = (value << 1) ^ (value >> 63), b""
    while value > 0x7f:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def batch_of_one(producer, epoch, key, value):
    now = int(time.time() * 1000)
    record = b"\0" + varint(0) + varint(0) + varint(len(key)) + key + varint(len(value)) + value + varint(0)
    record = varint(len(record)) + record
    is_transactional = 0x10
    checked = struct.pack(">hiqqqhii", is_transactional, 0, now, now, producer, epoch, 0, 1) + record
    return struct.pack(">qiibI", 0, len(checked) + 9, -1, 2, crc32c(checked)) + checked


class RawProducer:
    """A transactional producer by hand, under a transactional id of one's choice."""

    def __init__(self, address, transactional_id, timeout_ms=60000):
        host, port = address.rsplit(":", 1)
        self.socket, self.id, self.number = socket.create_connection((host, int(port)), 10), transactional_id, 0
        self.asked_until_known(lambda: struct.unpack(">ih", self.ask(FIND_COORDINATOR, 1, text(self.id) + b"\1")[:6])[1])

        def init():
            answer = self.ask(INIT_PRODUCER, 1, text(self.id) + struct.pack(">i", timeout_ms))
            _, error, self.producer, self.epoch = struct.unpack(">ihqh", answer)
            return error
        self.asked_until_known(init)

    def ask(self, request, version, body):
        self.number += 1
        message = struct.pack(">hhi", request, version, self.number) + text("raw") + body
        self.socket.sendall(struct.pack(">i", len(message)) + message)
        return self.take(struct.unpack(">i", self.take(4))[0])[4:]

    def take(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "the broker hangs up"
            data += more
        return data

    @staticmethod
    def asked_until_known(ask, seconds=30):
        deadline = time.monotonic() + seconds
        error = ask()
        while error in WAIT_FOR and time.monotonic() < deadline:
            time.sleep(0.05)
            error = ask()
        assert error == 0, "Kafka's error %d" % error

    def mine(self):
        return text(self.id) + struct.pack(">qh", self.producer, self.epoch)

    def add(self, topic, partition):
        body = self.mine() + struct.pack(">i", 1) + text(topic) + struct.pack(">ii", 1, partition)
        self.asked_until_known(lambda: struct.unpack(">h", self.ask(ADD_PARTITIONS, 0, body)[-2:])[0])

    def produce(self, topic, partition, key, value):
        batch = batch_of_one(self.producer, self.epoch, key, value)
        body = text(self.id) + struct.pack(">hii", -1, 10000, 1) + text(topic) + struct.pack(">iii", 1, partition, len(batch)) + batch
        self.asked_until_known(lambda: struct.unpack_from(">h", self.ask(PRODUCE, 7, body), 4 + 2 + len(topic.encode()) + 4 + 4)[0])

    def end(self, is_commit):
        self.asked_until_known(lambda: struct.unpack(">ih", self.ask(END_TRANSACTION, 1, self.mine() + bytes([is_commit])))[1])

    def close(self):
        self.socket.close()
