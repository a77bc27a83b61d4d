#include "messages/link_codec.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/serializer_impl.hpp>

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

using sink = caf::serializer_impl<std::string>;
using source = caf::binary_deserializer;

// -- both ways
// -----------------------------------------------------------------------------------------

template <class T>
bool save(sink& out, const T& value) {
  return !out(value);
}
template <class T>
bool load(source& in, T& value) {
  return !in(value);
}

template <class... Kinds>
bool save(sink& out, const std::variant<Kinds...>& value);
template <class... Kinds>
bool load(source& in, std::variant<Kinds...>& value);

bool save(sink& out, const numbered_question& x) {
  return save(out, x.id) && save(out, x.question);
}
bool load(source& in, numbered_question& x) {
  return load(in, x.id) && load(in, x.question);
}
bool save(sink& out, const numbered_reply& x) {
  return save(out, x.id) && save(out, x.reply);
}
bool load(source& in, numbered_reply& x) {
  return load(in, x.id) && load(in, x.reply);
}

template <class... Kinds>
bool save(sink& out, const std::variant<Kinds...>& value) {
  return save(out, static_cast<std::uint8_t>(value.index())) &&
         std::visit([&](const auto& each) { return save(out, each); }, value);
}

template <class... Kinds>
bool load(source& in, std::variant<Kinds...>& value) {
  std::uint8_t tag = 0;
  if (!load(in, tag) || tag >= sizeof...(Kinds))
    return false;
  using loader = bool (*)(source&, std::variant<Kinds...>&);
  constexpr loader loaders[]{[](source& from, std::variant<Kinds...>& into) {
    return load(from, into.template emplace<Kinds>());
  }...};
  return loaders[tag](in, value);
}

// -- whether members have values that they can have
// --------------------------------------------------------

bool known(agent_state x) {
  return x <= agent_state::unhealthy;
}
bool known(agent_change x) {
  return x <= agent_change::down;
}
bool known(dependency_policy x) {
  return x <= dependency_policy::run;
}
bool known(routing_policy x) {
  return x <= routing_policy::random;
}
bool known(ec x) {
  return x == ec{} || to_string(x) != to_string(ec{});
}
template <class Enum> // its text is "unknown" if it is none of them
bool known(Enum x) {
  return to_string(x) != "unknown";
}

/// Looks at every member of a value, as an inspector of it.
struct value_check {
  using result_type = bool;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  template <class... Members>
  bool operator()(Members&&... members) {
    return (check(members) && ...);
  }

  bool check(const std::string&) { return true; }
  bool check(const double& x) { return std::isfinite(x); }
  template <class Number>
  requires std::is_integral_v<Number>
  bool check(const Number&) { return true; }
  template <class Enum>
  requires std::is_enum_v<Enum>
  bool check(const Enum& x) { return known(x); }
  /// No time of ours is longer than thousands of years: sums of them do not overflow.
  template <class Rep, class Period>
  bool check(const std::chrono::duration<Rep, Period>& x) {
    constexpr std::chrono::hours most{24 * 365 * 10'000};
    return x <= most && x >= -most;
  }
  template <class T>
  bool check(const std::vector<T>& list) {
    return std::all_of(list.begin(), list.end(), [&](const T& each) { return check(each); });
  }
  template <class K, class V>
  bool check(const std::map<K, V>& map) {
    return std::all_of(map.begin(), map.end(),
                       [&](const auto& each) { return check(each.second); });
  }
  template <class A, class B>
  bool check(const std::pair<A, B>& pair) {
    return check(pair.first) && check(pair.second);
  }
  template <class... Kinds>
  bool check(const std::variant<Kinds...>& value) {
    return std::visit([&](const auto& each) { return check(each); }, value);
  }
  bool check(const numbered_question& x) { return check(x.question); }
  bool check(const numbered_reply& x) { return check(x.reply); }
  template <class T>
  requires requires(value_check& f, T& x) { inspect(f, x); }
  bool check(const T& x) { return inspect(*this, const_cast<T&>(x)); }
};

} // namespace

std::string encode(const link_message& message) {
  std::string result;
  sink out{nullptr, result};
  save(out, message);
  return result;
}

std::optional<link_message> decode(std::string_view text) {
  link_message result;
  source in{nullptr, text.data(), text.size()};
  if (!load(in, result) || in.remaining() != 0 || !value_check{}.check(result))
    return std::nullopt;
  return result;
}

} // namespace rolecall
