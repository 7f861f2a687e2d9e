// The store alone, without Repository, views or sagas: a transfer is one append to two streams,
// which both commit or neither, and happens once however often it is sent.

#include <cstdio>

#include <recount/eventstore.hpp>

#include "ledger.pb.h"

namespace {

recount::StreamWrite entry(const std::string& account, std::int64_t pence,
                           recount::Expected expected) {
    ledger::Entered entered;
    entered.set_account(account);
    entered.set_pence(pence);
    return {recount::StreamName{"account", account}, expected, {recount::new_event(entered)}};
}

std::int64_t balance(recount::EventStore& store, const std::string& account) {
    std::int64_t pence = 0;
    for (const auto& event : store.read_stream({"account", account}).events) {
        pence += recount::parse_as<ledger::Entered>(event).pence();
    }
    return pence;
}

}  // namespace

int main(int argc, char** argv) {
    const auto store = recount::open_store(argc > 1 ? argv[1] : "memory:");

    recount::Append transfer;
    transfer.metadata.command_id = "transfer-1";
    transfer.writes = {entry("ada", -1500, recount::Expected::any()),
                       entry("bob", 1500, recount::Expected::any())};
    transfer.request = recount::request_hash(transfer);

    for (int attempt = 1; attempt <= 2; ++attempt) {
        const recount::AppendResult result = store->append(transfer);
        const bool repeated = result.kind == recount::AppendResult::Kind::repeated;
        std::printf("attempt %d: %s\n", attempt, repeated ? "was done before" : "done");
    }
    std::printf("ada %lld, bob %lld\n", static_cast<long long>(balance(*store, "ada")),
                static_cast<long long>(balance(*store, "bob")));
    store->verify_chain();
}
