#include "app/client/receipt_text.hpp"

#include "app/client/fleet_text.hpp"
#include "app/client/task_json.hpp"
#include "app/terminal.hpp"

#include <array>
#include <cstdio>

namespace rolecall::client {

namespace {

void add_line(std::string& out, const std::string& name, const std::string& value) {
  out += "  " + fit(name, 12) + printable(value) + "\n";
}

/// To the microsecond, which is what a receipt is about.
std::string after_start(const json& receipt) {
  auto time = number(receipt, "first_byte_ms");
  if (!time)
    return "none came";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3fms after the start", *time);
  return text.data();
}

std::string body_text(const json& receipt, const char* bytes, const char* hash) {
  return shown(receipt, bytes) + " bytes, SHA-256 " + shown(receipt, hash);
}

void add_attempt(std::string& out, const json& task, const json& attempt) {
  out += printable(shown(task, "task_id") + ", attempt " + shown(attempt, "attempt") + ": " +
                   shown(attempt, "verdict")) +
         "\n";
  add_line(out, "agent", shown(attempt, "agent_id"));
  add_line(out, "service", shown(attempt, "service"));
  auto found = attempt.is_object() ? attempt.find("receipt") : attempt.end();
  auto known = found != attempt.end() && found->is_object();
  if (known) {
    add_line(out, "node", shown(*found, "node"));
    add_line(out, "url", shown(*found, "url"));
  }
  add_line(out, "start", shown(attempt, "started_at"));
  if (known)
    add_line(out, "first byte", after_start(*found));
  auto running = shown(attempt, "verdict") == "running";
  add_line(out, "end", running ? "not yet" : shown_time(attempt, "run_ms") + " after the start");
  if (!known)
    return add_line(out, "receipt", "none");
  add_line(out, "status", shown(*found, "http_status"));
  add_line(out, "request", body_text(*found, "request_bytes", "request_sha256"));
  add_line(out, "answer", body_text(*found, "answer_bytes", "answer_sha256"));
}

} // namespace

std::string receipts_text(const json& task) {
  std::string out;
  auto history = task.is_object() ? task.find("history") : task.end();
  if (history != task.end() && history->is_array())
    for (const auto& attempt : *history)
      add_attempt(out, task, attempt);
  if (out.empty())
    return printable(shown(task, "task_id")) + ": no attempt yet\n";
  return out;
}

} // namespace rolecall::client
