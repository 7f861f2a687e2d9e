# Part of ./dev: installs what is missing from Debian 12's packages.
# shellcheck shell=bash

packages_of() {
  case $1 in
    build) echo build-essential cmake ninja-build ccache lld pkg-config protobuf-compiler \
      libprotobuf-dev libprotoc-dev librdkafka-dev libpqxx-dev libpq-dev libsqlite3-dev \
      libspdlog-dev libjemalloc-dev \
      libssl-dev zlib1g-dev libboost1.81-dev nlohmann-json3-dev libcli11-dev ;;
    test) echo libgtest-dev libgmock-dev librapidcheck-dev python3 sqlite3 clang-14 ;;
    services) echo postgresql-15 postgresql-client-15 kcat maven openjdk-17-jre-headless ;;
    lint) echo git python3 clang-format-14 ;;
    clang) echo clang-14 ;;
    *) die "setup knows the groups build, test, services, lint and clang, not '$1'" ;;
  esac
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: run as root, or install sudo, or run yourself: $*"
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2
}

apt_update() {
  as_root apt-get update -q -o DPkg::Lock::Timeout=300 >&2
}

# Debian starts a PostgreSQL of its own when the package arrives; nobody asked for that one.
without_own_cluster() {
  local conf=/etc/postgresql-common/createcluster.d/recount-setup.conf
  if [[ " $* " != *" postgresql-15 "* || -e /etc/postgresql-common/createcluster.conf ]]; then
    apt_install "$@"
    return 0
  fi
  as_root mkdir -p "${conf%/*}"
  echo 'create_main_cluster = false' | as_root tee "$conf" >/dev/null
  local status=0
  apt_install "$@" || status=$?
  as_root rm -f "$conf"
  return "$status"
}

# setup [groups]: all groups unless some are named. Silent and quick when nothing is missing.
setup() {
  (($#)) || set -- build test services lint
  if ! command -v dpkg-query >/dev/null; then
    say "setup knows Debian's packages only; on this system their like must be there already"
    return 0
  fi
  local group wanted=() package missing=() format='${db:Status-Status} ${Package}\n'
  for group in "$@"; do
    # shellcheck disable=SC2207
    wanted+=($(packages_of "$group"))
  done
  local installed
  installed=$(dpkg-query -W -f="$format" "${wanted[@]}" 2>/dev/null) || true
  for package in "${wanted[@]}"; do
    [[ $'\n'$installed$'\n' == *$'\ninstalled '"$package"$'\n'* ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  say "setup: installing ${missing[*]}"
  if apt-get install -s "${missing[@]}" >/dev/null 2>&1 && without_own_cluster "${missing[@]}"; then
    return 0
  fi
  say "setup: fetching newer lists of packages"
  apt_update || die "apt-get update failed; is the network there?"
  without_own_cluster "${missing[@]}" ||
    die "these packages could not be installed: ${missing[*]}"
}
