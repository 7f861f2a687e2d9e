#include <iostream>

#include <spdlog/cfg/env.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <recount/tools.hpp>

int main(int argc, char** argv) {
    // What is printed is for pipes, so what is logged goes elsewhere.
    spdlog::set_default_logger(spdlog::stderr_color_mt("recount"));
    spdlog::set_level(spdlog::level::warn);
    spdlog::cfg::load_env_levels();  // SPDLOG_LEVEL=debug
    const int code = recount::tools::run(argc, argv, std::cout, std::cerr);
    if (std::cout.flush() || code != recount::tools::ok) return code;
    std::cerr << "recount: standard output could not be written to the end; see whether what is "
                 "behind it is full, then try again\n";
    return recount::tools::unavailable;
}
