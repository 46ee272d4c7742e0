# What tools/run, tools/test and .ci/run share: missing packages, a build folder of its own at a time, as many jobs as memory bears.
#
# Sourced by bash; needs $root, the project's folder. Writes to standard error only: standard output belongs to the program.
# shellcheck shell=bash disable=SC2154,SC2086

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# The packages of these kinds (see tools/packages) that are not installed.
missing_packages() {
  local kinds=$1 wanted
  wanted=$(sed -nE "s/^($kinds): *//p" "$root/tools/packages")
  # A package never heard of is missing too, so: all that are wanted, less all that are installed.
  comm -23 <(printf '%s\n' $wanted | sort -u) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# Installs what is missing of these kinds, e.g. install_packages 'build|test'. Elsewhere than on Debian cmake tells what it lacks.
install_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
  local missing
  missing=$(missing_packages "$1")
  [[ -n $missing ]] || return 0
  missing=${missing//$'\n'/ }

  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || fail "these packages are missing; as root: apt-get install $missing"
    as_root=(sudo)
    [[ -t 0 ]] || sudo -n true 2>/dev/null || fail "these packages are missing; as root: apt-get install $missing"
  fi
  # On somebody's own machine nothing is removed to make room (another Boost, say); a machine of CI is there for it.
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  local install=("${apt[@]}" install -y --no-install-recommends)
  [[ ${CI:-} == true ]] || install+=(--no-remove)

  echo "installing: $missing" >&2
  local log
  log=$(mktemp)
  if ! { "${apt[@]}" update && "${install[@]}" $missing; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    fail "could not install: $missing"
  fi
  rm -f "$log"
}

# Compilers take up to two GiB each with sanitizers or link-time optimisation: as many jobs as processors, but no more than memory bears.
jobs_for_build() {
  local processors gib
  processors=$(nproc)
  gib=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo 2>/dev/null)
  local limit
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1073741824 < ${gib:-8})); then gib=$((limit / 1073741824)); fi
  local bearable=$((${gib:-8} / 2))
  ((bearable >= 1)) || bearable=1
  echo $((processors < bearable ? processors : bearable))
}

# Runs a command without input and says nothing unless it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# Configures a preset if it is not yet; more arguments are cmake's.
configure() {
  local preset=$1
  shift
  if [[ ! -f $root/build/$preset/build.ninja || $# -gt 0 ]]; then
    (cd "$root" && cmake --preset "$preset" "$@")
  fi
}

# One build at a time in a folder: holds its lock until the script ends, or until unlock_build.
lock_build() {
  mkdir -p "$root/build"
  exec {build_lock}>"$root/build/$1.lock"
  flock "$build_lock"
}

unlock_build() {
  exec {build_lock}>&-
}
