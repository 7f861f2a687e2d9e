#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "retail_file.hpp"

namespace shop {

/// The file has no stock levels. So each SKU opens with all that sales and corrections will ever
/// take from it. Less would do if everything happened in the file's order; but sagas carry sales
/// out when they come to it, before or after returns and corrections, and then too nothing may run
/// short. SKUs that need nothing are left out.
std::map<std::string, std::int64_t> opening_stock(const std::filesystem::path& file,
                                                  const FileTotals& totals);

}  // namespace shop
