#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "retail_file.hpp"

namespace shop {

/// The file has no stock levels. So each SKU opens with its largest running shortfall: what has
/// to be there at first so that, invoice by invoice, sales and corrections never exceed what is
/// left. Sales may be carried out later than in the file, but never before returns that precede
/// them there: then nothing runs short either. SKUs that need nothing are left out.
std::map<std::string, std::int64_t> opening_stock(const std::filesystem::path& file,
                                                  const FileTotals& totals);

}  // namespace shop
