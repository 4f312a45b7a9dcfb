#!/usr/bin/env bash
# PostgreSQL 17 with pgvector, of Debian 13, on another Debian: in a chroot that is made once a machine. For root.
#   server.sh check      says on stderr what is missing
#   server.sh prepare    makes the chroot (520 MB; 90 s)
#   server.sh run PORT   runs a server with new data on 127.0.0.1 and says "ready"; when stdin ends, it ends.
#                        Its new databases have the extension vector, and so has the one `photos`; `postgres` has not.
set -euo pipefail

root=/var/cache/vit-msn/debian-13-postgresql-17
programs=/usr/lib/postgresql/17/bin

check() {
  if [ "$(id -u)" != 0 ]; then
    echo "only root can start it; set POSTGRES_URL for another server" >&2 && exit 1
  fi
  local program
  for program in unshare flock chroot $([ -d "$root" ] || echo apt-get mmdebstrap); do
    if ! command -v "$program" >/dev/null; then
      echo "$program is not installed; install it, or set POSTGRES_URL for another server" >&2 && exit 1
    fi
  done
}

# Two may call it at once: the second one waits.
prepare() {
  mkdir -p "$(dirname "$root")"
  exec 9>"$root.lock"
  flock 9
  if [ ! -d "$root" ]; then
    rm -rf "$root.unfinished"
    local mirror
    # shellcheck disable=SC2016 # apt-get's own variable
    mirror=$(apt-get indextargets --format '$(SITE)' | sort -u | sed -n '/\/debian\/*$/{p;q}')
    mmdebstrap --quiet --variant=minbase --include=postgresql-17,postgresql-17-pgvector \
      trixie "$root.unfinished" "${mirror:?the sources of apt name no mirror of Debian}" 9>&-
    mv "$root.unfinished" "$root"
  fi
  exec 9>&-
}

# Its mounts and processes are those of a namespace, and gone with its first process, however that ends.
inside() {
  local port=$1
  # Not local: the trap reads it.
  data=$(mktemp -d)
  trap 'rm -rf "$data"' EXIT
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount --bind "$data" "$root/mnt"
  chroot "$root" chown postgres: /mnt
  postgres() { chroot --userspec=postgres:postgres "$root" "$programs/$@"; }
  # As most servers have it, text is sorted by a language's rules.
  postgres initdb --pgdata /mnt/data --auth trust --username postgres --encoding UTF8 \
    --locale C.UTF-8 --locale-provider icu --icu-locale en >/dev/null
  postgres pg_ctl --pgdata /mnt/data --log /mnt/log --silent --wait start \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=/mnt -c max_connections=200" ||
    { cat "$data/log" >&2 && exit 1; }
  postgres psql --quiet --host /mnt --port "$port" --command 'create extension vector' \
    --command 'create database photos' template1
  echo ready
  cat >/dev/null
  postgres pg_ctl --pgdata /mnt/data --silent --mode fast stop
}

# Ctrl-C reaches all processes of a terminal; this one must outlive the one that it serves.
trap '' INT
case ${1:-} in
check) check ;;
prepare) check && prepare ;;
run)
  prepare >&2
  exec unshare --mount --pid --fork --kill-child bash "$0" inside "$2"
  ;;
inside) inside "$2" ;;
*)
  echo "usage: server.sh check | prepare | run PORT" >&2
  exit 2
  ;;
esac
