// A plot as SVG, for the benchmarks that are not in C++: reads {"title","unit","labels",
// "series":[{"name","values"}]} and writes a row for each label with a dot for each series.
#include "bench/svg.hpp"

#include <nlohmann/json.hpp>

#include <iostream>

int main() {
  auto what = nlohmann::json::parse(std::cin);
  std::vector<rolecall::bench::series> data;
  for (const auto& each : what.at("series"))
    data.push_back({each.at("name"), each.at("values").get<std::vector<double>>()});
  std::cout << rolecall::bench::dot_plot(what.at("title"), what.at("unit"),
                                         what.at("labels").get<std::vector<std::string>>(), data);
}
