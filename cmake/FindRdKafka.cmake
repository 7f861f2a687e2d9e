# Finds librdkafka (its C library) and defines RdKafka::rdkafka: by its own CMake package where
# there is one, by pkg-config otherwise (Debian's carries no CMake package).

find_package(RdKafka ${RdKafka_FIND_VERSION} CONFIG QUIET)
if(RdKafka_FOUND AND TARGET RdKafka::rdkafka)
    return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_RDKAFKA QUIET rdkafka)
endif()
find_path(RDKAFKA_INCLUDE_DIR librdkafka/rdkafka.h HINTS ${PC_RDKAFKA_INCLUDE_DIRS})
find_library(RDKAFKA_LIBRARY rdkafka HINTS ${PC_RDKAFKA_LIBRARY_DIRS})
mark_as_advanced(RDKAFKA_INCLUDE_DIR RDKAFKA_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RdKafka
    REQUIRED_VARS RDKAFKA_LIBRARY RDKAFKA_INCLUDE_DIR
    VERSION_VAR PC_RDKAFKA_VERSION)

if(RdKafka_FOUND AND NOT TARGET RdKafka::rdkafka)
    add_library(RdKafka::rdkafka UNKNOWN IMPORTED)
    set_target_properties(RdKafka::rdkafka PROPERTIES
        IMPORTED_LOCATION "${RDKAFKA_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${RDKAFKA_INCLUDE_DIR}")
endif()
