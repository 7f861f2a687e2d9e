#pragma once

#include <recount/core.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "repositories.hpp"
#include "retail_file.hpp"

namespace shop {

struct ReplayOptions {
    /// Command ids begin with it. The month and the whole file share it, so that the invoices that
    /// both hold happen once.
    std::string source = "online-retail";
    std::size_t commands = 1024;  // decided one by one, committed together
};

struct ReplayResult {
    std::int64_t rows = 0;
    std::int64_t commands = 0;          // sent; others were known to have happened
    bool finished = false;              // else it was asked to stop
    std::vector<std::string> refusals;  // the first few
    std::int64_t refused = 0;
};

/// Does again what a validated file says was done, command by command through the shop's rules:
/// an invoice is a cart that is filled line by line, checked out, and placed as an order, which
/// starts its saga; a C invoice puts goods back and credits their price; any other negative line
/// corrects the stock; an A invoice corrects a debt. `occurred_at` is the row's time.
///
/// A command's id is made of source, invoice and line within the invoice, so what has happened is
/// not done again: stop it anywhere, and start it again.
class Replay {
public:
    /// Called after each commit with the rows that are done; false stops.
    using AfterCommit = std::function<bool(std::int64_t rows)>;

    Replay(recount::Streams& store, Repositories& shop, ReplayOptions options = {});

    /// Opens the stock, then does every invoice. Throws what the store throws.
    ReplayResult run(const std::filesystem::path& file, const FileTotals& totals,
                     const AfterCommit& after_commit);

private:
    void open_stock(const std::filesystem::path& file, const FileTotals& totals);
    void sell(const Invoice& invoice);
    void fill_cart(const Invoice& invoice);
    void take_back(const Invoice& invoice);
    void correct_stock(const RetailRow& row, std::size_t line);
    void correct_debt(const RetailRow& row, std::size_t line);

    /// Enqueues a command unless its id stands for it already; throws CommandReused when that
    /// stands for something else.
    template <class State, class Command>
    void send(recount::Repository<State>& repository, const std::string& id, const Command& command,
              const std::string& command_id, const RetailRow* row);
    template <class State, class Command>
    void enqueue(recount::Repository<State>& repository, const std::string& id,
                 const Command& command, const std::string& command_id, const RetailRow* row);
    template <class State, class Command>
    bool happened(const std::string& id, const Command& command, const std::string& command_id);
    [[nodiscard]] std::string id_of(const Invoice& invoice, const std::string& what) const;
    [[nodiscard]] std::string id_of(const RetailRow& row, std::size_t line,
                                    const std::string& what) const;
    void commit();

    recount::Streams& store_;
    Repositories& shop_;
    ReplayOptions options_;
    recount::Batch batch_;
    ReplayResult result_;
    AfterCommit after_commit_;
    bool stopping_ = false;
};

}  // namespace shop
