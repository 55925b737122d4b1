# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# help.sh - what ./dev says about itself: the list of its verbs, and help_VERB for each.
# Read by ./dev.

verbs() {
    cat <<'END'
./dev VERB ...       builds, runs and tests remuda; installs what it needs first

  run [ARGS]         build, and serve the shipped config on 127.0.0.1:8000
  test [NAME]        build with and without sanitizers, run the tests (or those like NAME)
  mutants [NAME...]  break one mechanism at a time: does a test notice?
  matrix [WORD...]   the tests on {bookworm,trixie} x {gcc,clang} x {debug,tsan,fuzz,...}
  chaos [NAME...]    faults under load, in their long form: nothing may be lost
  fuzz [TARGET...]   the fuzz targets, seconds each or as long as you say
  coverage [FOLDER]  which lines of http/, or of another folder, its tests reach
  soak               a reload every 10 seconds for half an hour: nothing may grow
  fresh SUITE CMD    run CMD on a minimal bookworm or trixie
  lint               the house style, without building
  analyze            cppcheck, clang-tidy and gcc's analyser, which must find nothing
  clean              remove what was built
  uninstall          remove what cmake --install has put in place

./dev VERB --help tells more. With REMUDA_NO_SETUP=1 nothing is ever installed.
END
}

help_run() {
    cat <<'END'
./dev run [ARGS]
Builds the release preset into build/release and serves conf/remuda.ini in the foreground;
Ctrl-C stops it. ARGS go to remuda, for example: ./dev run -D server.workers=2
END
}

help_test() {
    cat <<'END'
./dev test [--preset P]... [NAME]
Builds the presets release and debug (ASan+UBSan) with warnings as errors, runs ctest in
each, and ends with one line: N passed, N failed, N skipped.
  NAME         only the tests whose name matches this regular expression
  --preset P   only this preset: release, debug or tsan
CC chooses the compiler of a preset that was not built before.
END
}

help_mutants() {
    cat <<'END'
./dev mutants [NAME...]
Breaks one mechanism at a time in a copy of the tree (build/mutants), builds it, and runs the
test that must go red (tests/mutants). Ends with: N mutants: N caught, N survived.
  --resume      leave out those caught since the last call that began anew
  --shard I/N   only the I-th of N parts
  --list        what each breaks, and its test
  --check       only whether each still fits the tree
END
}

help_matrix() {
    cat <<'END'
./dev matrix [WORD...]
Runs the tests, which cover both worker classes, on minimal trees of bookworm and trixie, with
gcc and clang, under debug (ASan+UBSan) and tsan: eight runs; the fuzz targets, 10 s each, with
clang; and analyze on bookworm. WORDs choose among them: ./dev matrix trixie clang. The trees
are kept in /var/tmp. Needs root, debootstrap.
END
}

help_chaos() {
    cat <<'END'
./dev chaos [OPTIONS] [NAME...]
Runs the scenarios of tests/chaos (--list names them), a minute each, against the release
build, with a client that never retries. What fails says how to run it again.
  --short          seconds each, as in ./dev test
  --class C        event or thread alone
  --seed N         the same requests and choices again
END
}

help_fuzz() {
    cat <<'END'
./dev fuzz [--seconds N] [--keep] [TARGET...]
Builds the preset fuzz (clang) and runs each libFuzzer target of tests/fuzz for 20 s, or N,
from its seeds and what earlier runs have found (build/fuzz/corpus). What ends one stays in
tests/fuzz/crashes, and ctest replays it. Ends with: N passed, N failed, N skipped.
  --keep           the smallest set of inputs with the same coverage becomes the seeds
  --list           the names of the targets
END
}

help_coverage() {
    cat <<'END'
./dev coverage [--tests REGEX] [--missed] [FOLDER...]
Builds the preset coverage (gcc), runs the tests of http/, or those that match REGEX, and
tells how many lines of each file in FOLDER (http) they reach. Fails where http/ has less than
95 %.
  --missed         names the lines that none reaches
END
}

help_soak() {
    cat <<'END'
./dev soak [--minutes N] [--class C] [--rate R]
A reload every 10 seconds under load, for 30 minutes in each worker class: no request may
fail, and the master may not grow.
END
}

help_fresh() {
    cat <<'END'
./dev fresh [OPTIONS] SUITE CMD
Runs CMD in a copy of this tree on a minimal Debian: SUITE is bookworm or trixie.
OPTIONS are those of tests/env/fresh.sh, such as --as user, --as sudo or --no-net.
END
}

help_lint() {
    cat <<'END'
./dev lint
Checks the sources against the house style (tests/lint). Needs python3 only; clang-format
14 and shellcheck are used where they are installed.
END
}

help_analyze() {
    cat <<'END'
./dev analyze [TOOL...]
Runs cppcheck, clang-tidy and gcc -fanalyzer over what is shipped; some minutes. Ends with: N
passed, N failed, N skipped. What they may not say stands with its reason in .clang-tidy,
tests/lint/cppcheck.suppress and in the code.
END
}

help_clean() {
    cat <<'END'
./dev clean
Removes build/. Installed packages stay.
END
}

help_uninstall() {
    cat <<'END'
./dev uninstall
Removes the files that `cmake --install build/release` has put in place.
END
}
