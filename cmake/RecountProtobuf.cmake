# recount_generate_protos: C++ from .proto files. Installed with recount: users call it too.

include_guard(GLOBAL)

# recount_generate_protos(TARGET <target> PROTOS <file.proto>… [IMPORT_DIRS <dir>…])
#
# Compiles the files with protoc and adds the C++ to <target>. A file is named, in `#include` and in
# the `import` of other files, relative to the first of IMPORT_DIRS that contains it; without one,
# relative to its own folder: orders.proto becomes #include "orders.pb.h". Files of recount's
# modules, and of targets this was called for before in this build, can be imported.
function(recount_generate_protos)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET" "PROTOS;IMPORT_DIRS")
    if(NOT TARGET "${arg_TARGET}" OR NOT arg_PROTOS)
        message(FATAL_ERROR "recount_generate_protos needs TARGET <target> and PROTOS <file>…")
    endif()
    set(out "${CMAKE_CURRENT_BINARY_DIR}/${arg_TARGET}.protos")
    get_property(known GLOBAL PROPERTY RECOUNT_PROTO_DIRS)

    set(roots)
    foreach(dir IN LISTS arg_IMPORT_DIRS)
        get_filename_component(dir "${dir}" ABSOLUTE)
        list(APPEND roots "${dir}")
    endforeach()
    set(paths ${roots})
    foreach(proto IN LISTS arg_PROTOS)
        get_filename_component(proto "${proto}" ABSOLUTE)
        get_source_file_property(generated "${proto}" GENERATED)
        if(NOT EXISTS "${proto}" AND NOT generated)
            message(FATAL_ERROR
                "recount_generate_protos(TARGET ${arg_TARGET}): there is no ${proto}")
        endif()
        get_filename_component(folder "${proto}" DIRECTORY)
        list(APPEND paths "${folder}")
    endforeach()
    list(APPEND paths ${known} ${Protobuf_INCLUDE_DIRS})
    list(REMOVE_DUPLICATES paths)
    list(TRANSFORM paths PREPEND "-I" OUTPUT_VARIABLE import_options)

    foreach(proto IN LISTS arg_PROTOS)
        get_filename_component(proto "${proto}" ABSOLUTE)
        get_filename_component(root "${proto}" DIRECTORY)
        foreach(candidate IN LISTS roots)
            cmake_path(IS_PREFIX candidate "${proto}" NORMALIZE inside)
            if(inside)
                set(root "${candidate}")
                break()
            endif()
        endforeach()
        file(RELATIVE_PATH relative "${root}" "${proto}")
        string(REGEX REPLACE "\\.proto$" "" stem "${relative}")

        file(MAKE_DIRECTORY "${out}")
        add_custom_command(
            OUTPUT "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h"
            COMMAND protobuf::protoc "--cpp_out=${out}" "-I${root}" ${import_options} "${proto}"
            DEPENDS "${proto}" protobuf::protoc
            COMMENT "protoc ${relative}"
            VERBATIM)
        # Generated code answers to protoc, not to our warnings, nor to our sanitizers, without
        # which it compiles in a third of the time.
        set(options "-w")
        if(RECOUNT_SANITIZE MATCHES address)
            list(APPEND options "-fno-sanitize=all")
        endif()
        set_source_files_properties("${out}/${stem}.pb.cc" PROPERTIES
            COMPILE_OPTIONS "${options}" SKIP_PRECOMPILE_HEADERS ON)
        target_sources(${arg_TARGET} PRIVATE "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
        set_property(GLOBAL APPEND PROPERTY RECOUNT_PROTO_DIRS "${root}")
        set_property(TARGET ${arg_TARGET} APPEND PROPERTY RECOUNT_PROTOS "${root}|${relative}")
    endforeach()

    target_include_directories(${arg_TARGET} SYSTEM PUBLIC "$<BUILD_INTERFACE:${out}>")
    target_link_libraries(${arg_TARGET} PUBLIC protobuf::libprotobuf)
    set_property(TARGET ${arg_TARGET} PROPERTY RECOUNT_PROTO_OUT "${out}")
endfunction()
