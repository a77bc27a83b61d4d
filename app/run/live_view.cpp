#include "app/run/state_look.hpp"
#include "app/run/view.hpp"
#include "app/terminal.hpp"

#include <algorithm>
#include <unordered_map>

namespace rolecall {

namespace {

using clock = std::chrono::steady_clock;

/// What is of most interest goes first if there is no room for all.
int interest(const live_task& task) {
  switch (task.record.state) {
  case task_state::working: return 0;
  case task_state::failed:
  case task_state::rejected: return 1;
  case task_state::submitted: return task.record.attempts > 0 ? 2 : 4;
  default: return 3;
  }
}

struct columns_of_a_line {
  std::size_t id{4};
  std::size_t role{4};
  std::size_t agent{5};
};

std::string line_of(const live_task& task, const columns_of_a_line& widths, clock::time_point now,
                    std::size_t columns) {
  const auto& record = task.record;
  auto look = look_of(record.state, record.attempts);
  auto time = is_terminal(record.state) ? record.run
                                        : std::chrono::duration_cast<millis>(now - task.changed);
  auto attempt = record.attempts == 0 ? "-" : std::to_string(record.attempts);
  auto plain = fit(record.id.str(), widths.id) + " " + fit(record.role.str(), widths.role) + " " +
               fit(record.agent.id.empty() ? "-" : record.agent.id.str(), widths.agent) + " " +
               fit(attempt, 3) + fit(short_time(time), 8) + " ";
  auto head = std::string{look.sign} + " " + fit(look.word, 10);
  auto used = characters(head) + characters(plain);
  auto text = used < columns ? gist(record, columns) : "";
  auto line = fit(plain + text, columns > characters(head) ? columns - characters(head) : 0);
  line.erase(line.find_last_not_of(' ') + 1);
  return look.colour + head + "\x1b[0m" + line;
}

class live_view : public run_view {
public:
  explicit live_view(std::FILE* out) : out_{out} {}

  void start(const std::vector<task_record>& tasks, time_point now) override {
    started_ = now;
    for (const auto& task : tasks) {
      places_[task.id] = tasks_.size();
      tasks_.push_back({task, now});
    }
    redraw(now);
  }

  void update(const task_record& task, time_point now) override {
    auto place = places_.find(task.id);
    if (place == places_.end())
      return;
    tasks_[place->second] = {task, now};
    tick(now);
  }

  void tick(time_point now) override {
    constexpr millis frame{80};
    if (now - drawn_ >= frame)
      redraw(now);
  }

  void note(const std::string& text) override {
    erase();
    std::fprintf(out_, "%s\n", text.c_str());
    std::fflush(out_);
  }

  void finish(const run_summary& summary, time_point now) override {
    redraw(now);
    std::fprintf(out_, "\n%s", to_text(summary).c_str());
    std::fflush(out_);
  }

private:
  void erase() {
    if (lines_ > 0)
      std::fprintf(out_, "\x1b[%zuA\r\x1b[J", lines_);
    lines_ = 0;
  }

  void redraw(time_point now) {
    drawn_ = now;
    auto [columns, rows] = size_of(out_);
    auto picture = draw(tasks_, std::chrono::duration_cast<millis>(now - started_), now, columns,
                        rows > 2 ? rows - 1 : 1);
    erase();
    for (const auto& line : picture)
      std::fprintf(out_, "%s\n", line.c_str());
    lines_ = picture.size();
    std::fflush(out_);
  }

  std::FILE* out_;
  std::vector<live_task> tasks_;
  std::unordered_map<task_id, std::size_t> places_;
  time_point started_{};
  time_point drawn_{};
  std::size_t lines_{0}; // of the picture that stands on the terminal
};

} // namespace

std::vector<std::string> draw(const std::vector<live_task>& tasks, millis elapsed,
                              clock::time_point now, std::size_t columns, std::size_t rows) {
  std::vector<const live_task*> shown;
  std::size_t done = 0;
  columns_of_a_line widths;
  constexpr std::size_t widest = 28;
  for (const auto& task : tasks) {
    shown.push_back(&task);
    done += is_terminal(task.record.state) ? 1 : 0;
    widths.id = std::clamp(characters(task.record.id.str()), widths.id, widest);
    widths.role = std::clamp(characters(task.record.role.str()), widths.role, widest);
    widths.agent = std::clamp(characters(task.record.agent.id.str()), widths.agent, widest);
  }
  auto room = rows > 2 ? rows - 2 : 0; // the heading and the bar
  if (shown.size() > room) {
    std::stable_sort(shown.begin(), shown.end(),
                     [](const auto* a, const auto* b) { return interest(*a) < interest(*b); });
    shown.resize(room);
  }
  auto heading = "  " + fit("state", 10) + fit("task", widths.id) + " " + fit("role", widths.role) +
                 " " + fit("agent", widths.agent) + " try time";
  std::vector<std::string> result{"\x1b[2m" + fit(heading, std::min(columns, heading.size())) +
                                  "\x1b[0m"};
  for (const auto* task : shown)
    result.push_back(line_of(*task, widths, now, columns));
  auto count =
      " " + std::to_string(done) + "/" + std::to_string(tasks.size()) + "  " + short_time(elapsed);
  auto width =
      std::min<std::size_t>(40, columns > count.size() + 2 ? columns - count.size() - 2 : 0);
  auto filled = tasks.empty() ? width : width * done / tasks.size();
  result.push_back("[" + std::string(filled, '#') + std::string(width - filled, '.') + "]" + count);
  return result;
}

std::unique_ptr<run_view> make_live_view(std::FILE* out) {
  return std::make_unique<live_view>(out);
}

} // namespace rolecall
