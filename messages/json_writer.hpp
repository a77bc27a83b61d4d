#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rolecall {

/// Whether a JSON string can hold the character as it is.
constexpr bool is_plain_in_json(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte >= ' ') & (byte <= '~') & (byte != '"') & (byte != '\\');
}

/// The name of a member that the program knows: a literal that needs no escapes, which the compiler
/// sees to.
class json_key {
public:
  consteval json_key(const char* text) : text_{text} { // NOLINT(google-explicit-constructor)
    for (auto c : text_)
      if (!is_plain_in_json(c))
        throw "the key needs escapes";
  }
  constexpr std::string_view text() const noexcept { return text_; }

private:
  std::string_view text_;
};

/// Writes one JSON object member by member to the end of a text, without building a tree of it
/// first: for what is written for each task. Members come in the order of the calls.
class object_writer {
public:
  /// `text` must outlive the writer; the object is complete after `end`.
  explicit object_writer(std::string& text) : text_{text} { text_ += '{'; }

  /// Bytes that are not UTF-8 are replaced.
  void add(json_key key, std::string_view value);
  void add(json_key key, const std::string& value) { add(key, std::string_view{value}); }
  void add(json_key key, const char* value) { add(key, std::string_view{value}); }
  void add(json_key key, bool value) { add_json(key, value ? "true" : "false"); }
  template <std::integral Number>
  void add(json_key key, Number value) {
    add_json(key, std::to_string(value));
  }
  /// Null if it is empty.
  void add_or_null(json_key key, std::string_view value);
  /// A value that is JSON already.
  void add_json(json_key key, std::string_view value);
  /// Appends the key only: what is appended to the text next is its value.
  std::string& add_key(json_key key);
  /// The same with a name that somebody else has chosen.
  std::string& add_name(std::string_view name);

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
