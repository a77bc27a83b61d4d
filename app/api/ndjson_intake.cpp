#include "app/api/ndjson_intake.hpp"

#include "app/api/request.hpp"
#include "messages/json_codec.hpp"
#include "messages/json_writer.hpp"

#include <algorithm>

namespace rolecall::api {

namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

} // namespace

void ndjson_intake::feed(std::string_view piece) {
  constexpr std::string_view byte_order_mark{"\xEF\xBB\xBF"};
  while (!piece.empty()) {
    auto end = piece.find('\n');
    auto part = piece.substr(0, end);
    piece.remove_prefix(end == std::string_view::npos ? piece.size() : end + 1);
    if (skipping_) {
      skipping_ = end == std::string_view::npos;
      continue;
    }
    if (rest_.size() + part.size() > options_.max_line_bytes) {
      ++lines_;
      pending_.push_back(
          {lines_,
           problem_details{"too_large", "the line is over " +
                                            std::to_string(options_.max_line_bytes) + " bytes"}});
      rest_ = {};
      skipping_ = end == std::string_view::npos;
      continue;
    }
    rest_ += part;
    if (end == std::string_view::npos)
      return;
    auto text = std::exchange(rest_, {});
    ++lines_;
    std::string_view line{text};
    if (lines_ == 1 && line.starts_with(byte_order_mark))
      line.remove_prefix(byte_order_mark.size());
    read_line(line);
  }
}

void ndjson_intake::end() {
  if (!rest_.empty())
    feed("\n");
}

void ndjson_intake::read_line(std::string_view text) {
  if (is_blank(text))
    return;
  std::vector<problem> problems;
  auto value = parse_body(text, {options_.max_line_bytes, max_payload_depth}, problems);
  std::optional<task_spec> task;
  if (value)
    task = read_task(*value, "", problems);
  if (!task) {
    auto code = value ? "invalid_task" : "invalid_body";
    auto detail = value ? "this line is not a task" : "this line is not JSON";
    pending_.push_back({lines_, problem_details{code, detail, std::move(problems)}});
    return;
  }
  if (task->id.empty())
    task->id = task_id{options_.make_id()};
  task->traceparent = options_.traceparent;
  pending_.push_back({lines_, std::move(*task)});
}

std::vector<task_spec> ndjson_intake::batch() {
  while (!pending_.empty()) {
    const auto* wrong = std::get_if<problem_details>(&pending_.front().what);
    if (!wrong)
      break;
    answer(pending_.front().number, *wrong);
    pending_.pop_front();
  }
  std::vector<task_spec> result;
  for (const auto& line : pending_) {
    const auto* task = std::get_if<task_spec>(&line.what);
    if (!task || result.size() == batch_limit_)
      break;
    result.push_back(*task);
  }
  in_batch_ = result.size();
  return result;
}

void ndjson_intake::accepted(const std::set<task_id>& known) {
  for (; in_batch_ > 0; --in_batch_) {
    const auto& task = std::get<task_spec>(pending_.front().what);
    answer(pending_.front().number, task, known.contains(task.id));
    pending_.pop_front();
  }
  batch_limit_ = std::min(max_batch, batch_limit_ * 2);
}

void ndjson_intake::refuse_batch(const problem_details& why) {
  for (; in_batch_ > 0; --in_batch_) {
    answer(pending_.front().number, why);
    pending_.pop_front();
  }
}

bool ndjson_intake::refused(const problem_details& why) {
  if (in_batch_ > 1) {
    batch_limit_ = in_batch_ / 2;
    return true;
  }
  if (why.code == "queue_full" || why.code == "overloaded")
    return false;
  refuse_batch(why);
  batch_limit_ = std::min(max_batch, batch_limit_ * 2);
  return true;
}

std::string ndjson_intake::summary() const {
  return dump(nlohmann::ordered_json{{"accepted", accepted_}, {"refused", refused_}}) + "\n";
}

void ndjson_intake::answer(std::uint64_t number, const task_spec& task, bool known) {
  ++accepted_;
  object_writer out{output_};
  out.add("line", number);
  out.add("task_id", task.id.str());
  if (known)
    out.add("known", true);
  out.end();
  output_ += '\n';
}

void ndjson_intake::answer(std::uint64_t number, const problem_details& why) {
  ++refused_;
  output_ += dump(nlohmann::ordered_json{{"line", number}, {"error", to_json(why)}}) + "\n";
}

} // namespace rolecall::api
