# Run by ctest: builds the project beside this file against recount, and runs it.
#   MODE=package        against what `cmake --install` puts into an empty prefix
#   MODE=subdirectory   with recount's sources added to the project
# SOURCE, BUILD: recount's; WORK: an own folder; FLAGS: sanitizers of the installed library.

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "failed with ${status}: ${command}")
    endif()
endfunction()

file(REMOVE_RECURSE "${WORK}/prefix" "${WORK}/data")
file(MAKE_DIRECTORY "${WORK}/data")
set(options "-DCMAKE_BUILD_TYPE=Debug" "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g0"
            "-DCMAKE_CXX_COMPILER=${COMPILER}")
if(CCACHE)
    set(ENV{CMAKE_CXX_COMPILER_LAUNCHER} "${CCACHE}")
    set(ENV{CCACHE_BASEDIR} "${SOURCE}")
    set(ENV{CCACHE_NOHASHDIR} 1)
endif()
if(MODE STREQUAL "package")
    run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/prefix")
    list(APPEND options "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_FLAGS=${FLAGS}")
else()
    list(APPEND options "-DRECOUNT_SOURCE=${SOURCE}")
endif()
run(${CMAKE_COMMAND} -G Ninja -S "${CMAKE_CURRENT_LIST_DIR}/project" -B "${WORK}/build" ${options})
run(${CMAKE_COMMAND} --build "${WORK}/build" --target all_programs)
run("${WORK}/build/parcels" "sqlite:${WORK}/data/parcels.db")
if(MODE STREQUAL "package")
    run("${WORK}/build/everything")
    run("${WORK}/prefix/bin/recount" store verify-chain --store "sqlite:${WORK}/data/parcels.db")
endif()
