# Sourced by tests/run, tests/bench and tests/sdk, from the root of the project: installs what they need beyond Rust.

has_postgres() {
  [[ -n ${PATRON_TEST_POSTGRES_BIN:-} ]] || command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# Installs PostgreSQL's server binaries, Varnish, a C compiler, curl and Python if they are missing, or says what to install
# and exits, before anything is built. Every Debian has the other programs that tests run.
# Arguments: commands that are needed too and come with Debian's package `postgresql`.
install_needs() {
  local packages=() command
  # The tests start servers of their own: the one that Debian's package makes stays untouched, running or not.
  has_postgres || packages+=(postgresql)
  for command in "$@"; do
    command -v "$command" >/dev/null || [[ " ${packages[*]} " == *" postgresql "* ]] || packages+=(postgresql)
  done
  # Some tests start it between Patron and PostgreSQL.
  [[ -n ${PATRON_TEST_PGBOUNCER:-} || -x /usr/sbin/pgbouncer ]] || command -v pgbouncer >/dev/null || packages+=(pgbouncer)
  # Compiles the SQLite that the program carries.
  command -v cc >/dev/null || packages+=(gcc libc6-dev)
  # Runs the commands of README.md and docs/.
  command -v curl >/dev/null || packages+=(curl)
  # A cache in front of the server, in one test.
  command -v varnishd >/dev/null || [[ -x /usr/sbin/varnishd ]] || packages+=(varnish)
  # Runs the Python of docs/webhooks.md and docs/onboarding.md; Debian's python3-minimal has too little for that.
  python3 -c 'import hmac, http.server' 2>/dev/null || packages+=(python3)
  # PostgreSQL refuses to run as root.
  ((EUID != 0)) || command -v setpriv >/dev/null || packages+=(util-linux)
  install_packages "${packages[@]}"
}

# Installs Debian packages, none without arguments, or says what to install and exits.
install_packages() {
  local packages=("$@") as_root=()
  ((${#packages[@]})) || return 0

  ((EUID == 0)) || as_root=(sudo -n)
  if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "This needs: ${packages[*]}. Install them, on Debian or Ubuntu with" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${packages[*]}" >&2
    exit 1
  fi
  echo "Installing ${packages[*]}" >&2
  # A new machine may still be busy with updates of its own.
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "${packages[@]}" </dev/null
}
