#include "app/client/submission.hpp"

#include "app/client/refusal.hpp"
#include "app/client/task_json.hpp"

#include <cerrno>
#include <cstring>
#include <optional>

#include <poll.h>
#include <unistd.h>

namespace rolecall::client {

namespace {

constexpr std::size_t max_line_bytes = 64u << 20;
// A node that is full reads on when there is room: that may take as long as its tasks do.
constexpr millis longest_wait_for_room = std::chrono::minutes{30};

bool input_is_there(int descriptor) {
  pollfd wanted{descriptor, POLLIN, 0};
  return ::poll(&wanted, 1, 0) != 0; // an error too: the read will tell it
}

/// One piece of lines under way to the node.
class piece_upload {
public:
  piece_upload(node_client& node, line_piece piece, const std::function<void(const json&)>& each)
      : node_{node}, piece_{std::move(piece)}, each_{each} {}

  /// False if interrupted.
  bool run(const interrupts& stop) {
    auto call = node_.start_stream(
        {.method = "POST",
         .path = "/v1/tasks",
         .headers = {{"Content-Type", "application/x-ndjson"}, {"Accept", "application/x-ndjson"}},
         .body = std::make_shared<const std::string>(piece_.text),
         .silence = longest_wait_for_room},
        [this](std::string_view part) { answers_.feed(part); },
        [this](net::http_result result) { end_ = std::move(result); });
    while (!end_) {
      node_.run_for(millis{100});
      take_answers();
      if (stop.happened() && !std::exchange(canceled_, true))
        node_.cancel(call); // its end comes at once
    }
    answers_.finish();
    take_answers();
    if (canceled_)
      return false;
    check_end();
    return true;
  }

  std::size_t accepted{0};
  std::size_t refused{0};

private:
  void take_answers() {
    while (true) {
      auto lines = answers_.next();
      if (lines.empty())
        return;
      std::string_view rest{lines.text};
      while (!rest.empty()) {
        auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() + 1);
        take_answer(json::parse(line, nullptr, false));
      }
    }
  }

  void take_answer(json answer) {
    if (answer.is_object() && answer.contains("accepted") && answer.contains("refused")) {
      whole_ = true;
      return;
    }
    auto line = number(answer, "line").value_or(0);
    auto accepted_id = !text(answer, "task_id").empty();
    auto has_error = answer.is_object() && answer.contains("error");
    if (!(line >= 1 && line <= static_cast<double>(piece_.numbers.size())) ||
        (!accepted_id && !has_error)) {
      nonsense_ = true; // told once the exchange has ended
      return;
    }
    ++(has_error ? refused : accepted);
    auto number = piece_.numbers[static_cast<std::size_t>(line) - 1];
    answer["line"] = number;
    each_(answer);
  }

  void check_end() {
    const auto what = std::string{"POST /v1/tasks"};
    std::optional<client_error> error;
    if (const auto* failure = std::get_if<net::http_failure>(&*end_)) {
      error = no_answer(node_.where(), *failure);
    } else if (const auto& response = std::get<net::http_response>(*end_);
               response.status / 100 != 2) {
      error = refusal(what, node_.where(), response);
    } else if (nonsense_ || !whole_) {
      error = not_a_node(what, node_.where(),
                         nonsense_ ? "there is a line in it that answers no task"
                                   : "it ends before its last line");
    }
    if (!error)
      return;
    auto answered = accepted + refused;
    if (answered < piece_.numbers.size())
      *error = client_error{std::string{error->what()} + "\n  lines " +
                                std::to_string(piece_.numbers[answered]) + " to " +
                                std::to_string(piece_.numbers.back()) +
                                " have no answer, and the lines after them were not sent",
                            error->code};
    throw *error;
  }

  node_client& node_;
  line_piece piece_;
  const std::function<void(const json&)>& each_;
  line_source answers_;
  std::optional<net::http_result> end_;
  bool canceled_{false};
  bool nonsense_{false};
  bool whole_{false}; ///< the last line of the answer has come
};

} // namespace

bool read_some(int descriptor, std::string& text) {
  char buffer[64u << 10];
  auto count = ::read(descriptor, buffer, sizeof buffer);
  if (count < 0 && errno != EINTR && errno != EAGAIN)
    throw wrong_input(std::string{"cannot read the tasks: "} + std::strerror(errno));
  if (count > 0)
    text.append(buffer, static_cast<std::size_t>(count));
  return count != 0;
}

bool wait_for_input(node_client& node, int descriptor, const interrupts& stop) {
  while (!input_is_there(descriptor)) {
    node.run_for(millis{50});
    if (stop.happened())
      return false;
  }
  return true;
}

upload_result upload_lines(node_client& node, int descriptor, line_source& source,
                           const interrupts& stop, const std::function<void(const json&)>& each) {
  upload_result result;
  auto more = true;
  auto read = [&] {
    std::string text;
    more = read_some(descriptor, text);
    source.feed(text);
    if (!more)
      source.finish();
  };
  while (!result.interrupted) {
    while (more && source.left() < line_source::piece_bytes && input_is_there(descriptor))
      read();
    auto piece = source.next();
    if (!piece.empty()) {
      piece_upload upload{node, std::move(piece), each};
      result.interrupted = !upload.run(stop);
      result.accepted += upload.accepted;
      result.refused += upload.refused;
    } else if (!more) {
      break;
    } else if (source.left() > max_line_bytes) {
      throw wrong_input("line " + std::to_string(source.line()) + ": is longer than " +
                        std::to_string(max_line_bytes) + " bytes");
    } else if (wait_for_input(node, descriptor, stop)) {
      read();
    } else {
      result.interrupted = true;
    }
  }
  return result;
}

} // namespace rolecall::client
