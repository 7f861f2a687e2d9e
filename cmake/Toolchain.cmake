# Language level, linker, compiler cache and sanitizers. Everything but the language level is left
# alone when recount is a part of somebody else's build.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Kind of build" FORCE)
endif()

# Paths are cached relative to the source folder, so that clones and worktrees share compilations.
find_program(RECOUNT_CCACHE ccache)
mark_as_advanced(RECOUNT_CCACHE)
if(RECOUNT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros  # it wants them for precompiled headers
        ${RECOUNT_CCACHE})
endif()

include(CheckLinkerFlag)
foreach(linker IN ITEMS mold lld)
    check_linker_flag(CXX "-fuse-ld=${linker}" RECOUNT_HAS_${linker})
    if(RECOUNT_HAS_${linker})
        add_link_options(-fuse-ld=${linker})
        break()
    endif()
endforeach()

if(RECOUNT_SANITIZE)
    add_compile_options(-fsanitize=${RECOUNT_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${RECOUNT_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # The code that sanitizers add draws false warnings of these kinds from g++ 12; the preset
        # release, which optimises more, keeps them.
        add_compile_options(-Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow)
    endif()
endif()

# For the folder that calls it. Three checks of UBSan guard every single access of a pointer and
# take a quarter of the time that a file takes to compile. The modules and the small samples, which
# instantiate their headers, have them; elsewhere AddressSanitizer finds null pointers that are used
# and what lies outside of its object.
macro(recount_sanitize_lightly)
    if(RECOUNT_SANITIZE MATCHES undefined AND RECOUNT_SANITIZE MATCHES address)
        add_compile_options(-fno-sanitize=null,alignment,object-size)
    endif()
endmacro()
