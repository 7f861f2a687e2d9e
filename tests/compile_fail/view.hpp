#pragma once

#include <recount/projections.hpp>

#include "account.hpp"
