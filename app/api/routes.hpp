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

/// What fits a request: the route, or which methods its path knows.
struct route_match {
  const route* found{nullptr};
  std::vector<std::string_view> methods; ///< empty: there is no such path

  std::string allowed() const; ///< the methods, as a header lists them
};

/// What somebody needs to ask for something; or why nobody can.
struct needed_access {
  std::optional<access_right> right; ///< none: open to all
  std::optional<problem_details> wrong;
};
needed_access needed_right(std::string_view method, std::string_view path);

/// `HEAD` is found where `GET` is, but on event streams.
route_match find_route(std::string_view method, const std::vector<std::string>& path);

} // namespace rolecall::api
