#pragma once

#include <string>
#include <vector>

/// Small plots as SVG, each a text that stands for itself.
namespace rolecall::bench {

struct series {
  std::string name;
  std::vector<double> values; ///< one for each label or x; not positive: no point
};

/// A row for each label and a dot in it for each series, on a logarithmic scale: whose dot is the
/// furthest to the left is the best.
std::string dot_plot(const std::string& title, const std::string& unit,
                     const std::vector<std::string>& labels, const std::vector<series>& data);

/// Lines over x; y is logarithmic.
std::string line_plot(const std::string& title, const std::string& x_title,
                      const std::string& y_title, const std::vector<double>& x,
                      const std::vector<series>& data);

} // namespace rolecall::bench
