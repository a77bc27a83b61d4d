#pragma once

#include "app/client/interrupts.hpp"
#include "app/client/line_source.hpp"
#include "app/client/node_client.hpp"

#include <functional>
#include <string>
#include <vector>

namespace rolecall::client {

/// What became of the lines of an NDJSON text.
struct upload_result {
  std::size_t accepted{0};
  std::size_t refused{0};
  bool interrupted{false};
};

/// Submits the lines that come from a descriptor, piece by piece: what has come is sent when a
/// piece is full or nothing more is there at the moment, so it may be a pipe that stays open.
/// `each` gets the node's answer to each line ({"line","task_id"} or {"line","error"}), with the
/// line's number in the whole text, as it comes. `source` may hold the beginning of the text.
/// Throws `client_error` if the node fails on the way; what was accepted until then stays so.
upload_result upload_lines(node_client& node, int descriptor, line_source& source,
                           const interrupts& stop, const std::function<void(const json&)>& each);

/// Reads what is there now, at most 64 KiB, and appends it to `text`. False at the end. Throws
/// `client_error`.
bool read_some(int descriptor, std::string& text);

/// Waits until there is something to read; runs the node's loop meanwhile. False if interrupted.
bool wait_for_input(node_client& node, int descriptor, const interrupts& stop);

} // namespace rolecall::client
