#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fresh.sh - runs one command on a brand-new minimal Debian, and says how it went.
#
#   fresh.sh [options] SUITE SRC CMD
#     SUITE   bookworm | trixie
#     SRC     a source tree (of a git work tree: its HEAD); '-' for none
#     CMD     one bash command line, run in a copy of SRC without a terminal and with a
#             clean environment; its exit status is this script's
#   options
#     --as root|user|sudo   who runs CMD (default root). user: an ordinary account.
#                           sudo: the same account with password-less sudo
#     --worktree            copy SRC as it stands, uncommitted changes included
#     --pkgs 'A B'          on a tree that has these packages already (made once, cached)
#     --pre CMD             run as root first, not timed
#     --out DIR             binds the host's DIR at /out, for what CMD should hand back
#     --limit SECONDS       give up after that long (default 1800)
#     --no-net              CMD sees a loopback interface only
#     --rebuild             throw the cached trees of SUITE away first
#
# Needs root (exit 77), debootstrap and a Debian host, whose mirror it uses (exit 69).
# Cached in ${REMUDA_FRESH:-/var/tmp/remuda-fresh}: a tree takes a minute to make and a
# second to use, as the lower half of an overlay. CMD runs in mount, PID, UTS and IPC
# namespaces of its own, so whatever it leaves running ends with it.
set -euo pipefail

as=root pre='' worktree='' pkgs='' out='' rebuild='' limit=1800 net=''
base=${REMUDA_FRESH:-/var/tmp/remuda-fresh}
apt_install='DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends'

say() { echo "fresh: $*" >&2; }
die() { local status=$1; shift; say "$*"; exit "$status"; }
usage() { sed -n '4,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; }

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        --as) as=${2-}; shift 2 ;;
        --worktree) worktree=1; shift ;;
        --pkgs) pkgs=${2-}; shift 2 ;;
        --pre) pre=${2-}; shift 2 ;;
        --out) out=${2-}; shift 2 ;;
        --limit) limit=${2-}; shift 2 ;;
        --no-net) net=--net; shift ;;
        --rebuild) rebuild=1; shift ;;
        -h | --help) usage; exit 0 ;;
        -*) die 64 "unknown option $1 (--help)" ;;
        *) break ;;
        esac
    done
    [ $# -eq 3 ] || die 64 'usage: fresh.sh [options] SUITE SRC CMD (--help)'
    suite=$1 src=$2 cmd=$3
    case $suite in bookworm | trixie) ;; *) die 64 "suite $suite: bookworm or trixie" ;; esac
    case $as in root | user | sudo) ;; *) die 64 "--as $as: root, user or sudo" ;; esac
}

# The mirror that this host itself uses for Debian: found at run time, never stored.
find_mirror() {
    # shellcheck disable=SC2016 # apt-get substitutes these
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 2>/dev/null |
        awk '$2 == "Debian" && $1 !~ /security/ { print $1; exit }')
    mirror=${mirror%/}
    [ -n "$mirror" ] || die 69 'no Debian mirror known to apt (apt-get update first?)'
}

# Name resolution, apt's transport settings: the host's, in the running tree only.
lend_network() {
    local root=$1
    {
        echo "deb $mirror $suite main"
        echo "deb $mirror $suite-updates main"
        echo "deb ${mirror%/debian}/debian-security $suite-security main"
    } >"$root/etc/apt/sources.list"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries)' \
        >"$root/etc/apt/apt.conf.d/98host" || true
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
}

