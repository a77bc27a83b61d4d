#include "app/client/top_command.hpp"

#include "app/client/command.hpp"
#include "app/client/event_text.hpp"
#include "app/client/interrupts.hpp"
#include "app/client/screen.hpp"
#include "app/client/task_json.hpp"
#include "app/client/top_view.hpp"

#include <array>
#include <cstdlib>
#include <memory>
#include <optional>

namespace rolecall::client {

namespace {

using clock = std::chrono::steady_clock;

/// Asks the node for all that `top` shows, all at the same time, again and again.
class sampler {
public:
  explicit sampler(node_client& node) : node_{node} {}

  /// Asks anew, unless the answers to the last questions are still to come.
  void ask() {
    if (round_ && round_->open > 0)
      return;
    round_ = std::make_shared<round>();
    for (const auto* path : {"/v1/stats", "/v1/roles", "/v1/agents?limit=1000", "/v1/nodes"}) {
      ++round_->open;
      auto place = round_->open - 1;
      node_.start_get(path, [round = round_, place](node_client::answer answer) {
        --round->open;
        if (auto* error = std::get_if<client_error>(&answer))
          round->error = *error;
        else
          round->answers[place] = std::get<json>(std::move(answer));
      });
    }
  }

  /// Whether the answers to the last questions are all there, and have not been taken.
  bool ready() const { return round_ && round_->open == 0; }

  /// Takes them. Throws what kept them from coming.
  node_snapshot take() {
    auto last = std::exchange(round_, nullptr);
    if (last->error)
      throw *last->error;
    auto& [stats, roles, agents, nodes] = last->answers;
    node_snapshot result;
    result.roles = array_in(roles, "roles", "GET /v1/roles", node_);
    result.agents = array_in(agents, "agents", "GET /v1/agents", node_);
    const auto& all = array_in(nodes, "nodes", "GET /v1/nodes", node_);
    for (const auto& one : all) // of many, the one that counts these figures
      if (result.node.is_null() || text(one, "node") == text(stats, "node"))
        result.node = one;
    result.stats = std::move(stats);
    return result;
  }

private:
  struct round {
    std::size_t open{0};
    std::array<json, 4> answers;
    std::optional<client_error> error;
  };

  node_client& node_;
  std::shared_ptr<round> round_; ///< shared with the answers, which may come when this is gone
};

node_snapshot first_snapshot(node_client& node, sampler& samples, const interrupts& stop) {
  samples.ask();
  while (!samples.ready() && !stop.happened())
    node.run_for(millis{100});
  return samples.ready() ? samples.take() : node_snapshot{};
}

int show_once(const node_snapshot& snapshot, const node_client& node, bool as_json) {
  if (as_json) {
    print_json({{"stats", snapshot.stats},
                {"roles", snapshot.roles},
                {"agents", snapshot.agents},
                {"node", snapshot.node}});
    return exit_codes::ok;
  }
  constexpr std::size_t columns = 200; // a pipe has no width; errors need some end
  constexpr std::size_t all_rows = 1'000'000;
  auto now = wall_clock();
  top_picture picture{snapshot, node.where(), now, "", now, millis{0}, false};
  for (const auto& line : draw_top(picture, columns, all_rows))
    std::printf("%s\n", without_colours(line).c_str());
  return exit_codes::ok;
}

/// The view on a terminal. Its pace: questions once a second, pictures at most twice.
class live_top {
public:
  live_top(node_client& node, sampler& samples, node_snapshot first, const interrupts& stop)
      : node_{node}, samples_{samples}, stop_{stop} {
    picture_.snapshot = std::move(first);
    picture_.where = node.where();
    picture_.keys = screen_.has_keys();
    picture_.taken = wall_clock();
    taken_ = asked_ = clock::now();
  }

  int run() {
    constexpr millis pause{1'000};
    constexpr millis frame{500};
    auto size = size_of(stdout);
    draw(size);
    while (true) {
      node_.run_for(millis{50});
      if (stop_.happened() || std::ferror(stdout))
        return exit_codes::interrupted;
      if (screen_.keys().find_first_of("qQ") != std::string::npos)
        return exit_codes::ok;
      if (samples_.ready())
        take();
      auto now = clock::now();
      if (now - asked_ >= pause) {
        samples_.ask();
        asked_ = now;
      }
      auto new_size = size_of(stdout);
      auto resized = new_size.columns != size.columns || new_size.rows != size.rows;
      if (resized || now - drawn_ >= frame)
        draw(size = new_size);
    }
  }

private:
  void take() {
    try {
      picture_.snapshot = samples_.take();
      picture_.away.clear();
      picture_.taken = wall_clock();
      taken_ = clock::now();
    } catch (const client_error& error) {
      std::string why = error.what();
      picture_.away = why.substr(0, why.find('\n'));
    }
  }

  void draw(terminal_size size) {
    drawn_ = clock::now();
    picture_.clock = wall_clock();
    picture_.age = std::chrono::duration_cast<millis>(drawn_ - taken_);
    screen_.show(draw_top(picture_, size.columns, size.rows));
  }

  node_client& node_;
  sampler& samples_;
  const interrupts& stop_;
  screen screen_;
  top_picture picture_;
  clock::time_point taken_;
  clock::time_point asked_;
  clock::time_point drawn_;
};

int run_top(node_client& node, const command_options& options) {
  interrupts stop{node.context()};
  sampler samples{node};
  auto first = first_snapshot(node, samples, stop);
  if (stop.happened())
    return exit_codes::interrupted;
  const auto* kind = std::getenv("TERM");
  auto draws = leads_to_terminal(stdout) && kind && std::string_view{kind} != "dumb";
  if (options.json || !draws)
    return show_once(first, node, options.json);
  return live_top{node, samples, std::move(first), stop}.run();
}

} // namespace

void add_top_command(CLI::App& app, std::function<int()>& run) {
  add_command<command_options>(
      app, run, "top", "Shows what a node does, live on a terminal (q leaves), once in a pipe",
      [](CLI::App&, command_options&) {}, run_top);
}

} // namespace rolecall::client
