#include "app/client/top_view.hpp"

#include "app/client/fleet_text.hpp"
#include "app/client/table.hpp"
#include "app/client/task_json.hpp"
#include "app/run/state_look.hpp"
#include "app/terminal.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace rolecall::client {

namespace {

constexpr const char* bold = "\x1b[1m";
constexpr const char* dim = "\x1b[2m";
constexpr const char* red = "\x1b[31m";
constexpr const char* yellow = "\x1b[33m";
constexpr const char* green = "\x1b[32m";
constexpr const char* off = "\x1b[0m";

std::string in(const char* colour, const std::string& text) {
  return colour + text + off;
}

/// The number, or zero: for what is counted.
double count(const json& object, const char* key) {
  return std::max(0.0, number(object, key).value_or(0));
}

std::string whole(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", std::min(value, 1e15));
  return text;
}

const json& member(const json& object, const char* key) {
  static const json none;
  auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? none : *found;
}

const char* colour_of_rate(std::optional<double> rate) {
  return !rate ? dim : *rate >= 0.99 ? green : *rate >= 0.9 ? yellow : red;
}

/// "███░░ 3/5": how many of the slots are taken.
std::string load_bar(double used, double all) {
  constexpr std::size_t width = 8;
  auto filled =
      all <= 0
          ? 0
          : static_cast<std::size_t>(std::lround(std::clamp(used / all, 0.0, 1.0) * double{width}));
  std::string bar;
  for (std::size_t i = 0; i < width; ++i)
    bar += i < filled ? "█" : "░";
  return bar + " " + whole(used) + "/" + whole(all);
}

/// Cuts a line with escape sequences, which take no room, to `width` characters.
std::string cut_coloured(const std::string& line, std::size_t width) {
  std::string result;
  std::size_t used = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      auto end = std::min(line.find('m', i), line.size() - 1);
      result += line.substr(i, end - i + 1);
      i = end;
      continue;
    }
    auto begins = (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80;
    used += begins ? 1 : 0;
    if (used <= width)
      result += line[i];
  }
  return result;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    auto end = text.find('\n', at);
    result.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return result;
}

std::vector<double> per_bucket(const json& window, std::initializer_list<const char*> what) {
  std::vector<double> result;
  const auto& buckets = member(window, "buckets");
  if (buckets.is_array())
    for (const auto& bucket : buckets) {
      double sum = 0;
      for (const auto* name : what)
        sum += count(bucket, name);
      result.push_back(sum);
    }
  return result;
}

/// Events a second over the last minute; the newest bucket, which is not full yet, left out.
std::string rate(const json& window, std::initializer_list<const char*> what) {
  auto values = per_bucket(window, what);
  auto seconds = count(window, "bucket_seconds");
  if (values.size() < 2 || seconds <= 0)
    return "-";
  values.pop_back();
  auto wanted =
      std::min(values.size(), static_cast<std::size_t>(std::max(1.0, std::round(60 / seconds))));
  double sum = 0;
  for (auto i = values.size() - wanted; i < values.size(); ++i)
    sum += values[i];
  char text[32];
  std::snprintf(text, sizeof text, "%.1f/s", sum / (static_cast<double>(wanted) * seconds));
  return text;
}

std::string heading(const top_picture& picture) {
  const auto& node = picture.snapshot.node;
  auto state = shown(node, "state");
  return in(bold, "rolecall") + " " + printable(shown(node, "node")) + "  " +
         in(state == "ready" ? green : yellow, printable(state)) + "  up " +
         long_time(millis{static_cast<millis::rep>(std::min(count(node, "uptime_ms"), 1e15))}) +
         "  " +
         in(dim, "version " + printable(shown(node, "version")) + "  " + picture.where + "  " +
                     picture.clock);
}

