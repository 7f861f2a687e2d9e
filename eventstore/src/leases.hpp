#pragma once

#include <memory>
#include <string>

#include <recount/eventstore/lease.hpp>

namespace recount {

std::unique_ptr<Leases> open_postgres_leases(const std::string& url, const LeaseOptions& options);

}  // namespace recount
