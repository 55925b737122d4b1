# SPDX-License-Identifier: MIT
#
# Remuda - the words the folders' CMakeLists.txt are written in.
#
#   remuda_layer(conf SOURCES a.c b.c LIBS common inih)    static library remuda_conf
#   remuda_executable(remuda master/main.c)                a program of all layers
#   remuda_plugin(hello SOURCES hello.c [LIBS ...])        hello.so; not installed from tests/
#   remuda_unit(test_buf [SOURCES ...] LIBS common)        unit.test_buf, from tests/unit/test_buf.c
#   remuda_pytest(hello test_hello.py [CLASS event|thread] [TIMEOUT s] [RUN_SERIAL | SLEEPS])
#   remuda_fuzz(http_target LIBS http [SOURCES ...])       fuzz.http_target, from fuzz_http_target.c
#   remuda_test_env(TEST [VAR=value ...])                  for tests added by hand
#
# LIBS takes names of layers (common), of what they stand on (inih, libev, llhttp), or CMake
# targets (Threads::Threads, ${CMAKE_DL_LIBS}).
set(REMUDA_LAYERS common conf http worker admin cli master)

function(_remuda_targets out)
    set(targets)
    foreach(name ${ARGN})
        if(name IN_LIST REMUDA_LAYERS)
            list(APPEND targets remuda_${name})
        elseif(name MATCHES "^(inih|libev|llhttp|cmocka)$")
            list(APPEND targets ${name}::${name})
        else()
            list(APPEND targets ${name})
        endif()
    endforeach()
    set(${out} ${targets} PARENT_SCOPE)
endfunction()

function(remuda_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    _remuda_targets(libs ${arg_LIBS})
    add_library(remuda_${name} STATIC ${arg_SOURCES})
    target_link_libraries(remuda_${name} PRIVATE remuda_host PUBLIC ${libs})
    add_dependencies(remuda_${name} remuda_version)
endfunction()

# The worker defines epoll_ctl() itself and libev must find that one, so it alone is
# exported. Nothing else is: a plugin gets a table of functions, not symbols.
function(remuda_executable name)
    set(layers)
    foreach(layer ${REMUDA_LAYERS})
        if(TARGET remuda_${layer})
            list(PREPEND layers remuda_${layer})
        endif()
    endforeach()
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE remuda_host ${layers})
    target_link_options(${name} PRIVATE -Wl,--export-dynamic-symbol=epoll_ctl)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    add_dependencies(${name} remuda_version)
endfunction()

# `cmake --build ... --target plugins` builds those that are shipped.
add_custom_target(plugins)

function(remuda_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}
        OUTPUT_VARIABLE folder)
    set(target plugin_${name})
    if(folder MATCHES "^tests")
        set(target test_plugin_${name})
    endif()
    add_library(${target} MODULE ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE remuda_flags ${arg_LIBS})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
    if(folder MATCHES "^tests")
        return()
    endif()
    if(NOT REMUDA_SANITIZE)
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    add_dependencies(plugins ${target})
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/remuda)
endfunction()

function(remuda_unit name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    _remuda_targets(libs ${arg_LIBS})
    list(TRANSFORM arg_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/ REGEX "^[^/]")
    add_executable(${name} ${PROJECT_SOURCE_DIR}/tests/unit/${name}.c ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE remuda_host ${libs} cmocka::cmocka)
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/unit)
    add_dependencies(${name} remuda_version)
    add_test(NAME unit.${name} COMMAND ${name})
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 60 SKIP_RETURN_CODE 77)
    remuda_test_env(unit.${name})
endfunction()

# A file all of whose tests were skipped counts as skipped; one without tests fails (5).
function(remuda_pytest name file)
    cmake_parse_arguments(PARSE_ARGV 2 arg "RUN_SERIAL;SLEEPS" "CLASS;TIMEOUT" "")
    set(test blackbox.${name})
    set(variables)
    if(arg_CLASS)
        string(APPEND test .${arg_CLASS})
        set(variables REMUDA_CLASS=${arg_CLASS})
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_test(NAME ${test} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
        COMMAND ${Python3_EXECUTABLE} -m pytest -q -rs -p no:cacheprovider ${file})
    set_tests_properties(${test} PROPERTIES TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77
        SKIP_REGULAR_EXPRESSION "\n[0-9]+ skipped in ")
    if(arg_RUN_SERIAL)
        set_tests_properties(${test} PROPERTIES RUN_SERIAL ON)
    endif()
    remuda_test_env(${test} ${variables})
    if(arg_SLEEPS) # long, and it hardly needs a CPU: first, in half a place of `ctest --parallel`
        set_tests_properties(${test} PROPERTIES PROCESSORS 1 COST 60)
    endif()
endfunction()

# Two programs from one target: with REMUDA_FUZZ the fuzzer, always one that replays what is kept
# in corpus/<name> and crashes/<name>, which ctest runs under any compiler.
function(remuda_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS;LINK")
    _remuda_targets(libs ${arg_LIBS})
    set(here ${PROJECT_SOURCE_DIR}/tests/fuzz)
    set(targets replay_${name})
    add_executable(replay_${name} ${here}/fuzz_${name}.c ${here}/replay.c ${arg_SOURCES})
    if(REMUDA_FUZZ)
        list(APPEND targets fuzz_${name})
        add_executable(fuzz_${name} ${here}/fuzz_${name}.c ${arg_SOURCES})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        add_dependencies(fuzzers fuzz_${name})
    endif()
    foreach(target ${targets})
        target_link_libraries(${target} PRIVATE remuda_host ${libs})
        target_link_options(${target} PRIVATE ${arg_LINK})
        set_target_properties(${target} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/fuzz)
    endforeach()
    add_test(NAME fuzz.${name}
        COMMAND replay_${name} ${here}/corpus/${name} ${here}/crashes/${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120)
    # exact blocks end without a NUL, and strncasecmp would be taken for a read behind them
    remuda_test_env(fuzz.${name} ASAN_OPTIONS=detect_leaks=1:abort_on_error=1)
endfunction()

function(remuda_test_env test)
    set(supp ${PROJECT_SOURCE_DIR}/tests/env)
    set_tests_properties(${test} PROPERTIES PROCESSORS 2)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT
        REMUDA_BUILD=${PROJECT_BINARY_DIR}
        REMUDA_SOURCE=${PROJECT_SOURCE_DIR}
        REMUDA_SANITIZE=${REMUDA_SANITIZE}
        PYTHONDONTWRITEBYTECODE=1
        ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:strict_string_checks=1
        LSAN_OPTIONS=suppressions=${supp}/lsan.supp:print_suppressions=0
        UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:abort_on_error=1
        TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${supp}/tsan.supp
        ${ARGN})
endfunction()