std::string task_line(const json& stats) {
  const auto& tasks = member(stats, "tasks");
  std::string line = in(dim, "tasks    ");
  for (auto state : {task_state::submitted, task_state::working, task_state::completed,
                     task_state::failed, task_state::canceled, task_state::rejected}) {
    auto look = look_of(state, 0);
    auto value = count(tasks, to_string(state).c_str());
    auto text = std::string{look.sign} + " " + whole(value) + " " + look.word;
    line += in(value > 0 ? look.colour : dim, text) + "   ";
  }
  return line;
}

std::string flow_line(const json& stats) {
  const auto& window = member(stats, "window");
  auto success = number(stats, "success_rate");
  return in(dim, "flow     ") + "accepted " + rate(window, {"accepted"}) + "   ended " +
         rate(window, {"completed", "failed", "canceled", "rejected"}) + "   success " +
         in(colour_of_rate(success), shown_rate(stats, "success_rate")) + "   retries " +
         whole(count(stats, "retries"));
}

std::string latency_line(const json& stats) {
  const auto& figures = member(stats, "latency_ms");
  return in(dim, "latency  ") + "p50 " + shown_time(figures, "p50") + "   p90 " +
         shown_time(figures, "p90") + "   p99 " + shown_time(figures, "p99");
}

std::string history_line(const json& stats, std::size_t columns) {
  const auto& window = member(stats, "window");
  auto values = per_bucket(window, {"completed", "failed", "canceled", "rejected"});
  auto most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  auto tail = "  at most " + whole(most) + " in " + whole(count(window, "bucket_seconds")) + " s";
  auto used = 9 + tail.size();
  return in(dim, "15 min   ") +
         in("\x1b[36m", sparkline(values, columns > used ? columns - used : 1)) + in(dim, tail);
}

std::string role_table(const json& roles, std::size_t columns) {
  table rows{{"role", "waits", "runs", "slots", "agents", "starting", "trouble"}, {}};
  for (const auto& role : roles) {
    auto waiting = count(role, "waiting");
    auto slots = count(role, "slots");
    const auto& trouble = member(role, "trouble");
    rows.rows.push_back(
        {{shown(role, "role")},
         {whole(waiting), waiting > 0 ? yellow : ""},
         {whole(count(role, "running"))},
         {load_bar(slots - count(role, "free_slots"), slots), "\x1b[36m"},
         {whole(count(role, "agents")) + "/" + shown(role, "max_agents")},
         {whole(count(role, "starting"))},
         {trouble.is_object() ? text(trouble, "code") + ": " + text(trouble, "message") : "",
          red}});
  }
  return aligned(rows, columns);
}

/// What works, or has trouble, is of more interest than what is idle.
double interest(const json& agent) {
  auto trouble = text(agent, "condition") != "ok" || text(agent, "state") != "ready";
  return count(agent, "in_flight") * 1'000 + (trouble ? 500 : 0) +
         std::min(count(agent, "failed"), 400.0);
}

cell state_of(const json& agent) {
  auto condition = text(agent, "condition");
  if (text(agent, "state") == "draining")
    return {"draining", yellow};
  if (condition == "parked")
    return {"parked " + shown_time(agent, "parked_ms"), yellow};
  return {condition == "ok" ? "ready" : condition, condition == "ok" ? green : red};
}

std::string agent_table(const json& agents, std::size_t columns) {
  std::vector<const json*> sorted;
  for (const auto& agent : agents)
    sorted.push_back(&agent);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return interest(*a) > interest(*b); });
  table rows{
      {"agent", "role", "state", "load", "done", "failed", "success", "latency", "last error"}, {}};
  for (const auto* one : sorted) {
    auto success = number(*one, "success_rate");
    const auto& error = member(*one, "last_error");
    auto failed = count(*one, "failed");
    rows.rows.push_back(
        {{shown(*one, "agent_id")},
         {shown(*one, "role")},
         state_of(*one),
         {load_bar(count(*one, "in_flight"), count(*one, "limit")), "\x1b[36m"},
         {whole(count(*one, "succeeded"))},
         {whole(failed), failed > 0 ? red : ""},
         {shown_rate(*one, "success_rate"), colour_of_rate(success)},
         {shown_time(*one, "latency_ms")},
         {error.is_object() ? text(error, "code") + ": " + text(error, "message") : "", red}});
  }
  return aligned(rows, columns);
}

