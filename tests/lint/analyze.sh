#!/bin/bash
# SPDX-License-Identifier: MIT
#
# analyze.sh [TOOL...] - the static analysers over what is shipped: cppcheck, clang-tidy, gcc.
# Needs build/release (compile_commands.json). Ends with: N passed, N failed, N skipped, a tool
# that is not installed being skipped. What each of them may not say stands with its reason in
# .clang-tidy, in cppcheck.suppress and in the code.
set -u
cd "$(dirname "$0")/../.." || exit 1
readonly FOLDERS='common conf http worker master cli plugins'
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0 skipped=0

cppcheck_all() {
    # shellcheck disable=SC2086 # a list of words
    cppcheck --enable=warning,portability --inline-suppr --std=c11 --quiet --error-exitcode=1 \
        -j "$(nproc)" --library=posix,gnu -D_GNU_SOURCE -I. -Iinclude \
        --suppressions-list="$out/suppress" $FOLDERS
}

# one file each: clang-tidy 14 confuses the va_lists of several
tidy_all() {
    # shellcheck disable=SC2086 # a list of words
    find $FOLDERS -name '*.c' -print0 | sort -z |
        xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/release --quiet 2>/dev/null
}

# Leaks: it does not see that a list holds what is linked into it by a member. All is built
# anew, or what was built before would say nothing.
gcc_all() {
    cmake -S . -B build/analyze -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=gcc \
        -DREMUDA_TESTS=OFF -DREMUDA_WERROR=OFF \
        -DCMAKE_C_FLAGS='-fanalyzer -Wno-analyzer-malloc-leak' || return 1
    cmake --build build/analyze --clean-first --parallel "$(nproc)" >"$out/gcc" 2>&1
    local status=$?
    grep -q 'warning:' "$out/gcc" && status=1
    [ "$status" = 0 ] || cat "$out/gcc"
    return "$status"
}

# analyze TOOL FUNCTION
analyze() {
    local start=$SECONDS
    if ! command -v "$1" >/dev/null; then
        echo "analyze: $1 is not installed"
        skipped=$((skipped + 1))
    elif "$2" >"$out/said" 2>&1; then
        echo "analyze: $1: clean ($((SECONDS - start)) s)"
        passed=$((passed + 1))
    else
        cat "$out/said"
        echo "analyze: $1: findings ($((SECONDS - start)) s)"
        failed=$((failed + 1))
    fi
}

grep -v '^#' tests/lint/cppcheck.suppress | grep . >"$out/suppress"
for tool in "${@:-cppcheck clang-tidy gcc}"; do
    for name in $tool; do
        case $name in
        cppcheck) analyze cppcheck cppcheck_all ;;
        clang-tidy) analyze clang-tidy tidy_all ;;
        gcc) analyze gcc gcc_all ;;
        *) echo "analyze: no tool $name: cppcheck, clang-tidy, gcc" >&2 && exit 64 ;;
        esac
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
