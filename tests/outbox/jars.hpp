#pragma once

#include <string>

namespace recount::test {

/// The folder where ./dev services keeps the jars of "kafka" or "debezium". Throws
/// std::runtime_error that says what to do when there is none.
std::string jars_of(const std::string& name);

}  // namespace recount::test
