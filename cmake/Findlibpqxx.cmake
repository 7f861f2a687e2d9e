# Finds libpqxx and defines libpqxx::pqxx: by its own CMake package where there is one, by
# pkg-config otherwise (Debian's carries no CMake package).

find_package(libpqxx ${libpqxx_FIND_VERSION} CONFIG QUIET)
if(libpqxx_FOUND AND TARGET libpqxx::pqxx)
    return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_LIBPQXX QUIET libpqxx)
endif()
find_path(LIBPQXX_INCLUDE_DIR pqxx/pqxx HINTS ${PC_LIBPQXX_INCLUDE_DIRS})
find_library(LIBPQXX_LIBRARY pqxx HINTS ${PC_LIBPQXX_LIBRARY_DIRS})
find_library(LIBPQXX_PQ_LIBRARY pq HINTS ${PC_LIBPQXX_LIBRARY_DIRS})
mark_as_advanced(LIBPQXX_INCLUDE_DIR LIBPQXX_LIBRARY LIBPQXX_PQ_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libpqxx
    REQUIRED_VARS LIBPQXX_LIBRARY LIBPQXX_INCLUDE_DIR LIBPQXX_PQ_LIBRARY
    VERSION_VAR PC_LIBPQXX_VERSION)

if(libpqxx_FOUND AND NOT TARGET libpqxx::pqxx)
    add_library(libpqxx::pqxx UNKNOWN IMPORTED)
    set_target_properties(libpqxx::pqxx PROPERTIES
        IMPORTED_LOCATION "${LIBPQXX_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${LIBPQXX_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "${LIBPQXX_PQ_LIBRARY}")
endif()
