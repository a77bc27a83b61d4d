#include "app/run/view.hpp"

#include <algorithm>
#include <unordered_map>

#include <sys/ioctl.h>
#include <unistd.h>

namespace rolecall {

namespace {

using clock = std::chrono::steady_clock;

// A sign and a word for each state: colour is never the only difference.
struct look {
  const char* sign;
  const char* word;
  const char* colour;
};

look look_of(const task_record& task) {
  switch (task.state) {
  case task_state::submitted:
    return task.attempts == 0 ? look{"·", "waiting", "\x1b[2m"} : look{"↻", "retrying", "\x1b[33m"};
  case task_state::working: return {"▸", "working", "\x1b[36m"};
  case task_state::completed: return {"✓", "completed", "\x1b[32m"};
  case task_state::failed: return {"✗", "failed", "\x1b[31m"};
  case task_state::canceled: return {"–", "canceled", "\x1b[33m"};
  case task_state::rejected: return {"✗", "rejected", "\x1b[31m"};
  }
  return {"?", "unknown", ""};
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

/// Cut or padded to exactly `width` characters.
std::string fit(std::string text, std::size_t width) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  auto have = characters(text);
  if (have <= width)
    return text + std::string(width - have, ' ');
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && count++ == width) {
      text.resize(i);
      break;
    }
  return text;
}

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
  auto look = look_of(record);
  auto time = is_terminal(record.state) ? record.run
                                        : std::chrono::duration_cast<millis>(now - task.changed);
  auto attempt = record.attempts == 0 ? "-" : std::to_string(record.attempts);
  auto plain = fit(record.id.value, widths.id) + " " + fit(record.role.value, widths.role) + " " +
               fit(record.agent.id.empty() ? "-" : record.agent.id.value, widths.agent) + " " +
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
    winsize size{};
    auto known = ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    std::size_t columns = known ? size.ws_col : 80;
    std::size_t rows = known ? size.ws_row : 24;
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
    widths.id = std::clamp(characters(task.record.id.value), widths.id, widest);
    widths.role = std::clamp(characters(task.record.role.value), widths.role, widest);
    widths.agent = std::clamp(characters(task.record.agent.id.value), widths.agent, widest);
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
