# Part of ./dev: the benchmarks.
# shellcheck shell=bash

# A benchmark is a program build/release/tests/bench/<name>_bench. It finds servers as tests do, and
# lists its workloads with --list. Chosen are names of programs and of workloads; all when none is
# named. With --slow-fsync N each fsync takes N us longer, that of PostgreSQL too.
command_bench() {
  local wanted=() options=() fsync_us=0
  while (($#)); do
    case $1 in
      --slow-fsync)
        fsync_us=${2:-}
        [[ $fsync_us =~ ^[1-9][0-9]*$ ]] || die "--slow-fsync needs microseconds, not '$fsync_us'"
        shift
        ;;
      --rounds | --seconds)
        [[ ${2:-} =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "$1 needs a number, not '${2:-}'"
        options+=("$1" "$2")
        shift
        ;;
      *) wanted+=("$1") ;;
    esac
    shift
  done
  setup build services
  compile release
  local dir=$build_dir/release/tests/bench chosen=() asked=() program name workload found known=()
  for program in "$dir"/*_bench; do
    name=$(basename "$program" _bench)
    found=()
    known+=("$name")
    while read -r workload _; do
      known+=("$workload")
      if [[ " ${wanted[*]} " == *" $workload "* ]]; then found+=("$workload"); fi
    done < <("$program" --list)
    if ((${#wanted[@]} == 0)) || [[ " ${wanted[*]} " == *" $name "* ]]; then
      chosen+=("$program")
      asked+=("")
    elif ((${#found[@]})); then
      chosen+=("$program")
      asked+=("${found[*]}")
    fi
  done
  for name in "${wanted[@]}"; do
    [[ " ${known[*]} " == *" $name "* ]] ||
      die "there is no benchmark or workload '$name'; there are: ${known[*]}"
  done

  trap 'services_stop_own; rm -f "${postgres_preload:-}"' EXIT
  if ((fsync_us)); then bench_slow_fsync "$fsync_us" "$dir/libslow_fsync.so"; fi
  services_start_own
  mkdir -p "$build_dir/bench"
  RECOUNT_BENCH_JSON=$build_dir/bench/$(date -u +%Y%m%d-%H%M%S).jsonl
  RECOUNT_BENCH_COMMIT=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
  export RECOUNT_BENCH_JSON RECOUNT_BENCH_COMMIT
  local status=0 index
  for index in "${!chosen[@]}"; do
    say "== $(basename "${chosen[index]}" _bench)"
    # shellcheck disable=SC2086  # workloads have no blanks
    LD_PRELOAD=${bench_preload:-} "${chosen[index]}" ${asked[index]} "${options[@]}" || status=$?
  done
  say "each result is a line of $RECOUNT_BENCH_JSON"
  return "$status"
}

# PostgreSQL has to be started with it, and its user must be able to read it.
bench_slow_fsync() {
  [[ -z ${RECOUNT_TEST_POSTGRES:-} ]] && ! postgres_is_up ||
    die "--slow-fsync starts a PostgreSQL of its own; end the one that runs: ./dev services down"
  export RECOUNT_FSYNC_US=$1
  postgres_preload=/var/tmp/recount-slow-fsync-$$.so
  bench_preload=$postgres_preload  # whose path has no blanks, at which the list would be split
  install -m 755 "$2" "$postgres_preload"
}
