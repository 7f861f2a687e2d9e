"""Reads a log topic as any other program would: confluent-kafka, the cloudevents package, protobuf.

    python3 -m venv build/python
    build/python/bin/pip install confluent-kafka cloudevents protobuf
    build/python/bin/python tests/outbox/read_with_python.py BROKERS TOPIC

Prints one line an event: position, type, stream and, for a StringValue, its text. Positions must
follow each other in each partition; replays are passed over.
"""

import sys

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, TopicPartition
from google.protobuf.wrappers_pb2 import StringValue


def records(brokers, topic):
    consumer = Consumer({
        "bootstrap.servers": brokers,
        "group.id": "not used: partitions are assigned, offsets not committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
    })
    partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    reading = set(partitions)
    while reading:
        message = consumer.poll(20)
        if message is None:
            sys.exit("no broker answers")
        if message.error():
            if message.error().name() != "_PARTITION_EOF":
                sys.exit(str(message.error()))
            reading.discard(message.partition())
        else:
            yield message
    consumer.close()


def main():
    brokers, topic = sys.argv[1:]
    last = {}
    for message in records(brokers, topic):
        headers = dict(message.headers() or [])
        if "recount-position" not in headers:
            continue  # not recount's
        partition, number = map(int, headers["recount-position"].split(b":"))
        if number <= last.get(partition, 0):
            continue  # a replay
        if number != last.get(partition, 0) + 1:
            sys.exit(f"gap in partition {partition}: {number} behind {last.get(partition, 0)}")
        last[partition] = number

        # The package takes every header for text; the envelope's bytes are not.
        attributes = {name: value for name, value in headers.items()
                      if name.startswith("ce_") or name == "content-type"}
        event = from_binary(KafkaMessage(attributes, message.key(), message.value()), JSONFormat())
        text = headers.get("recount-withheld", b"").decode()
        if message.value() is not None and event.get_type() == "google.protobuf.StringValue":
            text = StringValue.FromString(message.value()).value
        print(f"{partition}:{number}", event.get_type(), event.get_subject(), text)


if __name__ == "__main__":
    main()
