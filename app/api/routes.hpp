#pragma once

#include "app/api/api_actor.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace rolecall::api {

/// One kind of request that the node answers.
struct route {
  std::string_view method;
  std::string_view pattern;          ///< a segment "*" stands for any
  std::optional<access_right> right; ///< none: open to all
  void (*handle)(api_self, const call_ptr&);
};

/// What is at a path, and what somebody needs to ask for it; or why nobody can.
struct destination {
  std::vector<std::string> path{};     ///< its segments, decoded
  const route* found{nullptr};         ///< null with `wrong`, and for OPTIONS
  std::optional<access_right> right{}; ///< none: open to all
  std::optional<problem_details> wrong{};
};
/// `HEAD` is found where `GET` is, but on event streams.
destination find_destination(std::string_view method, std::string_view path);

/// The methods that a path knows, as a header lists them; empty if there is no such path.
std::string allowed_methods(const std::vector<std::string>& path);

} // namespace rolecall::api