/// Adds `more` as far as there is room, and says how much of it had none.
void add_rows(std::vector<std::string>& picture, const std::vector<std::string>& more,
              std::size_t room, const char* what) {
  if (more.size() <= room) {
    picture.insert(picture.end(), more.begin(), more.end());
    return;
  }
  if (room < 3) // not even a heading, one row, and the word on the others
    return;
  auto shown_rows = room - 1;
  picture.insert(picture.end(), more.begin(),
                 more.begin() + static_cast<std::ptrdiff_t>(shown_rows));
  picture.push_back(in(dim, "and " + std::to_string(more.size() - shown_rows) + " more " + what));
}

} // namespace

std::string sparkline(const std::vector<double>& values, std::size_t width) {
  static constexpr std::array<const char*, 9> bars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (values.empty() || width == 0)
    return "";
  auto merged = (values.size() + width - 1) / width;
  std::vector<double> sums;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % merged == 0)
      sums.push_back(0);
    sums.back() += values[i];
  }
  auto most = *std::max_element(sums.begin(), sums.end());
  std::string result;
  for (auto sum : sums)
    result += bars[sum <= 0 ? 0 : static_cast<std::size_t>(std::ceil(sum / most * 8))];
  return result;
}

std::string long_time(millis value) {
  auto seconds = std::max<millis::rep>(0, value.count() / 1'000);
  auto two = [](auto first, const char* unit, auto second, const char* smaller) {
    return std::to_string(first) + unit + " " + std::to_string(second) + smaller;
  };
  if (seconds < 60)
    return std::to_string(seconds) + "s";
  if (seconds < 3'600)
    return two(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86'400)
    return two(seconds / 3'600, "h", seconds / 60 % 60, "m");
  return two(seconds / 86'400, "d", seconds / 3'600 % 24, "h");
}

std::vector<std::string> draw_top(const top_picture& picture, std::size_t columns,
                                  std::size_t rows) {
  const auto& snapshot = picture.snapshot;
  std::vector<std::string> lines{heading(picture)};
  if (!picture.away.empty())
    lines.push_back("\x1b[1;31m" +
                    printable("the node is away, all this is stale since " + picture.taken + " (" +
                              long_time(picture.age) + "): " + picture.away) +
                    off);
  else
    lines.emplace_back();
  lines.push_back(task_line(snapshot.stats));
  lines.push_back(flow_line(snapshot.stats));
  lines.push_back(latency_line(snapshot.stats));
  lines.push_back(history_line(snapshot.stats, columns));
  auto footer =
      picture.keys ? std::vector<std::string>{in(dim, "q leaves")} : std::vector<std::string>{};
  auto room = [&] {
    auto used = lines.size() + footer.size() + 1; // and the empty line before a table
    return rows > used ? rows - used : 0;
  };
  auto add = [&](const std::string& rows_text, std::size_t limit, const char* what) {
    if (limit < 2)
      return;
    lines.emplace_back();
    add_rows(lines, lines_of(rows_text), limit, what);
  };
  auto agents = snapshot.agents.size();
  // The roles leave the agents half of the room, if they need it.
  auto left = room();
  auto for_roles = std::max(left / 2, left > agents + 2 ? left - agents - 2 : 0);
  add(role_table(snapshot.roles, columns), for_roles, "roles");
  add(agent_table(snapshot.agents, columns), room(), "agents");
  if (!footer.empty()) {
    lines.resize(std::max(lines.size(), rows > 0 ? rows - 1 : 0));
    lines.push_back(footer.front());
  }
  if (lines.size() > rows)
    lines.resize(rows);
  for (auto& line : lines)
    line = cut_coloured(line, columns);
  return lines;
}

} // namespace rolecall::client
