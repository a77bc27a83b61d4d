#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rolecall {

/// Writes one JSON object member by member to the end of a text, without building a tree of it
/// first: for what is written for each task. Members come in the order of the calls.
class object_writer {
public:
  /// `text` must outlive the writer; the object is complete after `end`.
  explicit object_writer(std::string& text) : text_{text} { text_ += '{'; }

  /// Bytes that are not UTF-8 are replaced.
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, const std::string& value) { add(key, std::string_view{value}); }
  void add(std::string_view key, const char* value) { add(key, std::string_view{value}); }
  void add(std::string_view key, bool value) { add_json(key, value ? "true" : "false"); }
  template <std::integral Number>
  void add(std::string_view key, Number value) {
    add_json(key, std::to_string(value));
  }
  /// Null if it is empty.
  void add_or_null(std::string_view key, std::string_view value);
  /// A value that is JSON already.
  void add_json(std::string_view key, std::string_view value);
  /// Appends the key only: what is appended to the text next is its value.
  std::string& add_key(std::string_view key);

  void end() { text_ += '}'; }

private:
  std::string& text_;
  bool first_{true};
};

/// Writes one JSON array to the end of a text, likewise.
class array_writer {
public:
  explicit array_writer(std::string& text) : text_{text} { text_ += '['; }
  /// What is appended to the text next is the next element.
  std::string& add();
  void end() { text_ += ']'; }

private:
  std::string& text_;
  bool first_{true};
};

/// Appends a JSON string.
void append_json(std::string& text, std::string_view value);

} // namespace rolecall
