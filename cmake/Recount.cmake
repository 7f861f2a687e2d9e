# The functions with which recount's folders describe themselves.

include_guard(GLOBAL)
include(GNUInstallDirs)
include("${CMAKE_CURRENT_LIST_DIR}/RecountProtobuf.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/PrecompiledHeaders.cmake")

set(RECOUNT_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "")

# Warnings for our own code, never for what it includes from elsewhere.
function(recount_set_warnings target)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion
        -Wno-sign-conversion
        # Designated initialisers may leave out members that have defaults.
        -Wno-missing-field-initializers
        $<$<BOOL:${RECOUNT_WERROR}>:-Werror>)
endfunction()

# What all targets of ours have.
function(recount_prepare target)
    recount_set_warnings(${target})
    recount_precompile(${target})
endfunction()

# recount_add_module(NAME <core|eventstore|…> SOURCES <file>…
#                    [PROTOS <file.proto>…] [SQL <file.sql>…]
#                    [PUBLIC <target>…] [PRIVATE <target>…])
#
# Makes the library recount_<name>, used as recount::<name>, with the folder's include/ as its
# headers, with warnings and install rules. PUBLIC and PRIVATE are the targets it is linked with.
# PROTOS below proto/ are named relative to that folder, so that proto/recount/core/envelope.proto
# is #include "recount/core/envelope.pb.h". SQL: see recount_embed_sql.
function(recount_add_module)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;PROTOS;SQL;PUBLIC;PRIVATE")
    set(target recount_${arg_NAME})
    add_library(${target} ${arg_SOURCES})
    add_library(recount::${arg_NAME} ALIAS ${target})
    target_include_directories(${target}
        PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>"
               "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
        PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    set_target_properties(${target} PROPERTIES
        EXPORT_NAME ${arg_NAME} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    recount_prepare(${target})

    if(arg_PROTOS)
        recount_generate_protos(TARGET ${target} PROTOS ${arg_PROTOS}
                                IMPORT_DIRS "${CMAKE_CURRENT_SOURCE_DIR}/proto")
    endif()
    if(arg_SQL)
        recount_embed_sql(TARGET ${target} FILES ${arg_SQL})
    endif()
    set_property(GLOBAL APPEND PROPERTY RECOUNT_MODULES ${arg_NAME})
    set_property(TARGET ${target} PROPERTY RECOUNT_MODULE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    set_property(TARGET ${target} PROPERTY RECOUNT_MODULE_LINKS "${arg_PUBLIC};${arg_PRIVATE}")
endfunction()

# recount_embed_sql(TARGET <target> FILES <file.sql>…)
#
# Makes each file a constant: postgres_schema.sql is recount::sql::postgres_schema, a
# std::string_view (terminated by NUL), after #include <recount_sql/<target>.hpp>; for the module
# eventstore that is <recount_sql/recount_eventstore.hpp>. For the target's own sources only.
function(recount_embed_sql)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET" "FILES")
    set(files)
    foreach(file IN LISTS arg_FILES)
        get_filename_component(file "${file}" ABSOLUTE)
        list(APPEND files "${file}")
    endforeach()
    set(out "${CMAKE_CURRENT_BINARY_DIR}/${arg_TARGET}.sql")
    set(header "${out}/recount_sql/${arg_TARGET}.hpp")
    add_custom_command(
        OUTPUT "${header}"
        COMMAND ${CMAKE_COMMAND} "-DFILES=${files}" "-DOUTPUT=${header}"
                -P "${RECOUNT_CMAKE_DIR}/EmbedSql.cmake"
        DEPENDS ${files} "${RECOUNT_CMAKE_DIR}/EmbedSql.cmake"
        COMMENT "SQL of ${arg_TARGET}"
        VERBATIM)
    target_sources(${arg_TARGET} PRIVATE "${header}")
    target_include_directories(${arg_TARGET} SYSTEM PRIVATE "${out}")
endfunction()

# recount_add_program(NAME <name> SOURCES <file>… LINK <target>… [PROTOS <file.proto>…])
#
# An executable of ours, with warnings, built in the folder's own build directory.
function(recount_add_program)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LINK;PROTOS")
    add_executable(${arg_NAME} ${arg_SOURCES})
    target_link_libraries(${arg_NAME} PRIVATE ${arg_LINK})
    recount_prepare(${arg_NAME})
    if(arg_PROTOS)
        recount_generate_protos(TARGET ${arg_NAME} PROTOS ${arg_PROTOS})
    endif()
    if(RECOUNT_SANITIZE MATCHES thread AND RECOUNT_BUILD_TESTS)
        target_sources(${arg_NAME} PRIVATE $<TARGET_OBJECTS:recount_c11_threads>)
    endif()
endfunction()

# recount_add_test(NAME <x_test> LABELS <unit|integration> SOURCES <file>… LINK <target>…
#                  [PROTOS <file.proto>…] [TIMEOUT <seconds>] [COST <seconds>])
#
# A GoogleTest program, and one entry of ctest. COST is about what a long one takes: the longest
# start first, so that the cores finish together. `unit` needs nothing and is quick, half a minute
# for all of them; `integration` needs the real servers of ./dev services or programs of ours, or
# goes through every operation of a disk. LINK need not name GoogleTest, nor tests/support, whose
# headers are #include "support/servers.hpp", "support/eventually.hpp",
# "support/temporary_folder.hpp".
function(recount_add_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIMEOUT;COST" "LABELS;SOURCES;LINK;PROTOS")
    if(NOT arg_LABELS)
        message(FATAL_ERROR "recount_add_test(${arg_NAME}) needs LABELS unit or integration")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 600)
    endif()
    recount_add_program(NAME ${arg_NAME} SOURCES ${arg_SOURCES} PROTOS ${arg_PROTOS}
                        LINK ${arg_LINK} GTest::gtest_main GTest::gmock)
    if(TARGET recount_test_support)
        target_link_libraries(${arg_NAME} PRIVATE recount_test_support)
    endif()
    add_test(NAME ${arg_NAME} COMMAND ${arg_NAME})
    set_tests_properties(${arg_NAME} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
    if(RECOUNT_SANITIZE MATCHES thread)
        set_tests_properties(${arg_NAME} PROPERTIES ENVIRONMENT
            "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp")
    elseif(RECOUNT_SANITIZE MATCHES address)
        # Also of the programs that a test starts.
        set_tests_properties(${arg_NAME} PROPERTIES ENVIRONMENT
            "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp")
    endif()
    if(arg_COST)
        set_tests_properties(${arg_NAME} PROPERTIES COST ${arg_COST})
    endif()
endfunction()
