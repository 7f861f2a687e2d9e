# Run at build time: one page out of PAGE, STYLE and SCRIPT, as a constant in the header OUTPUT.

cmake_minimum_required(VERSION 3.25)
file(READ "${PAGE}" page HEX)
file(READ "${STYLE}" style HEX)
file(READ "${SCRIPT}" script HEX)
# Bytes as hex, so that no character of the files means anything to CMake.
string(HEX "@STYLE@" style_mark)
string(HEX "@SCRIPT@" script_mark)
string(REPLACE "${style_mark}" "${style}" page "${page}")
string(REPLACE "${script_mark}" "${script}" page "${page}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${page}")
string(REPLACE "\\x0a" "\\x0a\"\n    \"" bytes "${bytes}")
file(WRITE "${OUTPUT}" "#pragma once\n\n#include <string_view>\n\nnamespace shop {\n\n"
    "constexpr std::string_view page =\n    \"${bytes}\";\n\n}  // namespace shop\n")
