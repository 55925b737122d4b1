#!/bin/bash
# SPDX-License-Identifier: MIT
#
# install.sh - what `cmake --install` puts in place works there, and `uninstall` leaves
# nothing behind. All below a temporary DESTDIR.
set -u
build=${REMUDA_BUILD:?} cmake=${CMAKE:-cmake}
tmp=$(mktemp -d)
manifest=$build/install_manifest.txt
# a real installation from this build is remembered in the manifest: keep it
[ ! -f "$manifest" ] || cp -p "$manifest" "$tmp/kept"
# shellcheck disable=SC2317 # the trap calls it
finish() {
    rm -f "$manifest"
    [ ! -f "$tmp/kept" ] || cp -p "$tmp/kept" "$manifest"
    rm -rf "$tmp"
}
trap finish EXIT
failed=0
fail() { echo "FAILED: $*"; failed=1; }

export DESTDIR=$tmp/root
"$cmake" --install "$build" --prefix /usr >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
for file in bin/remuda include/remuda.h share/doc/remuda/remuda.ini; do
    [ -f "$DESTDIR/usr/$file" ] || fail "no $file"
done
[ -n "$(find "$DESTDIR" -name hello.so)" ] || fail 'no hello.so'
[ ! -e "$DESTDIR/etc" ] || fail 'something in /etc'
[ -z "$(find "$DESTDIR" -path '*tests*')" ] || fail 'a test was installed'
"$DESTDIR/usr/bin/remuda" --version || fail 'the installed binary does not start'
[ "$failed" = 0 ] || find "$DESTDIR" -type f

"$cmake" --build "$build" --target uninstall >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
left=$(find "$DESTDIR" ! -type d; find "$DESTDIR" -type d -name remuda)
[ -z "$left" ] || fail "left behind: $left"
exit "$failed"
