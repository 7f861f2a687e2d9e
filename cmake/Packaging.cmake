# Install rules and the CMake package: find_package(recount 0.1 COMPONENTS core eventstore …).
# Each module has an export file and a list of its dependencies of its own, so that a user of one
# module needs to have no more than that module does.

include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/recount")
set(generated "${CMAKE_CURRENT_BINARY_DIR}/package")

# Which find_dependency a linked target stands for.
set(package_of_Threads::Threads "Threads")
set(package_of_protobuf::libprotobuf "Protobuf")
set(package_of_spdlog::spdlog "spdlog")
set(package_of_fmt::fmt "fmt")
set(package_of_OpenSSL::Crypto "OpenSSL COMPONENTS Crypto")
set(package_of_SQLite::SQLite3 "SQLite3")
set(package_of_PostgreSQL::PostgreSQL "PostgreSQL")
set(package_of_libpqxx::pqxx "libpqxx")
set(package_of_RdKafka::rdkafka "RdKafka")
set(package_of_ZLIB::ZLIB "ZLIB")
set(package_of_GTest::gtest "GTest")
set(package_of_CLI11::CLI11 "CLI11")
set(package_of_nlohmann_json::nlohmann_json "nlohmann_json")

get_property(recount_modules GLOBAL PROPERTY RECOUNT_MODULES)
foreach(module IN LISTS recount_modules)
    set(target recount_${module})
    install(TARGETS ${target} EXPORT ${target}
            ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
            LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    install(EXPORT ${target} NAMESPACE recount:: FILE recount-${module}-targets.cmake
            DESTINATION "${package_dir}")

    get_target_property(folder ${target} RECOUNT_MODULE_DIR)
    install(DIRECTORY "${folder}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    get_target_property(protos ${target} RECOUNT_PROTOS)
    get_target_property(proto_out ${target} RECOUNT_PROTO_OUT)
    foreach(proto IN LISTS protos)
        if(proto MATCHES "^(.*)[|](.*)$")
            set(root "${CMAKE_MATCH_1}")
            set(relative "${CMAKE_MATCH_2}")
            get_filename_component(below "${relative}" DIRECTORY)
            string(REGEX REPLACE "\\.proto$" ".pb.h" header "${relative}")
            install(FILES "${root}/${relative}" "${proto_out}/${header}"
                    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/${below}")
        endif()
    endforeach()

    set(needs)
    set(dependencies "")
    get_target_property(kind ${target} TYPE)
    if(kind STREQUAL "INTERFACE_LIBRARY")
        get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
    else()
        get_target_property(links ${target} LINK_LIBRARIES)
    endif()
    list(REMOVE_DUPLICATES links)
    foreach(link IN LISTS links)
        if(link MATCHES "^recount::(.*)$")
            list(APPEND needs "${CMAKE_MATCH_1}")
        elseif(DEFINED package_of_${link})
            string(APPEND dependencies "find_dependency(${package_of_${link}})\n")
        elseif(link MATCHES "::" AND NOT link MATCHES "^::@")
            message(FATAL_ERROR "Packaging.cmake does not know which package brings ${link}")
        endif()
    endforeach()
    file(WRITE "${generated}/recount-${module}-dependencies.cmake"
         "# What recount::${module} is linked with.\n"
         "set(recount_${module}_NEEDS ${needs})\n${dependencies}")
    install(FILES "${generated}/recount-${module}-dependencies.cmake"
            DESTINATION "${package_dir}")
endforeach()

configure_package_config_file(cmake/recountConfig.cmake.in "${generated}/recountConfig.cmake"
    INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
# Before 1.0 a new minor version may change what users see.
write_basic_package_version_file("${generated}/recountConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${generated}/recountConfig.cmake" "${generated}/recountConfigVersion.cmake"
              cmake/Findlibpqxx.cmake cmake/FindRdKafka.cmake cmake/RecountProtobuf.cmake
        DESTINATION "${package_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
