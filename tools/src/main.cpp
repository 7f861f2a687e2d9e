#include <iostream>

#include <recount/tools.hpp>

int main(int argc, char** argv) { return recount::tools::run(argc, argv, std::cout, std::cerr); }
