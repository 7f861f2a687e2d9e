# What most files include from elsewhere is parsed once for many targets, which takes a third off a
# build. Files include what they use all the same: the presets release and clang, and builds that
# recount is a part of, parse every header anew.

option(RECOUNT_PRECOMPILE "Parse the headers of others beforehand, once for many targets" OFF)

# recount_keep_precompiled(<name> [HEADERS <header>…] [LINK <target>…])
#
# For the folder that calls it and those below, until another call: targets share headers only when
# they are compiled with the same flags. HEADERS besides those below; LINK brings them.
macro(recount_keep_precompiled name)
    cmake_parse_arguments(_keep "" "" "HEADERS;LINK" ${ARGN})
    if(RECOUNT_PRECOMPILE)
        set(RECOUNT_PRECOMPILED_BY ${name})
        file(CONFIGURE OUTPUT ${name}.cpp CONTENT "// Nothing: CMake asks for a source.\n")
        add_library(${name} OBJECT "${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp")
        target_link_libraries(${name} PRIVATE protobuf::libprotobuf Threads::Threads ${_keep_LINK})
        recount_set_warnings(${name})  # -Wpedantic changes what is predefined
        target_precompile_headers(${name} PRIVATE
            <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map> <memory> <mutex>
            <optional> <set> <span> <stdexcept> <stop_token> <string> <string_view> <thread>
            <unordered_map> <utility> <variant> <vector> <google/protobuf/message.h>
            ${_keep_HEADERS})
    endif()
endmacro()

function(recount_precompile target)
    if(NOT RECOUNT_PRECOMPILED_BY)
        return()
    endif()
    target_precompile_headers(${target} REUSE_FROM ${RECOUNT_PRECOMPILED_BY})
    get_target_property(kind ${target} TYPE)
    if(kind STREQUAL "EXECUTABLE")
        target_compile_options(${target} PRIVATE -fPIC)  # as the libraries that it shares them with
    endif()
endfunction()
