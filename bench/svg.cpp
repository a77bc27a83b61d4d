#include "bench/svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace rolecall::bench {

namespace {

// Told apart by people who see red and green alike too (Okabe and Ito).
constexpr std::array colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#000000"};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (auto c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return result;
}

struct canvas {
  std::string body;

  void text(double x, double y, const std::string& what, const char* anchor = "start",
            bool bold = false) {
    body += "<text x='" + number(x) + "' y='" + number(y) + "' text-anchor='" + anchor + "'" +
            (bold ? " font-weight='bold'" : "") + ">" + escaped(what) + "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const std::string& colour,
            double width = 1) {
    body += "<line x1='" + number(x1) + "' y1='" + number(y1) + "' x2='" + number(x2) + "' y2='" +
            number(y2) + "' stroke='" + colour + "' stroke-width='" + number(width) + "'/>\n";
  }
  void dot(double x, double y, const std::string& colour, double radius = 4) {
    body += "<circle cx='" + number(x) + "' cy='" + number(y) + "' r='" + number(radius) +
            "' fill='" + colour + "' fill-opacity='0.8'/>\n";
  }
  void legend(double x, double y, const std::vector<series>& data) {
    for (std::size_t i = 0; i < data.size(); ++i) {
      dot(x, y - 4, colours[i % colours.size()]);
      text(x + 8, y, data[i].name);
      x += 30 + 6.5 * static_cast<double>(data[i].name.size());
    }
  }
  std::string whole(double width, double height) const {
    return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " + number(width) + " " +
           number(height) + "' font-family='sans-serif' font-size='11'>\n<rect width='100%' " +
           "height='100%' fill='white'/>\n" + body + "</svg>\n";
  }
};

/// A logarithmic scale from a value to a place.
struct log_scale {
  double low;
  double high;
  double from;
  double to;

  log_scale(const std::vector<series>& data, double from, double to)
      : low{1e300}, high{0}, from{from}, to{to} {
    for (const auto& s : data)
      for (auto value : s.values)
        if (value > 0 && std::isfinite(value)) {
          low = std::min(low, value);
          high = std::max(high, value);
        }
    low = std::pow(10, std::floor(std::log10(std::min(low, 1e6)) * 2) / 2);
    high = std::max(low * 3.2, std::pow(10, std::ceil(std::log10(std::max(high, 1e-6)) * 2) / 2));
  }
  double place(double value) const {
    return from + (to - from) * std::log(value / low) / std::log(high / low);
  }
  std::vector<double> marks() const {
    std::vector<double> result;
    for (auto decade = std::pow(10, std::floor(std::log10(low))); decade <= high; decade *= 10)
      for (auto step : {1, 2, 5})
        if (decade * step >= low * 0.999 && decade * step <= high * 1.001)
          result.push_back(decade * step);
    return result;
  }
};

} // namespace

std::string dot_plot(const std::string& title, const std::string& unit,
                     const std::vector<std::string>& labels, const std::vector<series>& data) {
  constexpr double left = 250;
  constexpr double width = 900;
  constexpr double top = 62;
  constexpr double row = 20;
  auto bottom = top + row * static_cast<double>(labels.size());
  canvas out;
  out.text(10, 20, title, "start", true);
  out.legend(16, 42, data);
  log_scale scale{data, left, width - 20};
  for (auto mark : scale.marks()) {
    out.line(scale.place(mark), top - 4, scale.place(mark), bottom, "#dddddd");
    out.text(scale.place(mark), bottom + 14, number(mark), "middle");
  }
  out.text(left - 8, bottom + 14, unit, "end");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    auto y = top + row * (static_cast<double>(i) + 0.5);
    out.text(left - 8, y + 4, labels[i], "end");
    out.line(left, y, width - 20, y, "#eeeeee");
    for (auto s = data.size(); s-- > 0;) // the first on top
      if (data[s].values[i] > 0 && std::isfinite(data[s].values[i]))
        out.dot(scale.place(data[s].values[i]), y, colours[s % colours.size()]);
  }
  return out.whole(width, bottom + 24);
}

std::string line_plot(const std::string& title, const std::string& x_title,
                      const std::string& y_title, const std::vector<double>& x,
                      const std::vector<series>& data) {
  constexpr double left = 60;
  constexpr double right = 680;
  constexpr double top = 60;
  constexpr double bottom = 360;
  canvas out;
  out.text(10, 20, title, "start", true);
  out.legend(16, 42, data);
  log_scale y_scale{data, bottom, top};
  auto x_place = [&](double value) {
    return left + (right - left) * (value - x.front()) / std::max(1e-9, x.back() - x.front());
  };
  for (auto mark : y_scale.marks()) {
    out.line(left, y_scale.place(mark), right, y_scale.place(mark), "#dddddd");
    out.text(left - 6, y_scale.place(mark) + 4, number(mark), "end");
  }
  for (auto value : x) {
    out.line(x_place(value), top, x_place(value), bottom, "#eeeeee");
    out.text(x_place(value), bottom + 16, number(value), "middle");
  }
  out.text((left + right) / 2, bottom + 34, x_title, "middle");
  out.text(10, top - 6, y_title);
  for (auto s = data.size(); s-- > 0;) {
    const auto* colour = colours[s % colours.size()];
    for (std::size_t i = 0; i < x.size(); ++i) {
      out.dot(x_place(x[i]), y_scale.place(data[s].values[i]), colour, 3);
      if (i > 0)
        out.line(x_place(x[i - 1]), y_scale.place(data[s].values[i - 1]), x_place(x[i]),
                 y_scale.place(data[s].values[i]), colour, 1.5);
    }
  }
  return out.whole(right + 20, bottom + 46);
}

} // namespace rolecall::bench
