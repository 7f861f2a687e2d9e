# Part of ./dev: Debezium's PostgreSQL connector, for a test. Kafka Connect comes with Kafka's jars,
# and this is the Debezium that was made for that Kafka.
# shellcheck shell=bash

debezium_version=3.2.7.Final

debezium_fetch() {
  fetch_jars "Debezium $debezium_version" "7 MB" "$jars_dir/debezium-$debezium_version" \
    "io.debezium:debezium-connector-postgres:$debezium_version"
}
