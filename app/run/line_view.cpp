#include "app/run/view.hpp"

#include <map>

namespace rolecall {

namespace {

class line_view : public run_view {
public:
  line_view(std::FILE* out, verbosity level, bool silent_end)
      : out_{out}, level_{level}, silent_end_{silent_end} {}

  void start(const std::vector<task_record>& tasks, time_point) override {
    total_ = tasks.size();
    if (level_ != verbosity::quiet)
      std::fprintf(out_, "%zu task%s\n", total_, total_ == 1 ? "" : "s");
  }

  void update(const task_record& task, time_point) override {
    if (is_terminal(task.state))
      ++done_;
    if (level_ == verbosity::quiet)
      return;
    auto state = to_string(task.state);
    if (task.state == task_state::submitted) {
      if (task.attempts == 0 && level_ != verbosity::verbose)
        return;
      state = task.attempts == 0 ? "waiting" : "retrying";
    }
    auto count = is_terminal(task.state)
                     ? "[" + std::to_string(done_) + "/" + std::to_string(total_) + "] "
                     : std::string{};
    auto line = count + state + " " + task.id.str() + " role=" + task.role.str();
    if (!task.agent.id.empty())
      line += " agent=" + task.agent.id.str() + " attempt=" + std::to_string(task.attempts);
    if (is_terminal(task.state) && task.attempts > 0)
      line += " time=" + short_time(task.run);
    constexpr std::size_t width = 200;
    if (auto text = gist(task, width); !text.empty() && task.state != task_state::working)
      line += ": " + text;
    std::fprintf(out_, "%s\n", line.c_str());
    std::fflush(out_);
  }

  void tick(time_point) override {}

  void note(const std::string& text) override {
    if (level_ != verbosity::quiet)
      std::fprintf(out_, "%s\n", text.c_str());
    std::fflush(out_);
  }

  void finish(const run_summary& summary, time_point) override {
    if (!silent_end_)
      std::fprintf(out_, "%s", to_text(summary).c_str());
    std::fflush(out_);
  }

private:
  std::FILE* out_;
  verbosity level_;
  bool silent_end_;
  std::size_t total_{0};
  std::size_t done_{0};
};

} // namespace

std::unique_ptr<run_view> make_line_view(std::FILE* out, verbosity level, bool silent_end) {
  return std::make_unique<line_view>(out, level, silent_end);
}

} // namespace rolecall
