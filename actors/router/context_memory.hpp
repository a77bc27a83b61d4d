#pragma once

#include "messages/values.hpp"

#include <list>
#include <string>
#include <unordered_map>

namespace rolecall {

/// Which agent has worked on a context last: it may still have what the context's next task needs.
/// Holds the `max_contexts` that were worked on most recently.
class context_memory {
public:
  static constexpr std::size_t max_contexts = 65'536;

  void note(const std::string& context, const agent_key& agent);
  /// Null if it is not remembered. Valid until the next note.
  const agent_key* last(const std::string& context) const;

private:
  using entry = std::pair<std::string, agent_key>;
  std::list<entry> recent_; // the latest first
  std::unordered_map<std::string, std::list<entry>::iterator> places_;
};

} // namespace rolecall
