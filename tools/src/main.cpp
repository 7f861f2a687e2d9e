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
    return recount::tools::run(argc, argv, std::cout, std::cerr);
}
