#pragma once

#include "app/client/node_client.hpp"

#include <string>
#include <vector>

namespace rolecall::client {

/// What a node has told of itself, in its own JSON. A part that it did not tell is null.
struct node_snapshot {
  json stats;
  json roles;  ///< the array
  json agents; ///< the array
  json node;   ///< of `nodes`, the one that answered
};

/// What `top` shows.
struct top_picture {
  node_snapshot snapshot;
  std::string where; ///< the node's URL
  std::string clock; ///< the local time
  std::string away;  ///< why the node does not answer; empty if it does
  std::string taken; ///< the local time of the snapshot
  millis age{0};     ///< of the snapshot
  bool keys{false};  ///< whether keys are read
};

/// The picture as lines of at most `columns` characters, at most `rows` of them, with escape
/// sequences for colours. Pure, so that it can be tested. If there is not room for all agents,
/// those that work or fail go first.
std::vector<std::string> draw_top(const top_picture& picture, std::size_t columns,
                                  std::size_t rows);

/// The values as a line of bars, each column the sum of as many values as it takes to fit into
/// `width`; the highest bar is full, and what is not zero is seen.
std::string sparkline(const std::vector<double>& values, std::size_t width);

/// A length of time in its two largest units: "3h 12m", "45s".
std::string long_time(millis value);

} // namespace rolecall::client
