// Lines over x as SVG, for the benchmarks that are not in C++: reads {"title","x_title","y_title","x",
// "series":[{"name","values"}]} and writes the plot.
#include "bench/svg.hpp"

#include <nlohmann/json.hpp>

#include <iostream>

int main() {
  auto what = nlohmann::json::parse(std::cin);
  std::vector<rolecall::bench::series> data;
  for (const auto& each : what.at("series"))
    data.push_back({each.at("name"), each.at("values").get<std::vector<double>>()});
  std::cout << rolecall::bench::line_plot(what.at("title"), what.at("x_title"), what.at("y_title"),
                                          what.at("x").get<std::vector<double>>(), data);
}
