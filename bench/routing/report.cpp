#include "bench/routing/report.hpp"

#include "bench/svg.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <map>

namespace rolecall::bench {

namespace {

constexpr double close_enough = 1.03; // of the first in p99

std::string format(const char* how, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, how);
  std::vsnprintf(text, sizeof text, how, arguments);
  va_end(arguments);
  return text;
}

double best_other_p99(const measured& m) {
  auto best = m.policies[1].figures.p99_s;
  for (std::size_t p = 2; p < m.policies.size(); ++p)
    best = std::min(best, m.policies[p].figures.p99_s);
  return best;
}

double best_other_mean(const measured& m) {
  auto best = m.policies[1].figures.mean_s;
  for (std::size_t p = 2; p < m.policies.size(); ++p)
    best = std::min(best, m.policies[p].figures.mean_s);
  return best;
}

/// Geometric means over all scenarios of a policy's mean time, against the first policy's.
std::vector<double> overall(const std::vector<measured>& results) {
  std::vector<double> sums(results.empty() ? 0 : results[0].policies.size());
  for (const auto& m : results)
    for (std::size_t p = 0; p < sums.size(); ++p)
      sums[p] += std::log(m.policies[p].figures.mean_s / m.policies[0].figures.mean_s);
  for (auto& sum : sums)
    sum = std::exp(sum / static_cast<double>(results.size()));
  return sums;
}

bool has_tenants(const measured& m) {
  return m.policies[0].quiet_p99_s > 0;
}

nlohmann::ordered_json to_json(const measured& m) {
  nlohmann::ordered_json policies = nlohmann::ordered_json::object();
  for (const auto& p : m.policies) {
    const auto& f = p.figures;
    nlohmann::ordered_json row{
        {"mean_s", f.mean_s},     {"p50_s", f.p50_s},       {"p99_s", f.p99_s},
        {"p999_s", f.p999_s},     {"success", f.success},   {"timeouts", f.timeouts},
        {"attempts", f.attempts}, {"fairness", f.fairness}, {"agent_seconds", f.agent_seconds},
        {"busy", f.busy}};
    if (has_tenants(m))
      row["quiet_p99_s"] = p.quiet_p99_s;
    policies[p.name] = std::move(row);
  }
  nlohmann::ordered_json result{{"scenario", m.scenario.name}, {"about", m.scenario.about}};
  if (m.scenario.bounded) {
    result["relaxed_bound_s"] = m.relaxed_s;
    result["clairvoyant_s"] = m.clairvoyant_s;
  }
  result["policies"] = std::move(policies);
  return result;
}

std::string markdown(const std::vector<measured>& results) {
  std::string out =
      "| scenario | policy | mean s | p50 | p99 | p99.9 | success | timeouts | Jain | "
      "agent-s | bound | clairvoyant |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  for (const auto& m : results)
    for (std::size_t p = 0; p < m.policies.size(); ++p) {
      const auto& f = m.policies[p].figures;
      out +=
          format("| %s | %s | %.3f | %.3f | %.3f | %.3f | %.4f | %.4f | %.3f | %.0f | %s | %s |\n",
                 p == 0 ? m.scenario.name.c_str() : "", m.policies[p].name.c_str(), f.mean_s,
                 f.p50_s, f.p99_s, f.p999_s, f.success, f.timeouts, f.fairness, f.agent_seconds,
                 m.scenario.bounded && p == 0 ? format("%.3f", m.relaxed_s).c_str() : "",
                 m.scenario.bounded && p == 0 ? format("%.3f", m.clairvoyant_s).c_str() : "");
    }
  return out;
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream{file} << text;
}

using member = double lab::figures::*;

std::vector<series> series_of(const std::vector<const measured*>& results, member figure) {
  std::vector<series> result;
  for (std::size_t p = 0; p < results.front()->policies.size(); ++p) {
    result.push_back({results.front()->policies[p].name, {}});
    for (const auto* m : results)
      result.back().values.push_back(m->policies[p].figures.*figure);
  }
  return result;
}

void write_dots(const std::vector<measured>& results, const std::filesystem::path& file,
                const std::string& title, member figure) {
  std::vector<const measured*> all;
  std::vector<std::string> labels;
  for (const auto& m : results) {
    all.push_back(&m);
    labels.push_back(m.scenario.name);
  }
  auto data = series_of(all, figure);
  if (figure == &lab::figures::mean_s) {
    data.push_back({"clairvoyant", {}});
    for (const auto* m : all)
      data.back().values.push_back(m->clairvoyant_s);
  }
  write(file, dot_plot(title, "seconds", labels, data));
}

} // namespace

