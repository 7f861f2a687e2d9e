#pragma once

#include <functional>
#include <stop_token>
#include <string>

namespace articles {

/// Gives `answer` each line of standard input, until its end or until asked to stop. Stands for
/// the server of a service in earnest. One thread.
void take_requests(std::stop_token stop, const std::function<void(const std::string&)>& answer);

}  // namespace articles
