#!/bin/sh
# Owns the PostgreSQL server of a test process: creates it, runs the commands on standard input, and removes it at the end
# of input. The kernel closes that pipe even when the test process is killed. Runs as a user that PostgreSQL accepts.
#
# Argument: the directory of the server binaries. Environment: see postgres.rs.
# Commands: `start PORT`, `stop`, `crash`, `kill PROCESS`, `standby` (from the next start on), `finish`. An answer ends with
# a line that begins with `=`; the lines before it give the reason of a failure. The programs below get no standard input,
# because they would consume the commands.

bin=$1
exec 2>&1
cd /
umask 077
directory=
trap '' PIPE
trap 'exit 1' HUP INT TERM
trap 'cd /; "$bin/pg_ctl" stop -D "$directory/data" -m immediate </dev/null >/dev/null; rm -rf "$directory"' EXIT

# A long path does not fit into a socket's name, and another user's folder may not be accessible.
[ ${#TMPDIR} -le 60 ] || TMPDIR=/tmp
template=patron-postgres.XXXXXX
directory=$(mktemp -d "${TMPDIR:-/tmp}/$template" 2>/dev/null || mktemp -d "/tmp/$template") || exit 1
cd "$directory" || exit 1

initialise() {
  "$bin/initdb" -D data --username="$OWNER" --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C \
    --no-sync "$@" </dev/null >>initdb.log
}
printf '%s\n' "$PASSWORD" >password
# Uses a natural-language collation where the version supports it, so that queries must request byte order.
initialise --locale-provider=icu --icu-locale=en-US || initialise || { cat initdb.log; exit 1; }
printf '%s\n' "$CONFIGURATION" >>data/postgresql.conf
printf '%s\n' "$HOST_BASED_ACCESS" >data/pg_hba.conf
[ -z "$TLS_KEY" ] || { printf '%s\n' "$TLS_CERTIFICATE" >data/server.crt && printf '%s\n' "$TLS_KEY" >data/server.key; }
echo "=made $directory"

while read -r command number; do
  case $command in
    start) "$bin/pg_ctl" start -D data -l server.log -w -t 120 -o "-p $number -k '$directory'" </dev/null >/dev/null ;;
    stop) "$bin/pg_ctl" stop -D data -m fast -w -t 120 </dev/null >/dev/null ;;
    crash) "$bin/pg_ctl" stop -D data -m immediate -w -t 120 </dev/null >/dev/null ;;
    kill) kill -9 "$number" ;;
    standby) : >data/standby.signal ;;
    finish) exit 0 ;;
  esac && echo '=done' || { tail -n 20 server.log; rm -f server.log; echo '=failed'; }
done
