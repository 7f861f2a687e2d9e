#include <cstdio>

#include "eventstore/contract/store_contract.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;

struct Ran {
    int status;
    std::string output;
};

Ran run(const std::string& command) {
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

/// A program in another language, which knows the layout from the README alone.
class AStoreCheckedFromOutside : public testing::Test {
protected:
    AStoreCheckedFromOutside() {
        const auto store = open_store("sqlite:" + path_);
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
        return run(std::string{RECOMPUTE_CHAIN} + " '" + path_ + "'");
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("store.db");
    std::vector<LogHead> heads_;
};

TEST_F(AStoreCheckedFromOutside, HasTheChainItDocuments) {
    const Ran ran = recompute();
    EXPECT_EQ(ran.status, 0) << ran.output;
    for (std::size_t i = 0; i < heads_.size(); ++i) {
        if (heads_[i].n == 0) continue;
        EXPECT_THAT(ran.output, HasSubstr(std::to_string(i) + " " + std::to_string(heads_[i].n) +
                                          " " + to_string(heads_[i].hash)));
    }
}

TEST_F(AStoreCheckedFromOutside, IsCaughtWhenChanged) {
    const Partition partition = partition_of("cart-3", 16);
    {
        const auto database = Database::open("sqlite:" + path_);
        auto sql = database->begin(SqlMode::write);
        sql->exec("update event set payload = x'00' where partition = $1 and position = 4",
                  partition.value);
        sql->commit();
    }
    const Ran ran = recompute();
    EXPECT_NE(ran.status, 0);
    EXPECT_THAT(ran.output, HasSubstr("position " + std::to_string(partition.value) + ":4"));
}

}  // namespace
}  // namespace recount::test
