# Part of ./dev: the private PostgreSQL, with its default durability.
# shellcheck shell=bash

# PostgreSQL refuses to run as root, so then it runs as the user its package brought.
as_postgres() {
  if ((EUID == 0)); then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# Where its data is: below build/, or in /var/tmp when the user it runs as cannot get there.
postgres_home() {
  local home
  home=$(recorded postgres.home)
  echo "${home:-$services_dir/postgres}"
}

postgres_bin() {
  local dir
  for dir in /usr/lib/postgresql/15/bin "$(pg_config --bindir 2>/dev/null || true)"; do
    if [[ -x $dir/postgres ]]; then
      echo "$dir"
      return 0
    fi
  done
  die "PostgreSQL's server was not found; run ./dev setup services"
}

postgres_is_up() { is_ours "$(recorded postgres.pid)" "$(postgres_home)/data"; }

postgres_password() { cat "$(postgres_home)/password"; }

postgres_url() {
  printf 'postgresql://recount:%s@127.0.0.1:%s/recount\n' "$(postgres_password)" \
    "$(recorded postgres.port)"
}

postgres_env() { printf "export RECOUNT_TEST_POSTGRES='%s'\n" "$(postgres_url)"; }

postgres_choose_home() {
  local home=$services_dir/postgres
  mkdir -p "$home"
  if ((EUID == 0)); then
    if ! as_postgres test -x "$home"; then
      rmdir 2>/dev/null "$home" || true # or it holds the data of another user, which stays
      home=/var/tmp/recount-services-$(printf %s "$root" | cksum | cut -d' ' -f1)
      say "postgres: user postgres cannot enter $services_dir; its data goes to $home"
      mkdir -p "$home"
    fi
    chown postgres: "$home"
  fi
  chmod 700 "$home"
  echo "$home" >"$services_dir/postgres.home"
}

postgres_create() {
  local bin=$1 home=$2
  say "postgres: creating a database cluster"
  rm -rf "$home/data"
  (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$home/password")
  if ((EUID == 0)); then chown postgres: "$home/password"; fi
  as_postgres "$bin/initdb" -D "$home/data" -U recount --pwfile="$home/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-instructions \
    >"$services_dir/postgres.initdb.log" 2>&1 ||
    die "initdb failed; see $services_dir/postgres.initdb.log"
  as_postgres tee -a "$home/data/postgresql.conf" >/dev/null <<'CONF'

listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
CONF
}

postgres_answers() {
  PGPASSWORD=$(postgres_password) psql -XAtq -h 127.0.0.1 -p "$1" -U recount -d postgres \
    -c 'select 1' >/dev/null 2>&1
}

# postgres_end_unrecorded BIN HOME. pg_ctl believes the file that names the server's process; after
# a crash that may be anybody's by now.
postgres_end_unrecorded() {
  local id
  id=$(as_postgres head -n 1 "$2/data/postmaster.pid" 2>/dev/null || true)
  if is_ours "$id" "$2/data"; then
    as_postgres "$1/pg_ctl" -D "$2/data" -m fast -w -t 60 -s stop >/dev/null 2>&1 9>&- || true
  else
    as_postgres rm -f "$2/data/postmaster.pid"
  fi
}

postgres_start() {
  local bin home port
  bin=$(postgres_bin)
  postgres_choose_home
  home=$(postgres_home)
  # Its record may be lost with the build folder while it still runs on data kept elsewhere.
  postgres_end_unrecorded "$bin" "$home"
  if [[ ! -f $home/created ]]; then postgres_create "$bin" "$home"; fi

  port=$(recorded postgres.port)
  for _ in 1 2 3 4 5; do
    if [[ -n $port ]] && as_postgres env LD_PRELOAD="${postgres_preload:-}" "$bin/pg_ctl" \
      -D "$home/data" -l "$home/log" -w -t 120 -s -o "-p $port" start \
      </dev/null >/dev/null 2>&1 9>&-; then
      echo "$port" >"$services_dir/postgres.port"
      head -n 1 "$home/data/postmaster.pid" >"$services_dir/postgres.pid"
      break
    fi
    port=$(free_port)
  done
  postgres_is_up || die "PostgreSQL did not start; see $home/log"
  wait_until 60 postgres_answers "$port" || die "PostgreSQL does not answer; see $home/log"

  if [[ ! -f $home/created ]]; then
    PGPASSWORD=$(postgres_password) createdb -h 127.0.0.1 -p "$port" -U recount recount ||
      die "the database could not be created; see $home/log"
    touch "$home/created"
  fi
}

postgres_stop() {
  local bin home
  home=$(postgres_home)
  if postgres_is_up; then
    bin=$(postgres_bin)
    as_postgres "$bin/pg_ctl" -D "$home/data" -m fast -w -t 60 -s stop 9>&- ||
      as_postgres "$bin/pg_ctl" -D "$home/data" -m immediate -w -t 30 -s stop 9>&- ||
      die "PostgreSQL does not end; see $home/log"
  fi
  rm -f "$services_dir/postgres.pid"
}
