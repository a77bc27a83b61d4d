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

/// What somebody needs to ask for something; or why nobody can.
struct needed_access {
  std::optional<access_right> right; ///< none: open to all
  std::optional<problem_details> wrong;
};
needed_access needed_right(std::string_view method, std::string_view path);

/// Null if there is none. `HEAD` is found where `GET` is, but on event streams.
const route* find_route(std::string_view method, const std::vector<std::string>& path);

/// The methods that a path knows, as a header lists them; empty if there is no such path.
std::string allowed_methods(const std::vector<std::string>& path);

} // namespace rolecall::api
