# Part of ./dev: a real Kafka broker, one node, from the jars on Maven Central.
# shellcheck shell=bash

kafka_version=3.9.1
kafka_jars=$jars_dir/kafka-$kafka_version
kafka_home=$services_dir/kafka

kafka_is_up() { is_ours "$(recorded kafka.pid)" "$kafka_home/server.properties"; }

kafka_env() { printf 'export RECOUNT_TEST_KAFKA=127.0.0.1:%s\n' "$(recorded kafka.port)"; }

kafka_fetch() {
  fetch_jars "Kafka $kafka_version" "56 MB" "$kafka_jars" \
    "org.apache.kafka:kafka_2.13:$kafka_version" "org.apache.kafka:kafka-tools:$kafka_version"
}

kafka_configure() {
  local port=$1 controller_port=$2
  mkdir -p "$kafka_home"
  cat >"$kafka_home/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$kafka_home/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
log.retention.hours=-1
CONF
  cat >"$kafka_home/log4j.properties" <<CONF
log4j.rootLogger=INFO, file
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File=$kafka_home/log
log4j.appender.file.MaxFileSize=20MB
log4j.appender.file.MaxBackupIndex=2
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
CONF
}

kafka_java() {
  java "-Dlog4j.configuration=file:$kafka_home/log4j.properties" -cp "$kafka_jars/*" "$@"
}

kafka_format() {
  [[ -f $kafka_home/data/meta.properties ]] && return 0
  local id
  id=r$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 1-21)
  kafka_java kafka.tools.StorageTool format -t "$id" -c "$kafka_home/server.properties" \
    >"$kafka_home/format.log" 2>&1 9>&- ||
    die "Kafka's data folder could not be prepared; see $kafka_home/format.log"
}

kafka_answers() { kcat -b "127.0.0.1:$1" -L -m 2 2>/dev/null | grep -q '^ 1 brokers'; }

kafka_answers_or_gone() { kafka_answers "$1" || ! kafka_is_up; }

kafka_start() {
  local port
  kafka_fetch
  port=$(recorded kafka.port)
  for _ in 1 2 3; do
    if [[ -z $port ]] || port_is_taken "$port"; then port=$(free_port); fi
    kafka_configure "$port" "$(free_port)"
    kafka_format
    setsid java "-Dlog4j.configuration=file:$kafka_home/log4j.properties" \
      -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$kafka_jars/*" \
      kafka.Kafka "$kafka_home/server.properties" </dev/null >"$kafka_home/out" 2>&1 9>&- &
    echo $! >"$services_dir/kafka.pid"
    disown
    # Between fork and exec the process does not yet carry the name it is known by.
    wait_until 5 kafka_is_up || true
    wait_until 120 kafka_answers_or_gone "$port" || true
    if kafka_is_up && kafka_answers "$port"; then
      echo "$port" >"$services_dir/kafka.port"
      return 0
    fi
    kafka_stop
    port=
  done
  die "the Kafka broker did not start; see $kafka_home/log and $kafka_home/out"
}

kafka_stop() {
  end_process "$(recorded kafka.pid)" "$kafka_home/server.properties"
  rm -f "$services_dir/kafka.pid"
}
