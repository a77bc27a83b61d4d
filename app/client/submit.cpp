#include "app/client/submit.hpp"

#include "app/client/refusal.hpp"
#include "app/client/submission.hpp"
#include "app/client/task_follower.hpp"
#include "app/client/task_json.hpp"
#include "app/run/batch.hpp"
#include "app/run/view.hpp"
#include "app/terminal.hpp"
#include "messages/json_codec.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace rolecall::client {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t max_text_bytes = 256u << 20; // as for a run

/// The file with the tasks, opened; stdin stays open when it goes.
class input_file {
public:
  explicit input_file(const std::string& name)
      : descriptor_{name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC)} {
    if (descriptor_ < 0)
      throw wrong_input("cannot read " + name + ": " + std::strerror(errno));
  }
  ~input_file() {
    if (descriptor_ != STDIN_FILENO)
      ::close(descriptor_);
  }
  input_file(const input_file&) = delete;
  input_file& operator=(const input_file&) = delete;

  int descriptor() const noexcept { return descriptor_; }

private:
  int descriptor_;
};

class submitter {
public:
  submitter(node_client& node, const submit_options& options)
      : node_{node}, options_{options}, stop_{node.context()} {}

  int run() {
    if (options_.file.empty() == options_.role.empty())
      throw wrong_input("name a FILE with tasks (- is stdin), or one task with --role and --input");
    auto spawned = options_.wait ? agents_spawned() : 0;
    started_ = clock::now();
    if (!options_.role.empty())
      submit_whole(quick_task());
    else
      submit_file();
    if (interrupted_)
      return say_interrupted();
    if (!options_.wait)
      return say_accepted();
    return follow(spawned);
  }

private:
  std::string source() const {
    return options_.file == "-" ? "stdin" : options_.file.empty() ? "the task" : options_.file;
  }

  std::string quick_task() const {
    std::vector<problem> problems;
    auto input = options_.input.empty() ? "null" : options_.input;
    if (!parse_json(input, {max_text_bytes, max_payload_depth}, problems))
      throw wrong_input("--input: " + to_text(problems.front()) +
                        "\n  text is JSON if it stands in quotes: --input '\"text\"'");
    return dump(json{{"role", options_.role}, {"input", json::parse(input)}});
  }

  void submit_file() {
    input_file in{options_.file};
    std::string text;
    // The first line decides; a text that is not NDJSON is read to its end.
    auto first = std::string_view{};
    for (auto more = true; more;) {
      if (!wait_for_input(node_, in.descriptor(), stop_)) {
        interrupted_ = true;
        return;
      }
      more = read_some(in.descriptor(), text);
      first = first_line(text, more);
      if (begins_ndjson(first))
        return submit_lines(in.descriptor(), text);
      if (text.size() > max_text_bytes)
        throw wrong_input(source() + ": is larger than " + std::to_string(max_text_bytes) +
                          " bytes; NDJSON (a task a line) has no such limit");
    }
    submit_whole(text);
  }

