# Part of ./dev: a private PostgreSQL and a real Kafka broker on 127.0.0.1, with ports of their own
# and everything they write below build/services. They outlive the shell that started them;
# `services down` ends exactly those whose ids were recorded.
# shellcheck shell=bash

services_dir=$build_dir/services

# shellcheck source=scripts/jars.sh
source "$root/scripts/jars.sh"
# shellcheck source=scripts/postgres.sh
source "$root/scripts/postgres.sh"
# shellcheck source=scripts/kafka.sh
source "$root/scripts/kafka.sh"
# shellcheck source=scripts/debezium.sh
source "$root/scripts/debezium.sh"

service_names=(postgres kafka)
services_held=

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port nobody answers on, below the range that the system gives to outgoing connections.
free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    if ! port_is_taken "$port"; then
      echo "$port"
      return 0
    fi
  done
  die "no free port was found between 20000 and 32000"
}

recorded() { cat "$services_dir/$1" 2>/dev/null || true; }

# is_ours PID MARK: the process lives and its command line carries MARK, so the id was not reused.
is_ours() {
  [[ -n $1 && -r /proc/$1/cmdline ]] &&
    tr 2>/dev/null '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"
}

# wait_until SECONDS COMMAND…: polls ten times a second.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

gone() { ! is_ours "$1" "$2"; }

# end_process PID MARK: asks it to end, waits, and insists when asking does not help.
end_process() {
  local signal
  for signal in TERM KILL; do
    is_ours "$1" "$2" || return 0
    kill -s "$signal" "$1" 2>/dev/null || true
    if wait_until 40 gone "$1" "$2"; then return 0; fi
  done
  die "process $1 does not end; see $services_dir"
}

# Two shells may say `up` at once: one does it, the other finds it done.
with_services_lock() {
  mkdir -p "$services_dir"
  exec 9>"$services_dir/lock"
  flock 9
  "$@"
  exec 9>&-
}

check_names() {
  local name
  for name in "$@"; do
    [[ " ${service_names[*]} " == *" $name "* ]] ||
      die "there is no service '$name'; there are: ${service_names[*]}"
  done
}

# services_up [names]: starts what is not up yet, all unless some are named; ready when it returns.
# They stay up until `services down`, also those that a run had started for itself.
services_up() {
  (($#)) || set -- "${service_names[@]}"
  check_names "$@"
  with_services_lock start_missing keep "$@"
}

# services_use NAMES: the same for one run, until services_stop_own. What is started for runs ends
# with the last of them: each holds a lock as long as it lasts, shared with the others.
services_use() {
  check_names "$@"
  mkdir -p "$services_dir"
  exec 8>>"$services_dir/runs"
  flock -s 8
  services_held=yes
  with_services_lock start_missing for_runs "$@"
}

start_missing() {
  local whose=$1 name
  shift
  for name in "$@"; do
    if [[ $whose == keep ]]; then rm -f "$services_dir/$name.for_runs"; fi
    if "${name}_is_up"; then continue; fi
    if [[ $whose == for_runs ]]; then touch "$services_dir/$name.for_runs"; fi
    "${name}_start" 8>&-
  done
}

services_down() {
  (($#)) || set -- "${service_names[@]}"
  check_names "$@"
  with_services_lock stop_running "$@"
}

stop_running() {
  local name
  for name in "$@"; do
    "${name}_stop"
    rm -f "$services_dir/$name.for_runs"
  done
}

services_status() {
  local name
  for name in "${service_names[@]}"; do
    if "${name}_is_up"; then
      printf '%-9s up    127.0.0.1:%s  process %s\n' "$name" "$(recorded "$name.port")" \
        "$(recorded "$name.pid")"
    else
      printf '%-9s down\n' "$name"
    fi
  done
}

# services_env [NAME…]: of those that are up; all unless some are named.
services_env() {
  local name
  for name in "${@:-${service_names[@]}}"; do
    if "${name}_is_up"; then "${name}_env"; fi
  done
}

# What tests run besides the services: brokers of their own, Kafka Connect with Debezium.
services_fetch() {
  kafka_fetch
  debezium_fetch
}

# For the tests: servers named in the environment are used, others started.
services_start_own() {
  local wanted=()
  [[ -n ${RECOUNT_TEST_POSTGRES:-} ]] || wanted+=(postgres)
  [[ -n ${RECOUNT_TEST_KAFKA:-} ]] || wanted+=(kafka)
  ((${#wanted[@]})) || return 0
  services_use "${wanted[@]}"
  eval "$(services_env "${wanted[@]}")"
}

# Ends what was started for runs, unless another run still needs it.
services_stop_own() {
  [[ -n $services_held ]] || return 0
  services_held=
  with_services_lock stop_when_last
  exec 8>&-
}

stop_when_last() {
  local name
  if flock -n -x 8; then
    for name in "${service_names[@]}"; do
      if [[ -e $services_dir/$name.for_runs ]]; then stop_running "$name"; fi
    done
  fi
  flock -u 8
}

services_clean() {
  services_down
  rm -rf -- "$(postgres_home)" "$services_dir"
}
