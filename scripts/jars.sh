# Part of ./dev: jars from Maven Central, fetched once for all clones.
# shellcheck shell=bash

jars_dir=${RECOUNT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/recount}

# fetch_jars NAME SIZE FOLDER GROUP:ARTIFACT:VERSION…: those and what they need, into the folder.
fetch_jars() {
  local name=$1 size=$2 folder=$3 work attempt coordinates group artifact version
  [[ -d $folder ]] && return 0
  say "fetching $name ($size, once) into $folder"
  mkdir -p "${folder%/*}"
  work=$(mktemp -d "${folder%/*}/fetch.XXXXXX")
  {
    cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>recount</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <dependencies>
POM
    for coordinates in "${@:4}"; do
      IFS=: read -r group artifact version <<<"$coordinates"
      cat <<POM
    <dependency>
      <groupId>$group</groupId>
      <artifactId>$artifact</artifactId>
      <version>$version</version>
    </dependency>
POM
    done
    printf '  </dependencies>\n</project>\n'
  } >"$work/pom.xml"
  for attempt in 1 2 3; do
    if MAVEN_OPTS="-Duser.home=${HOME:-/root}" mvn -B -q --strict-checksums -f "$work/pom.xml" \
      dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/lib" \
      9>&- >"$work/log" 2>&1; then
      mv -T "$work/lib" "$folder" 2>/dev/null || [[ -d $folder ]]
      rm -rf "$work"
      return 0
    fi
    say "attempt $attempt failed: $(grep -m 1 ERROR "$work/log" || true)"
    sleep $((attempt * 3))
  done
  die "$name could not be fetched; see $work/log"
}
