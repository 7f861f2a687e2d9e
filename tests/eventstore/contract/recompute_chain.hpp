#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "eventstore/contract/store_contract.hpp"

namespace recount::test {

struct Ran {
    int status;
    std::string output;
};

inline Ran run(const std::string& command) {
    Ran ran{-1, {}};
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return ran;
    char buffer[1024];
    while (const std::size_t size = fread(buffer, 1, sizeof buffer, pipe)) {
        ran.output.append(buffer, size);
    }
    ran.status = pclose(pipe);
    return ran;
}

/// A program in another language, which knows the layout from the README alone. `Place` has url(),
/// of a store that is not there yet, and named(), as that program takes it.
template <class Place>
class AStoreCheckedFromOutside : public testing::Test {
protected:
    AStoreCheckedFromOutside() {
        const auto store = open_store(place_.url());
        for (int i = 0; i < 50; ++i) {
            Append append = make_append("c" + std::to_string(i),
                                        {write("cart-" + std::to_string(i % 7), Expected::any(), 2),
                                         write("stock-\xc3\xbc")});
            append.metadata.headers = {{"locale", "de"}, {"b", "2"}};
            append.after.push_back(
                {store->identity().id, store->identity().incarnation, Positions{3}});
            static_cast<void>(store->append(append));
        }
        heads_ = store->heads();
    }

    [[nodiscard]] Ran recompute() const {
        return run(std::string{RECOMPUTE_CHAIN} + " '" + place_.named() + "'");
    }

    Place place_;
    std::vector<LogHead> heads_;
};

TYPED_TEST_SUITE_P(AStoreCheckedFromOutside);

TYPED_TEST_P(AStoreCheckedFromOutside, HasTheChainItDocuments) {
    const Ran ran = this->recompute();
    const auto& heads = this->heads_;
    EXPECT_EQ(ran.status, 0) << ran.output;
    for (std::size_t i = 0; i < heads.size(); ++i) {
        if (heads[i].n == 0) continue;
        EXPECT_THAT(ran.output,
                    testing::HasSubstr(std::to_string(i) + " " + std::to_string(heads[i].n) + " " +
                                       to_string(heads[i].hash)));
    }
}

TYPED_TEST_P(AStoreCheckedFromOutside, IsCaughtWhenChanged) {
    const Partition partition = partition_of("cart-3", 16);
    {
        const auto database = Database::open(this->place_.url());
        auto sql = database->begin(SqlMode::write);
        sql->exec("update event set payload = $1 where partition = $2 and position = 4",
                  Bytes{std::string{"changed"}}, partition.value);
        sql->commit();
    }
    const Ran ran = this->recompute();
    EXPECT_NE(ran.status, 0);
    EXPECT_THAT(ran.output,
                testing::HasSubstr("position " + std::to_string(partition.value) + ":4"));
}

REGISTER_TYPED_TEST_SUITE_P(AStoreCheckedFromOutside, HasTheChainItDocuments, IsCaughtWhenChanged);

}  // namespace recount::test