std::string to_text(const measured& m) {
  auto out = format("\n%s (%s)\n", m.scenario.name.c_str(), m.scenario.about.c_str());
  if (m.scenario.bounded)
    out += format("  clairvoyant mean %.3f, relaxed bound %.3f; the first policy has %.3f x the "
                  "clairvoyant's\n",
                  m.clairvoyant_s, m.relaxed_s, m.policies[0].figures.mean_s / m.clairvoyant_s);
  out +=
      "  policy              mean       p50       p99     p99.9  success timeouts attempts   Jain  "
      "agent-s\n";
  for (const auto& p : m.policies) {
    const auto& f = p.figures;
    out += format("  %-15s %8.3f  %8.3f  %8.3f  %8.3f  %7.4f  %7.4f  %7.3f  %5.3f %8.0f",
                  p.name.c_str(), f.mean_s, f.p50_s, f.p99_s, f.p999_s, f.success, f.timeouts,
                  f.attempts, f.fairness, f.agent_seconds);
    out += has_tenants(m) ? format("   quiet p99 %.3f\n", p.quiet_p99_s) : "\n";
  }
  return out;
}

std::string verdict_text(const std::vector<measured>& results) {
  if (results.empty())
    return "no scenario has such a name\n";
  std::string out;
  std::size_t won = 0;
  std::map<std::string, double> quiet_alone;
  for (const auto& m : results) {
    auto ratio = m.policies[0].figures.p99_s / best_other_p99(m);
    auto mean = m.policies[0].figures.mean_s / best_other_mean(m);
    won += ratio <= close_enough ? 1 : 0;
    if (ratio > close_enough || mean > close_enough)
      out += format("  %-40s p99 %.3f x, mean %.3f x that of the best other policy\n",
                    m.scenario.name.c_str(), ratio, mean);
    auto fleet = m.scenario.name.substr(0, m.scenario.name.find(','));
    if (has_tenants(m) && m.scenario.name.ends_with("alone"))
      quiet_alone[fleet] = m.policies[0].quiet_p99_s;
    else if (has_tenants(m) && quiet_alone.contains(fleet))
      out += format("  %s: the quiet tenant's p99 is %.2f x that alone\n", m.scenario.name.c_str(),
                    m.policies[0].quiet_p99_s / quiet_alone[fleet]);
  }
  out = format("\n%s is first in p99, or within 3 %% of the first, in %zu of %zu scenarios\n",
               results[0].policies[0].name.c_str(), won, results.size()) +
        out + "mean time over all scenarios (geometric), against the first policy's:\n";
  auto ratios = overall(results);
  for (std::size_t p = 0; p < ratios.size(); ++p)
    out += format("  %-15s %.3f\n", results[0].policies[p].name.c_str(), ratios[p]);
  return out;
}

void write_report(const std::vector<measured>& results, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  auto all = nlohmann::ordered_json::array();
  std::map<std::string, std::vector<const measured*>> lines;
  for (const auto& m : results) {
    all.push_back(to_json(m));
    if (!m.scenario.plot.empty())
      lines[m.scenario.plot].push_back(&m);
  }
  write(folder / "routing.json", all.dump(2) + "\n");
  write(folder / "routing.md", markdown(results));
  write_dots(results, folder / "routing-p99.svg", "p99 of the time from arrival to end",
             &lab::figures::p99_s);
  write_dots(results, folder / "routing-mean.svg", "mean time from arrival to end",
             &lab::figures::mean_s);
  for (const auto& [name, points] : lines) {
    std::vector<double> x;
    for (const auto* m : points)
      x.push_back(m->scenario.load);
    auto file = "routing-" + name + ".svg";
    std::replace(file.begin(), file.end(), ' ', '-');
    std::erase(file, ',');
    auto tail = name == "contended machines" ? &lab::figures::p999_s : &lab::figures::p99_s;
    write(folder / file,
          line_plot(name, "load", tail == &lab::figures::p999_s ? "p99.9, s" : "p99, s", x,
                    series_of(points, tail)));
  }
}

} // namespace rolecall::bench
