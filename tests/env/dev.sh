#!/bin/bash
# SPDX-License-Identifier: MIT
#
# dev.sh - ./dev: its verbs and their help, its exit statuses, and that it counts right.
set -u
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# check WHAT CONDITION... - the condition is a command
check() {
    local what=$1
    shift
    "$@" || { echo "FAILED: $what"; failed=1; }
}

# gives STATUS TEXT CMD... - CMD ends so and says so
gives() {
    local status=$1 text=$2 got=0
    shift 2
    "$@" >"$tmp/out" 2>&1 </dev/null || got=$?
    check "$*: status $got, not $status" [ "$got" = "$status" ]
    grep -qF -- "$text" "$tmp/out" || {
        echo "FAILED: $*: says nothing like '$text':"
        cat "$tmp/out"
        failed=1
    }
}

gives 0 'run [ARGS]' ./dev
gives 0 'run [ARGS]' ./dev --help
gives 64 "no verb 'walk'" ./dev walk
for verb in run test mutants matrix chaos fuzz coverage soak fresh lint analyze clean uninstall; do
    gives 0 "./dev $verb" ./dev "$verb" --help
    check "./dev does not list $verb" grep -q "^  $verb" <(./dev)
done
gives 64 'unknown option --loud' ./dev test --loud
gives 64 'one NAME at most' ./dev test a b
gives 64 'release, debug or tsan' ./dev test --preset best
gives 64 'buster is none of' ./dev matrix buster
gives 64 'usage:' ./dev fresh bookworm
gives 64 'takes no arguments' ./dev clean everything
gives 64 'no mutant is called nobody' ./dev mutants nobody

# A machine without packages, where nothing may be installed: names them, and 69.
mkdir "$tmp/bin"
printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/dpkg-query"
chmod 755 "$tmp/bin/dpkg-query"
for verb in run test mutants; do
    gives 69 'missing packages: gcc ' env REMUDA_NO_SETUP=1 PATH="$tmp/bin:$PATH" ./dev "$verb"
    check "$verb: names llhttp" grep -qE 'node-llhttp|libllhttp-dev' "$tmp/out"
done

# What counts as passed, failed and skipped in ctest's own words.
cat >"$tmp/junit.xml" <<'END'
<testsuite name="x" tests="6" failures="1" disabled="1" skipped="2">
    <testcase name="a" classname="a" time="1" status="run">
        <system-out>SKIPPED [1] test_a.py:3: no y &lt;here&gt;
    </testcase>
    <testcase name="b" classname="b" time="1" status="fail">
        <failure message=""/>
    </testcase>
    <testcase name="gone" classname="gone" time="0" status="notrun">
        <skipped message="Unable to find executable"/>
    </testcase>
    <testcase name="c" classname="c" time="0" status="notrun">
        <skipped message="SKIP_RETURN_CODE=77"/>
        <system-out>skipped: not on this machine
    </testcase>
    <testcase name="d" classname="d" time="0" status="notrun">
        <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
    </testcase>
    <testcase name="e" classname="e" time="0" status="disabled">
    </testcase>
</testsuite>
END
# shellcheck source=/dev/null
source ./dev
check 'counts' [ "$(count_results "$tmp/junit.xml" "$tmp/junit.xml")" = '2 6 4' ]
check 'counts nothing as nothing' [ "$(count_results)" = '0 0 0' ]
skip_reasons "$tmp/junit.xml" >"$tmp/out"
check 'reason of a whole test' grep -qxF '  c: not on this machine' "$tmp/out"
check 'reason of a part' grep -qxF '  a: [1] test_a.py:3: no y <here>' "$tmp/out"

[ "$failed" = 0 ] && echo 'dev: ok'
exit "$failed"
