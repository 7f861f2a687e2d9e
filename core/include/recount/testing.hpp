#pragma once

/// For tests of rules, with GoogleTest; link recount::testing. Not part of recount/core.hpp.
///
///     using recount::test::given;
///
///     TEST(CheckedOutCart, TakesNoItem) {
///         given<Cart>(checked_out("o-1")).when(add("mug", 1)).then_rejected("cart_closed");
///     }

#include <recount/testing/given.hpp>
#include <recount/testing/manual_environment.hpp>
