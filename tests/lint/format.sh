#!/bin/bash
# SPDX-License-Identifier: MIT
# format.sh - the C files are as clang-format 14 and .clang-format would write them.
# Other versions differ in details, so without version 14 the test is skipped (77).
set -u
cd "$(dirname "$0")/../.." || exit 1

tool=
for candidate in clang-format-14 clang-format; do
    if "$candidate" --version 2>/dev/null | grep -q 'version 14\.'; then
        tool=$candidate
        break
    fi
done
if [ -z "$tool" ]; then
    echo "skipped: clang-format 14 is not installed, the format was not checked"
    exit 77
fi
# Many files for each run of the tool, whose start costs more than a file.
bad=$(find . \( -name build -o -name .git -o -name .cache \) -prune -o -name '*.[ch]' -print0 |
    sort -z | xargs -0 -n 50 -P 2 "$tool" --dry-run --Werror 2>&1 |
    sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort -u)
[ -n "$bad" ] || exit 0
while IFS= read -r file; do
    echo "$file: not as clang-format would write it ($tool -i $file)"
done <<<"$bad"
exit 1
