#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

/// What the program does, one function a subcommand; each returns the exit code.
namespace shop {

/// Exit codes, as --help tells them.
constexpr int done = 0;
constexpr int failed = 1;     // the store, a broker or a rule said no; the message tells which
constexpr int bad_input = 2;  // a file or an argument; nothing was appended
constexpr int stopped = 130;  // by a signal, before it was done

struct ReplayArguments {
    std::string store, views;
    std::filesystem::path data;
    bool elsewhere = false;  // other processes project and carry out sagas: only wait for them
};
int replay(const ReplayArguments& arguments, std::stop_token stop);

struct ServeArguments {
    std::string store, views;
    std::filesystem::path data;  // where the catalogue is from
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    bool elsewhere = false;  // other processes project and carry out sagas
};
int serve(const ServeArguments& arguments, std::stop_token stop);

/// Replays, prints the totals, then serves the page. The store's folder is made when it is
/// missing.
int demo(const ServeArguments& arguments, std::stop_token stop);

struct ReadArguments {
    std::string store, views;
    std::string name;
    bool json = false;
};
int report(const ReadArguments& arguments);
int list_views(const ReadArguments& arguments);
int totals(const ReadArguments& arguments);

struct PartArguments {
    std::string store, views;
    std::string brokers, name = "shop";
};
int relay(const PartArguments& arguments, std::stop_token stop);
int project(const PartArguments& arguments, std::stop_token stop);
int sagas(const PartArguments& arguments, std::stop_token stop);

/// The month of orders that comes with the shop: beside the installed program, or in its source.
std::filesystem::path month_of_orders();

}  // namespace shop
