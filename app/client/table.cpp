#include "app/client/table.hpp"

#include "app/terminal.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace rolecall::client {

namespace {

constexpr std::size_t gap = 2; // blanks between columns

std::vector<std::size_t> natural_widths(const table& data) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < data.heading.size(); ++i) {
    auto width = characters(data.heading[i]);
    for (const auto& row : data.rows)
      width = std::max(width, characters(printable(row[i].text)));
    widths.push_back(width);
  }
  return widths;
}

/// Takes from the widest column, one character after the other, until all fit.
void shrink(std::vector<std::size_t>& widths, std::size_t room) {
  constexpr std::size_t narrowest = 4;
  auto gaps = gap * (widths.empty() ? 0 : widths.size() - 1);
  auto sum = std::accumulate(widths.begin(), widths.end(), gaps);
  while (sum > room) {
    auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= narrowest)
      return; // too narrow a terminal for this table: it breaks the lines itself
    --*widest;
    --sum;
  }
}

std::string line_of(const std::vector<cell>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    auto last = i + 1 == cells.size();
    auto whole = characters(printable(cells[i].text)) <= widths[i];
    auto text = whole ? (last ? printable(cells[i].text) : fit(cells[i].text, widths[i]))
                      : cut(cells[i].text, widths[i] - 1) + "…";
    auto colour = std::string{cells[i].colour};
    line += colour + text + (colour.empty() ? "" : "\x1b[0m") + (last ? "" : std::string(gap, ' '));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

} // namespace

std::string aligned(const table& data, std::size_t width) {
  auto widths = natural_widths(data);
  shrink(widths, width);
  std::vector<cell> heading;
  for (const auto& name : data.heading)
    heading.push_back({name, "\x1b[2m"});
  auto result = line_of(heading, widths);
  for (const auto& row : data.rows)
    result += line_of(row, widths);
  return result;
}

std::string tab_separated(const table& data) {
  std::string result;
  for (std::size_t i = 0; i < data.heading.size(); ++i)
    result += (i == 0 ? "" : "\t") + data.heading[i];
  result += '\n';
  for (const auto& row : data.rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      result += (i == 0 ? "" : "\t") + printable(row[i].text);
    result += '\n';
  }
  return result;
}

void print(const table& data) {
  auto text =
      leads_to_terminal(stdout) ? aligned(data, size_of(stdout).columns) : tab_separated(data);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace rolecall::client
