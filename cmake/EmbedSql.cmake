# Run at build time: writes the header OUTPUT with one constant for each of FILES.

set(text "#pragma once\n\n#include <string_view>\n\nnamespace recount::sql {\n\n")
foreach(file IN LISTS FILES)
    get_filename_component(name "${file}" NAME_WE)
    # Read as hex: CMake lists would lose the semicolons that end the statements.
    file(READ "${file}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
    # A line break of the file ends a literal, which keeps lines short for compilers and people.
    string(REPLACE "\\x0a" "\\x0a\"\n    \"" bytes "${bytes}")
    string(APPEND text "/// ${name}.sql\n"
                       "constexpr std::string_view ${name} =\n    \"${bytes}\";\n\n")
endforeach()
string(APPEND text "}  // namespace recount::sql\n")
file(WRITE "${OUTPUT}" "${text}")
