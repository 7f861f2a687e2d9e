# Part of ./dev: the sample shop, in one process on SQLite, or in several on PostgreSQL and Kafka.
# shellcheck shell=bash

shop_dir=$build_dir/shop
shop_program=$build_dir/release/samples/shop/shop
shop_part_names=()
shop_part_ids=()
shop_front_id=
shop_asked_to_stop=

shop_embedded() {
  mkdir -p "$shop_dir"
  exec "$shop_program" demo --store "sqlite:$shop_dir/shop.db" "$@"
}

# shop_part NAME ARGUMENTS…: a process beside the shop's page, until stop_shop_parts. In a session
# of its own, so that Ctrl-C reaches the page first, and the parts when no more orders come in.
shop_part() {
  local name=$1
  setsid "$shop_program" "$@" </dev/null >"$shop_dir/$name.log" 2>&1 &
  shop_part_names+=("$name")
  shop_part_ids+=("$!")
  say "shop: $name runs as process $!, and writes to $shop_dir/$name.log"
}

# Also when this shell is ended otherwise than by its traps: the page first, so that no more orders
# come in.
end_distributed_shop() {
  trap '' INT TERM # a second Ctrl-C must not leave the others behind
  local id
  for id in ${shop_front_id:+"$shop_front_id"} "${shop_part_ids[@]}"; do
    kill -s TERM "$id" 2>/dev/null || true
    wait "$id" 2>/dev/null || true
  done
  services_stop_own
}

# Runs the program in front. Asked to stop, it ends, and so does the shop; when a part behind it
# ends, it is ended too, and the shop fails and says which part it was.
shop_front() {
  local first status=0 index log part_failed=
  "$shop_program" "$@" &
  shop_front_id=$!
  # shellcheck disable=SC2064
  trap "shop_asked_to_stop=yes; kill -s TERM $shop_front_id 2>/dev/null || true" INT TERM
  wait -n -p first "$shop_front_id" "${shop_part_ids[@]}" || status=$?
  if [[ ${first:-} == "$shop_front_id" ]]; then
    shop_front_id=
    trap - INT TERM
    return "$status"
  fi

  for index in "${!shop_part_ids[@]}"; do
    [[ ${first:-} == "${shop_part_ids[index]}" ]] || continue
    log=$shop_dir/${shop_part_names[index]}.log
    say "shop: ${shop_part_names[index]} ended: $(tail -n 1 "$log")"
    kill -s TERM "$shop_front_id" 2>/dev/null || true
    part_failed=yes
  done
  while kill -s 0 "$shop_front_id" 2>/dev/null; do wait "$shop_front_id" || true; done
  status=0
  wait "$shop_front_id" || status=$?
  shop_front_id=
  [[ -z $part_failed ]] || status=1
  exit "$status"
}

# given OPTION ARGUMENTS…: the option with its value, for each time that it is among the arguments.
given() {
  local option=$1
  shift
  while (($# > 0)); do
    case $1 in
      "$option") printf '%s\0' "$@" | head -z -n 2 ;;
      "$option"=*) printf '%s\0' "$1" ;;
    esac
    shift
  done
}

# The store, its relay, the views told from Kafka, the sagas and the page: each a process.
shop_distributed() {
  mkdir -p "$shop_dir"
  trap end_distributed_shop EXIT
  services_use postgres kafka
  local url kafka store views data
  mapfile -d '' -t data < <(given --data "$@")  # the page's arguments but this, which is both's
  # Arguments can be read by all users of a machine; libpq takes the password from here.
  PGPASSWORD=$(postgres_password)
  export PGPASSWORD
  url=postgresql://recount@127.0.0.1:$(recorded postgres.port)/recount
  kafka=127.0.0.1:$(recorded kafka.port)
  store="$url?schema=shop"
  views="$url?schema=shop_views"

  shop_part sagas --store "$store"
  shop_part relay --store "$store" --kafka "$kafka"
  shop_part project --views "$views" --store "$store" --kafka "$kafka"
  shop_front replay --elsewhere --store "$store" --views "$views" "${data[@]}"
  shop_front totals --store "$store" --views "$views"
  [[ -z $shop_asked_to_stop ]] || exit 130
  shop_front serve --elsewhere --store "$store" --views "$views" "$@"
}
