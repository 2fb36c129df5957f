# Sourced by the scripts beside it: run_main CLASS ARG... runs a program of this module with a JDK 25,
# and builds first what is missing or older than what it is made of.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../pelican"
engine_jar=$home/cli/target/engine.jar
bench_jar=$home/bench/target/benchmarks.jar

# Whether a jar is missing or older than the sources of the modules that it is made of.
is_old() {
  local file=$1
  shift
  [ ! -e "$file" ] || [ -n "$(cd "$home" && find pom.xml "${@/%//pom.xml}" "${@/%//src/main}" -newer "$file" -print -quit)" ]
}

run_main() {
  if is_old "$engine_jar" engine models cli || is_old "$bench_jar" engine models bench; then
    if ! command -v mvn >/dev/null; then
      echo "Error: $bench_jar has to be built, which needs Maven 3.8 or newer: install the package maven." >&2
      exit 1
    fi
    echo "Building $bench_jar and $engine_jar ..." >&2
    # Maven 3 itself uses what newer JDKs warn about.
    (export MAVEN_OPTS="${MAVEN_OPTS:-} --sun-misc-unsafe-memory-access=allow" JAVA_HOME=$jdk
      cd "$home" && mvn -B -ntp -q -pl cli,bench -am package -DskipTests) >&2
    # A jar whose content is the same as before may not have been written again.
    touch "$engine_jar" "$bench_jar"
  fi
  local class=$1
  shift
  exec "$jdk/bin/java" --enable-native-access=ALL-UNNAMED \
    --sun-misc-unsafe-memory-access=allow -Dpelican.engine.jar="$engine_jar" \
    -cp "$bench_jar:$engine_jar" "$class" "$@"
}