  /// The first line that is not blank, once it is whole.
  static std::string_view first_line(std::string_view text, bool more) {
    constexpr std::string_view byte_order_mark{"\xEF\xBB\xBF"};
    if (text.starts_with(byte_order_mark))
      text.remove_prefix(byte_order_mark.size());
    auto start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos)
      return {};
    auto end = text.find('\n', start);
    if (end == std::string_view::npos && more)
      return {};
    return text.substr(start, end == std::string_view::npos ? end : end - start);
  }

  void submit_lines(int descriptor, std::string_view beginning) {
    line_source lines;
    lines.feed(beginning);
    auto result = upload_lines(node_, descriptor, lines, stop_,
                               [this](const json& answer) { on_line(answer); });
    refused_ = result.refused;
    interrupted_ = result.interrupted;
  }

  void on_line(const json& answer) {
    if (options_.json && !options_.wait)
      print_json_line(answer);
    if (answer.contains("error")) {
      tell(source() + ": line " + shown(answer, "line") + ": " + problem_text(answer["error"]));
      return;
    }
    task_record task;
    task.id = task_id{text(answer, "task_id")};
    if (!options_.wait && !options_.json)
      std::printf("%s\n", printable(task.id.str()).c_str());
    ++accepted_;
    known_ += answer.contains("known") ? 1 : 0;
    if (options_.wait) // otherwise there may be any number of them
      tasks_.push_back(std::move(task));
  }

  void submit_whole(std::string text) {
    auto checked = parse_batch(text);
    if (const auto* problems = std::get_if<std::vector<problem>>(&checked)) {
      std::string all;
      for (const auto& problem : *problems)
        all += (all.empty() ? "" : "\n") + source() + ": " + to_text(problem);
      throw wrong_input(all);
    }
    constexpr std::string_view byte_order_mark{"\xEF\xBB\xBF"};
    if (text.starts_with(byte_order_mark))
      text.erase(0, byte_order_mark.size());
    const std::string what = "POST /v1/tasks";
    answer_ = node_.post_json("/v1/tasks", std::move(text));
    if (answer_.contains("tasks"))
      for (const auto& view : array_in(answer_, "tasks", what, node_))
        tasks_.push_back(task_in(view, what, node_));
    else
      tasks_.push_back(task_in(answer_, what, node_));
    accepted_ = tasks_.size();
    if (answer_.contains("known"))
      known_ = array_in(answer_, "known", what, node_).size();
  }

  int say_accepted() const {
    if (options_.json && !answer_.is_null())
      print_json(answer_);
    else if (!options_.json && !answer_.is_null())
      for (const auto& task : tasks_)
        std::printf("%s\n", printable(task.id.str()).c_str());
    std::fflush(stdout);
    tell(std::to_string(accepted_) + (accepted_ == 1 ? " task" : " tasks") + " accepted" +
         (refused_ > 0 ? ", " + std::to_string(refused_) + " refused" : ""));
    say_known();
    if (refused_ == 0)
      return exit_codes::ok;
    return accepted_ == 0 ? exit_codes::wrong_input : exit_codes::failure;
  }

  void say_known() const {
    if (known_ > 0)
      tell(std::to_string(known_) + " of them " + (known_ == 1 ? "was" : "were") +
           " known already, by id and content, and not begun again");
  }

  int say_interrupted() const {
    tell("interrupted: " + std::to_string(accepted_) +
         (accepted_ == 1 ? " task was" : " tasks were") +
         " accepted, and the node goes on with what it accepted");
    return exit_codes::interrupted;
  }

  /// Agents that the node has had spawned since it started.
  std::uint64_t agents_spawned() {
    auto stats = node_.get("/v1/stats");
    auto agents = stats.is_object() && stats.contains("agents") ? stats["agents"] : json{};
    return static_cast<std::uint64_t>(number(agents, "spawned").value_or(0));
  }

  int follow(std::uint64_t spawned_before) {
    // A report has stdout for itself.
    auto* out = options_.json ? stderr : stdout;
    auto view = leads_to_terminal(out)
                    ? make_live_view(out)
                    : make_line_view(out, options_.json ? verbosity::quiet : verbosity::normal,
                                     options_.json);
    say_known();
    view->start(tasks_, started_);
    for (const auto& task : tasks_) // a task may have ended before we look
      if (is_terminal(task.state))
        view->update(task, started_);
    task_follower follower{
        node_,
        tasks_,
        true,
        {[&](const task_record& task, const json&) { view->update(task, clock::now()); },
         [&](const std::string& remark) {
           if (leads_to_terminal(out)) // the picture stands there: it makes room
             view->note(remark);
           else
             tell(remark);
         }}};
    auto deadline = clock::now() + *parse_duration(options_.timeout);
    auto ended = [&] {
      return follower.open() == 0 || follower.failure() || stop_.happened() ||
             clock::now() >= deadline;
    };
    while (!ended()) {
      node_.run_for(millis{100});
      view->tick(clock::now());
    }
    return report(follower, *view, spawned_before);
  }

  int report(const task_follower& follower, run_view& view, std::uint64_t spawned_before) {
    auto wall = std::chrono::duration_cast<millis>(clock::now() - started_);
    auto open = follower.open();
    std::uint64_t spawned = 0;
    if (open == 0) {
      auto now = agents_spawned();
      spawned = now > spawned_before ? now - spawned_before : 0; // or the node has been restarted
    }
    auto summary = summarize(follower.tasks(), wall, spawned);
    view.finish(summary, clock::now());
    if (options_.json)
      print_json(rolecall::report(follower.tasks(), summary));
    auto rest = std::to_string(open) + (open == 1 ? " task goes on" : " tasks go on") + " at " +
                node_.where() + "; rolecall watch follows them";
    if (open > 0 && follower.failure())
      throw client_error{follower.failure()->what() + ("\n  " + rest)};
    if (open > 0 && stop_.happened()) {
      tell("interrupted: " + rest);
      return exit_codes::interrupted;
    }
    if (open > 0)
      tell("not all tasks ended within " + options_.timeout + ": " + rest);
    return open == 0 && refused_ == 0 && summary.completed == summary.submitted
               ? exit_codes::ok
               : exit_codes::failure;
  }

  node_client& node_;
  const submit_options& options_;
  interrupts stop_;
  clock::time_point started_;
  std::size_t accepted_{0};
  std::size_t known_{0};           ///< of those: the node had them before
  std::vector<task_record> tasks_; ///< the accepted tasks, as the node's answer has them
  json answer_;                    ///< the node's, to a text that was sent as a whole
  std::size_t refused_{0};
  bool interrupted_{false};
};

} // namespace

int submit(node_client& node, const submit_options& options) {
  return submitter{node, options}.run();
}

} // namespace rolecall::client
