#include <recount/saga/plan.hpp>

namespace recount {

Plan::Step Plan::step(std::string name, const google::protobuf::Message& command) {
    Described described;
    described.name = std::move(name);
    described.command = new_event(command);
    description_.steps.push_back(std::move(described));
    return Step{*this, description_.steps.size() - 1};
}

Plan& Plan::when_undone(const google::protobuf::Message& command) {
    description_.when_undone = new_event(command);
    return *this;
}

Plan& Plan::deadline(Duration limit) {
    description_.deadline = limit;
    return *this;
}

Plan& Plan::retry_undos(int attempts, Duration pause) {
    description_.undo_attempts = attempts;
    description_.undo_pause = pause;
    return *this;
}

Plan& Plan::occurred_at(Timestamp when) {
    description_.occurred_at = when;
    return *this;
}

Plan::Step& Plan::Step::undo(const google::protobuf::Message& command) {
    plan_.description_.steps[index_].undo = new_event(command);
    return *this;
}

Plan::Step& Plan::Step::within(Duration limit) {
    plan_.description_.steps[index_].within = limit;
    return *this;
}

void Plan::Step::wait_for(std::string pattern) {
    plan_.description_.steps[index_].after.push_back(std::move(pattern));
}

}  // namespace recount
