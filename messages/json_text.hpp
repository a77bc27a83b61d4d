#pragma once

#include "messages/inspect_text.hpp"

#include <memory>
#include <string>

namespace rolecall {

/// One JSON value as text: parsed at the edge, opaque, shared and immutable from there on. Copying
/// it copies a pointer. Empty (no text at all) stands for "none", which is not JSON's null.
class json_text {
public:
  json_text() = default;
  /// `text` must be valid JSON; whoever reads it from outside has checked that.
  explicit json_text(std::string text)
      : text_{std::make_shared<const std::string>(std::move(text))} {}

  bool empty() const noexcept { return !text_ || text_->empty(); }
  const std::string& str() const noexcept {
    static const std::string none;
    return text_ ? *text_ : none;
  }

  bool operator==(const json_text& other) const { return str() == other.str(); }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, json_text& x) {
    return inspect_text(f, x);
  }

private:
  std::shared_ptr<const std::string> text_;
};

} // namespace rolecall
