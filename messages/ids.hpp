#pragma once

#include "messages/inspect_text.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace rolecall {

/// A text that never changes: all its copies are one, which knows its hash, so that to hand it on
/// costs a count and to look it up reads no text. Copies may be on different threads.
class shared_text {
public:
  shared_text() = default;
  explicit shared_text(std::string text) {
    if (!text.empty())
      box_.reset(new box{std::move(text)});
  }

  const std::string& str() const noexcept { return box_ ? box_->text : nothing(); }
  bool empty() const noexcept { return !box_; }
  std::size_t hash() const noexcept { return box_ ? box_->hash : 0; }

  bool operator==(const shared_text& other) const noexcept {
    return box_ == other.box_ || (hash() == other.hash() && str() == other.str());
  }
  std::strong_ordering operator<=>(const shared_text& other) const noexcept {
    return box_ == other.box_ ? std::strong_ordering::equal : str() <=> other.str();
  }

private:
  struct box : boost::intrusive_ref_counter<box> {
    explicit box(std::string what) : text{std::move(what)}, hash{std::hash<std::string>{}(text)} {}
    const std::string text;
    const std::size_t hash;
  };

  static const std::string& nothing() {
    static const std::string none;
    return none;
  }

  boost::intrusive_ptr<const box> box_; // null: the empty text
};

/// A text that names one kind of thing and cannot be mistaken for the name of another.
template <class Tag>
class strong_id {
public:
  strong_id() = default;
  explicit strong_id(std::string text) : text_{std::move(text)} {}

  const std::string& str() const noexcept { return text_.str(); }
  bool empty() const noexcept { return text_.empty(); }
  std::size_t hash() const noexcept { return text_.hash(); }
  auto operator<=>(const strong_id&) const = default; // NOLINT(modernize-use-nullptr)

  friend std::ostream& operator<<(std::ostream& out, const strong_id& id) {
    return out << id.str();
  }
  friend std::string to_string(const strong_id& id) { return id.str(); }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, strong_id& id) {
    return inspect_text(f, id);
  }

private:
  shared_text text_;
};

/// A task; chosen by whoever submits it, unique in a node.
using task_id = strong_id<struct task_id_tag>;
/// What an agent can be asked to do.
using role_name = strong_id<struct role_name_tag>;
/// An agent, under the id that its service gave it. Unique within that service.
using agent_id = strong_id<struct agent_id_tag>;
/// An agents service, under the name that the configuration gives it.
using service_name = strong_id<struct service_name_tag>;
/// A node, under the name that its configuration gives it. Unique in a cluster.
using node_name = strong_id<struct node_name_tag>;

/// An agent, unique in a cluster: the service that hosts it, its id there, and the node that
/// manages it. Its text is without the node.
struct agent_key {
  service_name service;
  agent_id id;
  node_name node{};

  auto operator<=>(const agent_key&) const = default; // NOLINT(modernize-use-nullptr)

  friend std::ostream& operator<<(std::ostream& out, const agent_key& key) {
    return out << key.service << '/' << key.id;
  }
  friend std::string to_string(const agent_key& key) {
    return key.service.str() + '/' + key.id.str();
  }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, agent_key& key) {
    return f(key.service, key.id, key.node);
  }
};

/// An attempt at a task.
struct attempt_key {
  task_id task;
  std::uint32_t attempt{0}; ///< from 1

  auto operator<=>(const attempt_key&) const = default; // NOLINT(modernize-use-nullptr)
};

} // namespace rolecall

/// Not noexcept, so that libstdc++ keeps the hash of each entry of a table beside it: to pass over
/// an entry does not read its text then, which may not be in the cache any more.
template <class Tag>
struct std::hash<rolecall::strong_id<Tag>> {
  std::size_t operator()(const rolecall::strong_id<Tag>& id) const { return id.hash(); }
};

template <>
struct std::hash<rolecall::agent_key> {
  std::size_t operator()(const rolecall::agent_key& key) const {
    auto h = std::hash<rolecall::service_name>{}(key.service);
    h = h * 31 + std::hash<rolecall::agent_id>{}(key.id);
    return h * 31 + std::hash<rolecall::node_name>{}(key.node);
  }
};

template <>
struct std::hash<rolecall::attempt_key> {
  std::size_t operator()(const rolecall::attempt_key& key) const {
    return std::hash<rolecall::task_id>{}(key.task) * 31 + key.attempt;
  }
};
