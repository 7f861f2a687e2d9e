"""Reads a topic of framed messages with Confluent's own deserialiser.

    python3 -m venv build/python
    build/python/bin/pip install 'confluent-kafka[protobuf,schemaregistry]'
    build/python/bin/python tests/outbox/read_framed_with_python.py BROKERS TOPIC

Prints one line a message: schema id, key and the text of its StringValue. No registry is asked.
"""

import struct
import sys

from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.wrappers_pb2 import StringValue

from read_with_python import records


def main():
    brokers, topic = sys.argv[1:]
    deserialise = ProtobufDeserializer(StringValue, {"use.deprecated.format": False})
    for message in records(brokers, topic):
        value = deserialise(message.value(), SerializationContext(topic, MessageField.VALUE))
        print(struct.unpack(">I", message.value()[1:5])[0], message.key().decode(), value.value)


if __name__ == "__main__":
    main()
