# What recount is built on; all of it is in Debian 12.

# Whoever adds recount with add_subdirectory links these too, from a folder above.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Protobuf 3.21 REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(SQLite3 3.40 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(libpqxx REQUIRED)
find_package(RdKafka REQUIRED)

if(RECOUNT_BUILD_TOOLS OR RECOUNT_BUILD_SAMPLES OR RECOUNT_BUILD_TESTS
   OR RECOUNT_BUILD_BENCHMARKS)
    find_package(ZLIB REQUIRED)
    find_package(CLI11 REQUIRED)
    find_package(nlohmann_json REQUIRED)
    find_package(Boost 1.75 REQUIRED)
endif()
if(RECOUNT_BUILD_TESTS)
    find_package(GTest REQUIRED)
    find_package(rapidcheck REQUIRED)
else()
    find_package(GTest QUIET)  # for who adds recount to a project and links recount::testing
endif()