make_base() {
    [ ! -d "$base/$suite" ] || return 0
    local new=$base/$suite.new.$$
    command -v debootstrap >/dev/null || die 69 'missing packages: debootstrap'
    say "making the $suite tree (about a minute, once)"
    debootstrap --variant=minbase "$suite" "$new" "$mirror" >"$base/$suite.log" 2>&1 || {
        tail -20 "$base/$suite.log" >&2
        rm -rf --one-file-system "$new"
        die 70 'debootstrap failed'
    }
    rm -f "$new/etc/apt/sources.list" "$new/etc/resolv.conf" "$new"/var/cache/apt/archives/*.deb
    rm -rf "$new"/var/lib/apt/lists/*
    chmod 755 "$new"
    mv "$new" "$base/$suite"
}

# A tree with packages, named by their list; a copy of the base, so that one overlay is enough.
make_with_packages() {
    lower=$base/$suite
    [ -n "$pkgs" ] || return 0
    lower=$base/$suite-$(tr ' ' '\n' <<<"$pkgs" | sort | cksum | cut -d' ' -f1)
    [ ! -d "$lower" ] || return 0
    root=$lower.new.$$
    say "adding packages to the $suite tree (some minutes, once)"
    cp -a "$base/$suite" "$root"
    lend_network "$root"
    enter root '' 1200 "apt-get update -qq && $apt_install $pkgs >/dev/null && apt-get clean &&
        rm -rf /var/lib/apt/lists/*" || {
        rm -rf --one-file-system "$root"
        die 70 'apt-get failed'
    }
    mv "$root" "$lower"
}

copy_source() {
    local into=$1
    mkdir -p "$into"
    [ "$src" != - ] || return 0
    local git=(git -c 'safe.directory=*' -C "$src")
    if ! "${git[@]}" rev-parse --git-dir >/dev/null 2>&1; then
        tar -C "$src" --exclude=./build -cf - . | tar -C "$into" -xf -
    elif [ -n "$worktree" ]; then
        "${git[@]}" ls-files -coz --exclude-standard |
            tar -C "$src" --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -C "$into" -xf -
    else
        "${git[@]}" archive HEAD | tar -C "$into" -xf -
    fi
}

# enter WHO NET LIMIT LINE - in $root, with /proc, /dev and /sys of its own.
enter() {
    local home=/root id=()
    if [ "$1" != root ]; then home=/home/dev id=(--userspec=dev:dev --groups=dev); fi
    # shellcheck disable=SC2016,SC2086 # the inner bash expands; an empty $2 is no argument
    unshare --mount --pid --fork --kill-child --uts --ipc $2 --propagation private \
        timeout --signal=KILL "$3" bash -c '
        set -e
        root=$1 out=$2 line=$3 home=$4 name=$5; shift 5
        hostname "$name"
        mount -t proc proc "$root/proc"
        mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || true
        mount -t tmpfs -o mode=755 dev "$root/dev"
        for n in null zero full random urandom tty; do
            : >"$root/dev/$n"; mount --bind "/dev/$n" "$root/dev/$n"
        done
        ln -s /proc/self/fd "$root/dev/fd"
        for n in 0:stdin 1:stdout 2:stderr; do
            ln -s "/proc/self/fd/${n%:*}" "$root/dev/${n#*:}"
        done
        mkdir "$root/dev/pts" "$root/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
        ln -s pts/ptmx "$root/dev/ptmx"
        mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
        mount -t tmpfs -o mode=755 run "$root/run"
        mkdir -m 1777 "$root/run/lock"
        [ -z "$out" ] || mount --bind "$out" "$root/out"
        ip link set lo up 2>/dev/null || true
        chroot=$(command -v chroot)
        cd "$root"
        exec env -i HOME="$home" USER="${home##*/}" LOGNAME="${home##*/}" LANG=C.UTF-8 TERM=dumb \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            "$chroot" "$@" . /bin/bash -c "cd $home/src 2>/dev/null || cd /; eval \"\$1\"" \
            - "$line" </dev/null
        ' - "$root" "$out" "$4" "$home" "fresh-$suite" "${id[@]}"
}

main() {
    local all=("$@") top home=/root status=0 start
    parse "$@"
    [ "$(id -u)" = 0 ] || die 77 'needs root'
    # In a mount namespace of our own the overlay goes with it, however this ends.
    [ -n "${FRESH_NAMESPACE:-}" ] ||
        FRESH_NAMESPACE=1 exec unshare --mount --propagation private "$0" "${all[@]}"
    find_mirror
    mkdir -p "$base"
    exec 9>"$base/$suite.lock"
    flock 9
    [ -z "$rebuild" ] || rm -rf --one-file-system "${base:?}/$suite" "${base:?}/$suite"-*
    make_base
    [ -z "$out" ] || { mkdir -p "$out"; out=$(realpath "$out"); }
    local kept_out=$out
    out=''
    make_with_packages
    exec 9>&-

    top=$(mktemp -d "$base/run.$suite.XXXXXX")
    # shellcheck disable=SC2064 # the value of now
    trap "umount -l '$top/root' 2>/dev/null || true; rm -rf --one-file-system '$top'" EXIT
    root=$top/root
    mkdir "$top"/{up,work,root}
    chmod 755 "$top" "$top/up"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$top/up,workdir=$top/work" "$root"
    lend_network "$root"
    printf '127.0.1.1 fresh-%s\n' "$suite" >>"$root/etc/hosts"
    if [ "$as" != root ]; then
        home=/home/dev
        chroot "$root" useradd -m -s /bin/bash dev
    fi
    if [ "$as" = sudo ]; then
        enter root '' 600 "apt-get update -qq && $apt_install sudo >/dev/null" || die 70 'no sudo'
        echo 'dev ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/dev"
    fi
    copy_source "$root$home/src"
    chroot "$root" chown -R "$([ "$as" = root ] && echo 0:0 || echo dev:dev)" "$home/src"
    [ -z "$pre" ] || enter root '' 1200 "$pre" >&2 || die 71 '--pre failed'
    # a fresh machine has no lists: who forgets apt-get update must fail as a reader would
    rm -rf "$root"/var/lib/apt/lists/*
    out=$kept_out
    [ -z "$out" ] || mkdir -p "$root/out"

    start=$SECONDS
    if [ "$as" = root ]; then enter root "$net" "$limit" "$cmd" || status=$?
    else enter dev "$net" "$limit" "$cmd" || status=$?; fi
    say "suite=$suite as=$as status=$status seconds=$((SECONDS - start))"
    exit "$status"
}

main "$@"
